"""The pytest plugin: marks, fixtures, order, time limits, and an event for each check."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from _pytest.assertion import util
from _pytest.runner import runtestprotocol

from grader.judge.checks import Check, NotWellFormed, order, place, read, select, shuffled
from grader.judge.outcomes import Verdict, as_event, author_text, verdict_of
from grader.judge.psql import Psql
from grader.judge.run import Learner, Run
from grader.judge.solution import Solution
from grader.judge.standstill import Standstill
from grader.judge.together import Together
from grader.judge.trail import TRAIL
from grader.judge.world import World

SILENT = {"refused": 1.0, "closed": 1.0, "timeout": 0.0}
"""How a check breaks when the learner's server is not there any more, and how many seconds its end
may take until it is known."""
LOOK_SECONDS = 5.0
"""What looking at the servers behind a check may take."""


class Plugin:
    """One object per run. Reports through the run's channel, never through pytest's output."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._checks: dict[str, Check] = {}
        self._outcomes: dict[str, str] = {}
        self._left = 0.0
        self._error: BaseException | None = None
        self._kept: object = None
        self._began = 0.0
        self._standstill = Standstill()
        self.faults: list[str] = []

    # -- collecting ---------------------------------------------------------------------------

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "check(task, ...): a hidden test, CONTRACT section 2")
        config.addinivalue_line("markers", "keep: reset once before the class or module")
        # Not earlier: pytest takes the names only once its import hook is there.
        pytest.register_assert_rewrite(*(path.stem for path in config.rootpath.rglob("*.py")))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.faults.append(str(report.longrepr)[-4000:])

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self.faults:
            items[:] = []
            return
        try:
            checks = [read(item) for item in items]
            message = self._run.begin()
            chosen = select(checks, list(message["only"]))
            if message["shuffled"]:
                places = {item.name: place(item) for item in items}
                chosen = shuffled(chosen, places, self._run.seed)
            ordered = order(chosen)
        except NotWellFormed as error:
            self.faults.append(str(error))
            items[:] = []
            return
        self._checks = {check.id: check for check in ordered}
        self._outcomes = dict(message["done"])
        self._left = self._run.seconds - float(message["used"])
        by_name = {item.name: item for item in items}
        items[:] = [by_name[check.id] for check in ordered if check.id not in self._outcomes]
        self._run.channel.emit(
            {"type": "collected", "checks": [check.as_json() for check in ordered]}
        )

    # -- running ------------------------------------------------------------------------------

    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        check = self._checks[item.name]
        self._run.channel.emit({"type": "started", "check": check.id})
        waits_for = self._unmet(check)
        self._began = time.time()
        if waits_for:
            verdict = Verdict(outcome="skipped", reason=waits_for, ratio=0.0)
        elif self._left <= 0:
            limit = f"The {self._run.seconds:g} s for all checks together are used up."
            verdict = Verdict(outcome="broke", reason="timeout", message=limit, ratio=0.0)
        else:
            verdict = self._perform(item, nextitem, check)
        # A check that did not run has ended nothing: its module may still be set up, for nobody.
        item.session._setupstate.teardown_exact(nextitem)
        self._outcomes[check.id] = verdict.outcome
        self._run.channel.emit(as_event(verdict, check.id, self._began, time.time()))
        return True

    def _unmet(self, check: Check) -> str:
        """The first check this one needs that did not pass."""
        for need in check.needs:
            for other in self._checks.values():
                if other.matches(need) and self._outcomes.get(other.id) != "passed":
                    return other.id
        return ""

    def _perform(self, item: pytest.Item, nextitem: pytest.Item | None, check: Check) -> Verdict:
        run = self._run
        run.begin_check(check.id)
        self._error = None
        try:
            if "reference" in getattr(item, "fixturenames", ()):
                run.reference()
            if self._fresh_state_wanted(item):
                run.reset()
        except Exception as error:  # noqa: BLE001 -- a reset that fails is never the learner's zero
            return Verdict(outcome="error", message=f"{type(error).__name__}: {error}"[:2000])
        self._began = time.time()  # making the state fresh is not the learner's time
        started = time.monotonic()
        limit = min(check.seconds, self._left)
        run.clock.start(limit)
        util._reprcompare = run.comparisons.explain  # ours alone: pytest's own diffs are unbounded
        runtestprotocol(item, nextitem=nextitem, log=False)
        self._left -= time.monotonic() - started - run.clock.stopped_seconds
        verdict = verdict_of(self._error or run.world.error, run.comparisons, run.awarded)
        verdict.given, verdict.stopped = run.given, run.clock.stopped_seconds
        if run.author and self._error is not None:
            verdict.trace = author_text(self._error)
        still = self._standstill.since(started)
        if verdict.outcome != "passed" and still:
            text = f"everything stood still for {still:.0f} s while this check ran"
            return Verdict(outcome="error", message=text, ratio=0.0)
        if verdict.outcome != "passed" and run.services:
            run.channel.emit({"type": "running", "check": check.id, "seconds": LOOK_SECONDS})
            gone = run.gone_services()
            if gone:
                text = f"{' and '.join(gone)} stopped answering while this check ran"
                return Verdict(outcome="error", reason=gone[0], message=text, ratio=0.0)
        if verdict.outcome in ("failed", "broke"):
            self._explain(verdict)
        verdict.looked = TRAIL.entries
        return verdict

    def _explain(self, verdict: Verdict) -> None:
        """Add what the learner's programs printed; a server that crashed is why it is silent."""
        solution = self._run.solution
        silent = verdict.reason in SILENT
        crashed = solution.crashed(SILENT[verdict.reason]) if silent else None
        if crashed is not None:
            verdict.reason = crashed.reason
            verdict.message = f"{crashed.message} {verdict.message}"
        printed = solution.printed()
        verdict.log = "\n".join(part for part in (verdict.log, printed) if part)
        if TRAIL.gave_nothing and printed.strip():
            verdict.near.append(
                f"{TRAIL.gave_nothing}, and your program printed something: return hands a value "
                "over, print only shows it"
            )

    def _fresh_state_wanted(self, item: pytest.Item) -> bool:
        """`keep` on a class or module: one reset before it, none between its checks."""
        owner: object = None
        for node in item.iter_parents():
            if any(mark.name == "keep" for mark in node.own_markers):
                owner = node
        same = owner is not None and owner is self._kept
        self._kept = owner
        return not same

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Iterator[None]:
        with self._run.clock.limited():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        with self._run.clock.limited():
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> pytest.TestReport:
        """Keep the exception, and spare pytest its own account of it.

        For that it reads the locals of each frame, which ends Python 3.13 with a segmentation
        fault when a generator raised (python/cpython#125723), as in `with` of a contextmanager.
        """
        if call.excinfo is not None and self._error is None:
            self._error = call.excinfo.value
        return pytest.TestReport(
            nodeid=item.nodeid,
            location=item.location,
            keywords={},
            outcome="passed" if call.excinfo is None else "failed",
            longrepr=None,
            when=call.when,  # type: ignore[arg-type]  # never that of collecting
        )

    # -- fixtures -----------------------------------------------------------------------------

    @pytest.fixture(scope="session")
    def solution(self) -> Solution:
        """The submission."""
        return self._run.solution

    @pytest.fixture(scope="session")
    def reference(self) -> Solution:
        """The same as `solution` for the author's solution, in a session apart."""
        return self._run.reference()

    @pytest.fixture(scope="session")
    def postgres(self) -> Any:
        """The learner's database, as the learner's role."""
        return self._service("postgres")

    @pytest.fixture(scope="session")
    def psql(self) -> Psql:
        """SQL run in the sandbox, as the learner."""
        return Psql(self._run.solution)

    @pytest.fixture(scope="session")
    def redis(self) -> Any:
        """A redis.Redis, as the learner's account: answers are bytes. And `redis.link`."""
        return self._service("redis")

    @pytest.fixture(scope="session")
    def mongodb(self) -> Any:
        """A pymongo.MongoClient with the learner's rights; its database is `mongodb.learner`."""
        return self._service("mongodb")

    def _service(self, name: str) -> Any:
        if name not in self._run.fixtures:
            raise LookupError(f"exercise.yaml names no service '{name}'")
        return self._run.fixtures[name]

    @pytest.fixture(scope="session")
    def world(self) -> World:
        """Servers of the test's own, which the learner's program can reach."""
        return self._run.world

    @pytest.fixture(scope="session")
    def learner(self) -> Learner:
        """The learner's own seed and the number of this attempt."""
        return self._run.learner

    @pytest.fixture(scope="session")
    def rng(self) -> Random:
        """A random.Random whose numbers depend on the seed of the run and the check alone."""
        return self._run.rng

    @pytest.fixture(scope="session")
    def seed(self) -> int:
        """The seed of this run, an int. Inputs come from `rng`."""
        return self._run.seed

    @pytest.fixture(scope="session")
    def together(self) -> Together[Any]:
        """Start calls at one barrier."""
        return Together()

    @pytest.fixture(scope="session")
    def eventually(self) -> Callable[..., Any]:
        """Poll until true."""
        return eventually

    @pytest.fixture(scope="session")
    def stays(self) -> Callable[..., None]:
        """Poll that it stays true."""
        return stays

    @pytest.fixture(scope="session")
    def award(self) -> Callable[..., None]:
        """Partial credit."""
        return self._run.award

    @pytest.fixture(scope="session")
    def note(self) -> Callable[[str, Any], Any]:
        """Show a value with a failure."""
        return self._run.note


def eventually(fn: Callable[[], Any], within: float = 5, message: str = "") -> Any:
    """Call `fn` until it returns something true, and return that; fails after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        value = fn()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(message or f"it did not happen within {within:g} s")
        time.sleep(0.01)


def stays(fn: Callable[[], Any], during: float = 0.5, message: str = "") -> None:
    """Call `fn` again and again for `during` seconds; fails when it returns something false."""
    deadline = time.monotonic() + during
    while True:
        if not fn():
            raise AssertionError(message or f"it did not stay so for {during:g} s")
        if time.monotonic() > deadline:
            return
        time.sleep(0.01)
