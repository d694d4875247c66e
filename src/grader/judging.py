"""Drives one run of the judge in a session: hands it the work, gathers the outcomes."""

from __future__ import annotations

import base64
import contextlib
import io
import secrets
import tarfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from grader.engine.base import Message, Sandbox, Session
from grader.errors import ExerciseError, SessionLost, UsageError
from grader.model.exercise import Exercise
from grader.model.progress import CheckFinished, CheckStarted, Collected, Listener
from grader.model.report import Check, CheckResult, Outcome
from grader.model.submission import Submission
from grader.workspace.snapshot import snapshot_folder

PREPARE_SECONDS = 120.0
"""Time the judge has to bring services up, collect the tests, or make fresh state."""
HIDDEN_TITLE = "A hidden check"
LATE_SECONDS = 15.0
"""Time past a check's limit after which the judge counts as lost: it ends late checks itself."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What one run is about."""

    exercise: Exercise
    submission: Submission
    seed: int
    learner_seed: int
    attempt: int
    only: tuple[str, ...]


@dataclass(kw_only=True)
class Findings:
    """What came of it. `unexpected` holds, per check, the author's traceback (CONTRACT 2)."""

    results: list[CheckResult] = field(default_factory=list)
    unexpected: dict[str, str] = field(default_factory=dict)


class Judging:
    """One run. Its messages carry a token, so that nothing of an earlier run is mistaken for it."""

    def __init__(self, session: Session, work: Work, listener: Listener) -> None:
        self._session = session
        self._work = work
        self._listener = listener
        self._token = secrets.token_hex(8)
        self._checks: dict[str, Check] = {}
        self.findings = Findings()
        self._sandbox = session.sandbox()
        self._keeper: Keeper | None = None
        self._deadline = time.monotonic() + PREPARE_SECONDS

    def perform(self) -> Findings:
        """Run all checks. Raises SessionLost, ExerciseError."""
        message = run_message(self._session, self._work, self._token, self._sandbox)
        self._session.send(message)
        try:
            while not self._handle(self._next()):
                pass
        except KeyboardInterrupt:
            with contextlib.suppress(SessionLost):
                self._session.send({"type": "cancel"})
            raise
        missing = self.unfinished()
        if missing:
            raise SessionLost(f"the judge never said how '{missing[0].id}' ended")
        return self.findings

    def unfinished(self) -> list[Check]:
        """The checks that were collected and have no outcome yet."""
        found = {result.id for result in self.findings.results}
        return [check for check in self._checks.values() if check.id not in found]

    def _next(self) -> Message:
        while True:
            left = self._deadline - time.monotonic()
            message = self._session.receive(max(left, 0.01))
            if message is None:
                raise SessionLost("the judge stopped answering")
            if message.get("run") == self._token:
                return message

    def _handle(self, message: Message) -> bool:
        """True when the run is over."""
        kind = message["type"]
        if kind == "collected":
            self._collected(message["checks"])
        elif kind == "started":
            self._listener(CheckStarted(message["check"]))
        elif kind == "running":
            self._deadline = time.monotonic() + float(message["seconds"]) + LATE_SECONDS
        elif kind == "outcome":
            self._outcome(message)
            self._deadline = time.monotonic() + PREPARE_SECONDS
        elif kind == "request":
            self._session.send(self._reply(message))
        elif kind == "fault":
            text = str(message["message"])
            if message["author"]:
                raise ExerciseError(f"the exercise cannot be run:\n{text}")
            raise SessionLost(text)
        return bool(kind == "finished")

    def _collected(self, listed: Sequence[Mapping[str, Any]]) -> None:
        if self._checks:
            return  # the judge began again behind a check that took it down
        exercise = self._work.exercise
        tasks = {task.id for task in exercise.tasks}
        for values in listed:
            check = Check(**{**values, "needs": tuple(values["needs"])})
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

    def _outcome(self, message: Message) -> None:
        check = self._checks[message["check"]]
        result = result_of(message, check)
        if result.outcome in (Outcome.FAILED, Outcome.BROKE) and self._session.out_of_memory(
            self._sandbox, message["begin"], message["end"]
        ):  # also when only a child died of it, and the rest of the program answered wrongly
            limit = self._work.exercise.limits.memory // (1024 * 1024)
            text = f"Your program needed more memory than the {limit} MiB it may use."
            result = replace(result, outcome=Outcome.BROKE, reason="memory", message=text)
            result = replace(result, earned=0.0, expected=None, got=None, diff=None)
        elif result.reason == "sandbox" and self._session.was_killed(self._sandbox):
            text = "the sandbox was ended from outside while this check ran"
            result = replace(result, outcome=Outcome.ERROR, message=text)
        elif message["outcome"] == "unexpected":
            self.findings.unexpected[check.id] = str(message["message"])
        result = shown(result, check, self._work)
        self.findings.results.append(result)
        self._listener(CheckFinished(result))

    def _reply(self, message: Message) -> Message:
        reply: dict[str, Any] = {"type": "reply", "id": message["id"]}
        handler = {
            "sandbox": self._another_sandbox,
            "service": self._another_service,
            "reference": self._make_reference,
            "reference_reset": self._reset_reference,
        }.get(message["name"])
        if handler is None:
            return {**reply, "fault": f"no such request: {message['name']}"}
        return {**reply, **handler(message)}

    def _another_service(self, message: Message) -> Message:
        self._session.replace_service(str(message["service"]))
        return {}

    def _another_sandbox(self, _message: Message) -> Message:
        self._session.discard(self._sandbox)
        self._sandbox = self._session.sandbox()
        return _address(self._sandbox)

    def _make_reference(self, _message: Message) -> Message:
        exercise = self._work.exercise
        apart = self._session.reference()
        submission = snapshot_folder(exercise.solution, exercise.submit, exercise.limits)
        sandbox = apart.sandbox()
        self._keeper = Keeper(apart, run_message(apart, self._work, secrets.token_hex(8), None))
        return {
            **_address(sandbox),
            "submission": base64.b64encode(submission.archive()).decode(),
            "env": environment(apart, exercise),
        }

    def _reset_reference(self, _message: Message) -> Message:
        assert self._keeper is not None
        self._keeper.reset()
        return {}


class Keeper:
    """The judge of the reference's session: it only keeps the services there."""

    def __init__(self, session: Session, message: Message) -> None:
        self._session = session
        self._token = message["run"]
        session.send({**message, "serve": True})
        self._ready = self._wait()

    def _wait(self) -> int:
        """The number of the judge's request for the next reset: all before it is done."""
        deadline = time.monotonic() + PREPARE_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            message = self._session.receive(left)
            if message is None or message.get("run") != self._token:
                continue
            if message["type"] == "request" and message["name"] == "service":
                self._session.replace_service(str(message["service"]))
                self._session.send({"type": "reply", "id": message["id"]})
                continue
            if message["type"] == "request":
                return int(message["id"])
            raise SessionLost(f"the reference's session: {message.get('message')}")
        raise SessionLost("the reference's session does not answer")

    def reset(self) -> None:
        self._session.send({"type": "reply", "id": self._ready})
        self._ready = self._wait()


def environment(session: Session, exercise: Exercise) -> dict[str, str]:
    """The variables of the learner's program: each service's, and the exercise's own."""
    variables: dict[str, str] = {}
    for options in session.services().values():
        variables.update(options["env"])
    return {**variables, **exercise.env}


def run_message(
    session: Session, work: Work, token: str, sandbox: Sandbox | None
) -> dict[str, Any]:
    """What the judge must know for one run."""
    exercise = work.exercise
    services = {}
    for name, options in session.services().items():
        init = [(exercise.root / path).read_text("utf-8") for path in exercise.services[name]]
        services[name] = {**options, "init": init}
    return {
        "type": "run",
        "run": token,
        "seed": work.seed,
        "learner_seed": work.learner_seed,
        "attempt": work.attempt,
        "only": list(work.only),
        "exercise": {"slug": exercise.slug, "seconds": exercise.limits.seconds},
        "tests": base64.b64encode(tests_archive(exercise.tests)).decode(),
        "submission": base64.b64encode(work.submission.archive()).decode(),
        "services": services,
        "env": environment(session, exercise),
        "sandbox": None if sandbox is None else _address(sandbox),
    }


def _address(sandbox: Sandbox) -> dict[str, str]:
    return {"slot": sandbox.slot, "socket": sandbox.socket, "key": sandbox.key}


def tests_archive(folder: Path) -> bytes:
    """A tar of the hidden tests, without what Python leaves beside them."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                tar.add(path, str(path.relative_to(folder)))
    return buffer.getvalue()


def result_of(message: Message, check: Check) -> CheckResult:
    """The judge's outcome event as a result, everything in it still shown."""
    outcome = message["outcome"]
    failed = outcome == "unexpected"
    text = "Your answer has another shape than asked for." if failed else message.get("message", "")
    earned = {"passed": 1.0, "failed": message["ratio"]}.get(outcome, 0.0) * check.points
    return CheckResult(
        id=check.id,
        task=check.task,
        title=check.title,
        outcome=Outcome.FAILED if failed else Outcome(outcome),
        points=check.points,
        earned=earned,
        reason=message.get("reason", ""),
        message=text,
        expected=message.get("expected"),
        got=message.get("got"),
        diff=message.get("diff"),
        given=tuple((label, value) for label, value in message.get("given", ())),
        log=message.get("log", ""),
        hint=check.hint,
        seconds=message["end"] - message["begin"],
    )


def _level(check: Check, work: Work) -> str:
    """What is shown of a check: the exercise's level, its own, and what many tries reveal."""
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
