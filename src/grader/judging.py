"""Drives one run of the judge in a session: hands it the work, gathers the outcomes."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from grader import events
from grader.engine.base import Message, Session
from grader.errors import Cancelled, ExerciseError, SessionLost, UsageError
from grader.model.progress import (
    CheckFinished,
    CheckStarted,
    Collected,
    Listener,
    Looked,
    Stage,
    Traced,
)
from grader.model.report import Check, CheckResult, Outcome
from grader.supply import PREPARE_SECONDS, Supply, Work, run_message

HIDDEN_TITLE = "A hidden check"
OTHER_SHAPE = "Your answer has another shape than asked for."
"""Said of a check that could not cope with the answer."""
LATE_SECONDS = 15.0
"""Time past a check's limit after which the judge counts as lost: it ends late checks itself."""
LOOK_EVERY = 0.05
"""Seconds between two looks whether a run that may be cancelled was."""


@dataclass(kw_only=True)
class Findings:
    """What came of it. `unexpected` holds, per check, the author's traceback (CONTRACT 2)."""

    results: list[CheckResult] = field(default_factory=list)
    unexpected: dict[str, str] = field(default_factory=dict)


class Judging:
    """One run. Its messages carry a token, so that nothing of an earlier run is mistaken for it."""

    def __init__(
        self,
        session: Session,
        work: Work,
        listener: Listener,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self._session = session
        self._work = work
        self._listener = listener
        self._cancelled = cancelled
        self._token = secrets.token_hex(8)
        self._checks: dict[str, Check] = {}
        self.findings = Findings()
        self._supply = Supply(session, work)
        self._deadline = time.monotonic() + PREPARE_SECONDS

    def perform(self) -> Findings:
        """Run all checks. Raises SessionLost, ExerciseError, Cancelled."""
        message = run_message(self._session, self._work, self._token, self._supply.main)
        self._session.send(message)
        self._listener(Stage("Running the checks"))
        try:
            while not self._handle(self._next()):
                pass
        except (KeyboardInterrupt, Cancelled):
            with contextlib.suppress(SessionLost):
                self._session.send({"type": "cancel"})
            raise
        missing = self.unfinished()
        if missing:
            raise SessionLost(f"the judge never said how '{missing[0].id}' ended")
        return self.findings

    def prepare_next(self) -> None:
        """Let the judge make ready for another run like this one."""
        message = run_message(self._session, self._work, "", None)
        self._session.send({**message, "type": "prepare"})

    def unfinished(self) -> list[Check]:
        """The checks that were collected and have no outcome yet."""
        found = {result.id for result in self.findings.results}
        return [check for check in self._checks.values() if check.id not in found]

    def _next(self) -> Message:
        while True:
            left = max(self._deadline - time.monotonic(), 0.01)
            if self._cancelled is not None and self._cancelled():
                raise Cancelled("the run was given up")
            pause = left if self._cancelled is None else min(left, LOOK_EVERY)
            message = self._session.receive(pause)
            if message is None and pause < left:
                continue
            if message is None:
                raise SessionLost("the judge stopped answering")
            if message.get("run") == self._token:
                return message

    def _handle(self, message: Message) -> bool:
        """True when the run is over."""
        match events.read(message):
            case events.Collected(checks):
                self._collected(checks)
            case events.Started(check):
                self._listener(CheckStarted(self._known(check).id))
            case events.Running(_, seconds):
                self._deadline = time.monotonic() + seconds + LATE_SECONDS
            case events.Ended() as ended:
                self._ended(ended)
                self._deadline = time.monotonic() + PREPARE_SECONDS
            case events.Request() as request:
                began = time.monotonic()
                self._session.send(self._supply.reply(request))
                self._deadline += time.monotonic() - began
            case events.Fault(text, True):
                raise ExerciseError(f"the exercise cannot be run:\n{text}")
            case events.Fault(text):
                raise SessionLost(text)
            case events.Finished():
                return True
        return False

    def _known(self, name: str) -> Check:
        if name not in self._checks:
            raise SessionLost(f"the judge speaks of a check that it never listed: {name[:100]}")
        return self._checks[name]

    def _collected(self, listed: Sequence[events.CollectedCheck]) -> None:
        if self._checks:
            return  # the judge began again behind a check that took it down
        exercise = self._work.exercise
        tasks = {task.id for task in exercise.tasks}
        for one in listed:
            check = Check(**{**msgspec.structs.asdict(one), "hint": one.hint or ""})
            if check.task not in tasks:
                raise ExerciseError(f"check '{check.id}' names an unknown task '{check.task}'")
            self._checks[check.id] = check
        for wanted in self._work.only:
            names = {name for check in self._checks for name in (check, check.partition("[")[0])}
            if wanted not in names:
                raise UsageError(
                    f"exercise '{exercise.slug}' has no check '{wanted}'",
                    fix=f"its checks are: {', '.join(check.name for check in exercise.checks)}",
                )
        self._listener(Collected(tuple(self._announced(c) for c in self._checks.values())))

    def _announced(self, check: Check) -> Check:
        """What may be told of a check before it ran: nothing at all of a hidden one."""
        hidden = _level(check, self._work) == "hidden"
        return replace(check, title=HIDDEN_TITLE, hint="") if hidden else check

    def _ended(self, ended: events.Ended) -> None:
        check = self._known(ended.check)
        if check not in self.unfinished():
            raise SessionLost(f"the judge told twice how '{check.id}' ended")
        result = result_of(ended, check)
        if result.outcome in (Outcome.FAILED, Outcome.BROKE) and self._session.out_of_memory(
            self._supply.sandboxes, ended.begin, ended.end
        ):  # also when only a child died of it, and the rest of the program answered wrongly
            limit = self._work.exercise.limits.memory // (1024 * 1024)
            text = f"Your program needed more memory than the {limit} MiB it may use."
            result = replace(result, outcome=Outcome.BROKE, reason="memory", message=text)
            result = replace(result, earned=0.0, expected=None, got=None, diff=None)
        elif result.reason == "sandbox" and self._session.was_killed(self._supply.main):
            text = "the sandbox was ended from outside while this check ran"
            result = replace(result, outcome=Outcome.ERROR, message=text)
        elif ended.outcome == "unexpected":
            self.findings.unexpected[check.id] = ended.message
        if self._work.author and ended.trace:
            self._listener(Traced(check.id, ended.trace))
        if self._work.explain and (level := _level(check, self._work)) in ("full", "message"):
            lines = ended.looked if level == "full" else ()  # values are the author's to show
            self._listener(Looked(check.id, lines, ended.near))
        result = shown(result, check, self._work)
        self.findings.results.append(result)
        self._listener(CheckFinished(result))


def result_of(ended: events.Ended, check: Check) -> CheckResult:
    """The judge's word on a check as a result, everything in it still shown."""
    failed = ended.outcome == "unexpected"
    text = OTHER_SHAPE if failed else ended.message
    earned = {"passed": 1.0, "failed": ended.ratio}.get(ended.outcome, 0.0) * check.points
    return CheckResult(
        id=check.id,
        task=check.task,
        title=check.title,
        outcome=Outcome.FAILED if failed else Outcome(ended.outcome),
        points=check.points,
        earned=earned,
        reason=ended.reason,
        message=text,
        expected=ended.expected,
        got=ended.got,
        diff=ended.diff,
        given=ended.given,
        log=ended.log,
        hint=check.hint,
        seconds=max(0.0, ended.end - ended.begin - ended.stopped),
    )


def _level(check: Check, work: Work) -> str:
    """What is shown of a check: the exercise's level, its own, and what many tries reveal."""
    if work.author:
        return "full"
    level = check.show or work.exercise.show
    if level == "hidden" and check.reveal_after and work.attempt > check.reveal_after:
        return "title"
    return level


def shown(result: CheckResult, check: Check, work: Work) -> CheckResult:
    """Take away what the author does not want shown (CONTRACT 2: `show`)."""
    level = _level(check, work)
    if level == "full":
        return result
    bare = replace(result, expected=None, got=None, diff=None, given=())
    if level == "message":
        return bare
    fault = result.message if result.outcome is Outcome.ERROR else ""  # ours, and no secret
    bare = replace(bare, message=fault, log="", hint="")
    return bare if level == "title" else replace(bare, title=HIDDEN_TITLE)
