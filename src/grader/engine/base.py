"""What every engine offers: sessions, and in them a judge, services and sandboxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from grader.model.exercise import Limits
from grader.model.progress import Listener

Message = Mapping[str, Any]
"""One JSON object on the channel between host and judge. The judge's: grader.events."""


FURTHER = 4
"""Sandboxes that a run may have beside its main one, at the same time."""


@dataclass(frozen=True, kw_only=True)
class SessionSpec:
    """What a session must offer, and to whom it belongs.

    `owner` names the learner's workspace: a warm session serves nobody else. An empty owner means
    that the session ends with the `with` block.
    """

    exercise: str
    runner: str
    services: tuple[str, ...]
    limits: Limits
    owner: str = ""


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """How the judge reaches one sandbox: its socket (a name in a slot), the agent's key."""

    name: str
    slot: str
    socket: str
    key: str


class Terminal(Protocol):
    """A program that the learner started by hand, in a sandbox or as the client of a service."""

    def fileno(self) -> int:
        """Ready to be read when there is something, for `select`."""

    def waiting(self) -> bool:
        """Whether there is something that `select` cannot know of."""

    def read(self) -> list[tuple[int, bytes]] | None:
        """What came since: (1 for its output, 2 for its errors; bytes). None at its end."""

    def write(self, data: bytes) -> None:
        """Type this."""

    def close_input(self) -> None:
        """There is nothing more to type."""

    def resize(self, rows: int, columns: int) -> None:
        """The terminal that it is shown in has this size."""

    def wait(self) -> int:
        """Its exit code. Raises InfrastructureError."""

    def close(self) -> None:
        """Let go of it; what still runs ends with its sandbox."""


class Session(Protocol):
    """The judge, the services and the sandboxes of one exercise for one learner."""

    reused: bool
    """True when an earlier run left this session warm."""

    def services(self) -> Mapping[str, Mapping[str, Any]]:
        """Per service what the judge needs to use it: ports, accounts, variables."""

    def sandbox(self) -> Sandbox:
        """A sandbox nothing has run in. Raises SessionLost."""

    def replicas(self, count: int) -> list[Sandbox]:
        """So many sandboxes beside that one, FURTHER at a time at most. Raises SessionLost."""

    def discard(self, sandbox: Sandbox) -> None:
        """End a sandbox and everything in it."""

    def replace_service(self, name: str) -> None:
        """Put a new server in the place of one that ended or hangs. Raises SessionLost."""

    def send(self, message: Message) -> None:
        """Hand the judge one message. Raises SessionLost."""

    def receive(self, timeout: float) -> Message | None:
        """The judge's next message, or None when `timeout` seconds pass. Raises SessionLost."""

    def out_of_memory(self, sandboxes: Sequence[Sandbox], begin: float, end: float) -> bool:
        """Whether the engine saw one of them meet its memory limit between two epoch times."""

    def was_killed(self, sandbox: Sandbox) -> bool:
        """Whether somebody outside the sandbox ended it: nothing that runs in there can be blamed.

        Waits a little for the engine to say so.
        """

    def enter(
        self, sandbox: Sandbox, argv: Sequence[str], env: Mapping[str, str], *, tty: bool
    ) -> Terminal:
        """Start a program by hand beside what runs in a sandbox. Raises InfrastructureError."""

    def client(
        self, service: str, sandbox: Sandbox, env: Mapping[str, str], *, tty: bool
    ) -> Terminal:
        """Start the interactive client of a service, with the learner's account.

        Raises UsageError when there is none on this machine, InfrastructureError.
        """

    def reference(self) -> Session:
        """A session apart, made at the first call, whose sandbox this session's judge can reach.

        It has services of its own, and ends with this one. Raises InfrastructureError.
        """

    def spoil(self) -> None:
        """Never use this session again: it ends with the `with` block."""


class Engine(Protocol):
    """Makes sessions. One engine object may make many, one after another."""

    name: str

    def prepare(self, spec: SessionSpec, listener: Listener) -> None:
        """Bring what a session of this kind needs (images). Time here is not the learner's."""

    def version(self, spec: SessionSpec) -> str:
        """Another one when anything changes that a session of this kind is made of.

        Asks no engine. Raises ExerciseError for a runner there is none of.
        """

    def release(self, spec: SessionSpec) -> None:
        """End the owner's warm session, if one waits: nobody will come back to it."""

    def gaps(self) -> Sequence[str]:
        """What this engine does not keep the learner's code from, each completing "from ...".

        Found out once per engine. Raises InfrastructureError.
        """

    def session(
        self, spec: SessionSpec, listener: Listener, *, fresh: bool = False
    ) -> AbstractContextManager[Session]:
        """A session, warm when one is waiting and `fresh` is false. Raises InfrastructureError."""
