"""An engine in memory: no process, no container. It drives the unit tests.

Its judge answers a run with the outcomes it was given, by check id; every check of the exercise
that is not named passes. Faults are injected by `lose_session`.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from grader.engine.base import FURTHER, Message, Sandbox, SessionSpec, Terminal
from grader.errors import SessionLost
from grader.model.progress import Listener

Script = Mapping[str, Mapping[str, Any]]


@dataclass(kw_only=True)
class FakeEngine:
    """`outcomes[check]` are the fields of that check's outcome event, over a passing one."""

    name: str = "fake"
    checks: tuple[Mapping[str, Any], ...] = ()
    """The checks that the judge collects: id, task, and what else the collected event says."""
    outcomes: Script = field(default_factory=dict)
    reference: Script = field(default_factory=dict)
    """The same for every submission but the first one's."""
    learner: str = ""
    """The submission of the first run, as it was sent."""
    lose_session: int = 0
    """So many sessions end in the middle of their run."""
    out_of_memory: bool = False
    open_gaps: tuple[str, ...] = ()
    killed: bool = False
    """Whether sandboxes that end were killed from outside."""
    sessions: list[FakeSession] = field(default_factory=list)
    prepared: int = 0

    def prepare(self, spec: SessionSpec, listener: Listener) -> None:
        del spec, listener
        self.prepared += 1

    def version(self, spec: SessionSpec) -> str:
        return repr((replace(spec, owner=""), self.checks, self.outcomes, self.reference))

    def release(self, spec: SessionSpec) -> None:
        for session in self.sessions:
            session.ended = session.ended or session.spec == spec

    def gaps(self) -> Sequence[str]:
        return self.open_gaps

    @contextlib.contextmanager
    def session(
        self, spec: SessionSpec, listener: Listener, *, fresh: bool = False
    ) -> Iterator[FakeSession]:
        del listener
        warm = [one for one in self.sessions if one.spec == spec and not one.ended]
        session = warm[-1] if warm and spec.owner and not fresh else FakeSession(self, spec)
        for other in warm:
            other.ended = other is not session
        session.reused = session in self.sessions
        if not session.reused:
            self.sessions.append(session)
        try:
            yield session
        except BaseException:
            session.ended = True
            raise
        session.ended = session.ended or session.spoiled or not spec.owner


class FakeSession:
    """See engine.base.Session; everything that happened stays readable for assertions."""

    def __init__(self, engine: FakeEngine, spec: SessionSpec) -> None:
        self.spec = spec
        self.reused = False
        self.spoiled = False
        self.ended = False
        self.sandboxes: list[Sandbox] = []
        self.discarded: list[Sandbox] = []
        self.replaced: list[str] = []
        self.sent: list[Message] = []
        self._engine = engine
        self._queue: deque[Message] = deque()

    def services(self) -> Mapping[str, Mapping[str, Any]]:
        account = {"user": "learner", "password": "secret"}
        return {
            name: {"port": 1, "env": {f"{name.upper()}_URL": name}, "learner": account}
            for name in self.spec.services
        }

    def sandbox(self) -> Sandbox:
        made = Sandbox(
            name=f"sandbox-{len(self.sandboxes)}", slot="slot", socket="socket", key="key"
        )
        self.sandboxes.append(made)
        return made

    def replicas(self, count: int) -> list[Sandbox]:
        taken = {one.slot for one in self.sandboxes if one not in self.discarded}
        free = [slot for slot in (f"further{n}" for n in range(FURTHER)) if slot not in taken]
        if count > len(free):
            raise SessionLost("every place for a sandbox is taken")
        made = [replace(self.sandbox(), slot=slot) for slot in free[:count]]
        self.sandboxes[-count:] = made
        return made

    def discard(self, sandbox: Sandbox) -> None:
        self.discarded.append(sandbox)

    def replace_service(self, name: str) -> None:
        self.replaced.append(name)

    def send(self, message: Message) -> None:
        self.sent.append(message)
        if message["type"] == "run":
            self._queue.extend({**event, "run": message["run"]} for event in self._events(message))

    def _events(self, run: Message) -> Iterator[Message]:
        engine = self._engine
        chosen = [c for c in engine.checks if not run["only"] or c["id"] in run["only"]]
        yield {"type": "collected", "checks": [{"needs": [], **check} for check in chosen]}
        if engine.lose_session > 0:
            engine.lose_session -= 1
            yield {"type": "lost"}
        if not engine.learner:
            engine.learner = run["submission"]
        script = engine.outcomes if run["submission"] == engine.learner else engine.reference
        for check in chosen:
            yield {"type": "started", "check": check["id"]}
            yield {"type": "running", "check": check["id"], "seconds": 10.0}
            now = time.time()
            passed = {"outcome": "passed", "ratio": 1.0, "begin": now, "end": now}
            outcome = {**passed, **script.get(check["id"], {})}
            yield {"type": "outcome", "check": check["id"], **outcome}
        yield {"type": "finished"}

    def receive(self, timeout: float) -> Message | None:
        del timeout
        message = self._queue.popleft() if self._queue else None
        if message is not None and message["type"] == "lost":
            raise SessionLost("the fake session was told to end here")
        return message

    def out_of_memory(self, sandboxes: Sequence[Sandbox], begin: float, end: float) -> bool:
        del begin, end
        return self._engine.out_of_memory and bool(sandboxes)

    def was_killed(self, sandbox: Sandbox) -> bool:
        del sandbox
        return self._engine.killed

    def enter(
        self, sandbox: Sandbox, argv: Sequence[str], env: Mapping[str, str], *, tty: bool
    ) -> Terminal:
        del sandbox, argv, env, tty
        raise SessionLost("nothing runs in the fake engine")

    def client(
        self, service: str, sandbox: Sandbox, env: Mapping[str, str], *, tty: bool
    ) -> Terminal:
        del service, sandbox, env, tty
        raise SessionLost("nothing runs in the fake engine")

    def reference(self) -> FakeSession:
        return FakeSession(self._engine, self.spec)

    def spoil(self) -> None:
        self.spoiled = True
