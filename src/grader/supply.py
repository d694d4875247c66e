"""What the host supplies the judge with: the message of a run, and the answers to its requests."""

from __future__ import annotations

import base64
import io
import secrets
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grader import events
from grader.engine.base import FURTHER, Message, Sandbox, Session
from grader.errors import SessionLost
from grader.keeper import Keeper
from grader.making import Maker
from grader.model.exercise import Exercise
from grader.model.submission import Submission

PREPARE_SECONDS = 120.0
"""Time the judge has to bring services up, collect the tests, or make fresh state."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What one run is about."""

    exercise: Exercise
    submission: Submission
    seed: int
    learner_seed: int
    attempt: int
    only: tuple[str, ...]
    shuffled: bool = False
    author: bool = False
    explain: bool = False
    maker: Maker | None = None
    """Makes workspaces and the reference, where an exercise has them made."""

    def reference(self) -> Submission:
        """What the author would have handed in instead. Raises InfrastructureError."""
        if self.maker is None:
            raise LookupError("nobody makes the reference")
        return self.maker.reference(self.learner_seed)

    def values(self) -> Mapping[str, Any]:
        """What the tests are told of the learner's workspace. Raises InfrastructureError."""
        made = self.maker is not None and self.exercise.generate is not None
        return self.maker.workspace(self.learner_seed).values if made and self.maker else {}


class Supply:
    """The sandboxes of one run, and all else that the judge may ask for: a closed list."""

    def __init__(self, session: Session, work: Work) -> None:
        self._session = session
        self._work = work
        self._further: dict[str, Sandbox] = {}
        self._keeper: Keeper | None = None
        self.main = session.sandbox()

    @property
    def sandboxes(self) -> list[Sandbox]:
        """All that the submission runs in."""
        return [self.main, *self._further.values()]

    def reply(self, request: events.Request) -> Message:
        """The answer to one request. Raises SessionLost when it cannot be had."""
        reply: dict[str, Any] = {"type": "reply", "id": request.id}
        handler = {
            "sandbox": self._another_sandbox,
            "replicas": self._replicas,
            "service": self._another_service,
            "reference": self._make_reference,
            "reference_reset": self._reset_reference,
            "generate": self._generate,
        }.get(request.name)
        if handler is None:
            return {**reply, "fault": f"no such request: {request.name}"}
        return {**reply, **handler(request)}

    def _another_sandbox(self, request: events.Request) -> Message:
        """Instead of the main one; `alone`: of all, the judge began again and knows none."""
        if request.alone:
            self._discard(list(self._further))
        self._session.discard(self.main)
        self.main = self._session.sandbox()
        return _address(self.main)

    def _another_service(self, request: events.Request) -> Message:
        self._session.replace_service(request.service)
        return {}

    def _replicas(self, request: events.Request) -> Message:
        """So many beside the main one, and those of the `lost` slots end."""
        self._discard(request.lost)
        made = self._session.replicas(request.count)
        self._further.update({sandbox.slot: sandbox for sandbox in made})
        return {"sandboxes": [_address(sandbox) for sandbox in made]}

    def _discard(self, slots: Iterable[str]) -> None:
        for slot in slots:
            if slot not in self._further:
                raise SessionLost(f"the judge gives back a sandbox it never had: {slot[:100]}")
            self._session.discard(self._further.pop(slot))

    def _make_reference(self, _request: events.Request) -> Message:
        exercise = self._work.exercise
        apart = self._session.reference()
        submission = self._work.reference()
        sandbox = apart.sandbox()
        self._keeper = Keeper(apart, run_message(apart, self._work, secrets.token_hex(8), None))
        return {
            **_address(sandbox),
            "submission": base64.b64encode(submission.archive()).decode(),
            "env": environment(apart, exercise),
        }

    def _generate(self, request: events.Request) -> Message:
        """Another learner's workspace."""
        if self._work.maker is None or self._work.exercise.generate is None:
            return {"fault": "exercise.yaml names no program for generate"}
        made = self._work.maker.workspace(request.seed)
        files = {
            one.path: base64.b64encode(one.content).decode() for one in made.files if not one.folder
        }
        return {"values": dict(made.values), "files": files}

    def _reset_reference(self, _request: events.Request) -> Message:
        if self._keeper is None:
            raise SessionLost("the judge resets a reference that it never asked for")
        self._keeper.reset()
        return {}


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
        "values": work.values(),
        "only": list(work.only),
        "shuffled": work.shuffled,
        "author": work.author,
        "explain": work.explain,
        "exercise": {"slug": exercise.slug, "seconds": exercise.limits.seconds},
        "serve": False,
        "make": None,
        "tests": base64.b64encode(tests_archive(exercise.tests)).decode(),
        "submission": base64.b64encode(work.submission.archive()).decode(),
        "services": services,
        "env": environment(session, exercise),
        "programs": {name: asdict(one) for name, one in exercise.programs.items()},
        "further": FURTHER,
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
