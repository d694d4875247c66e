"""Warm sessions on disk: which one waits for whom, and a lock so that only one process uses it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import msgspec

from grader.engine.base import Sandbox

try:
    import fcntl
except ImportError:  # Windows: no advisory locks of this kind; sessions are then never shared
    fcntl = None  # type: ignore[assignment]  # tested before use


@dataclass(kw_only=True)
class Record:
    """What must be known to use a session again from another process."""

    session: str
    judge: str
    made_for: str
    """Properties and image tags it was made with; another need makes another session."""
    passwords: dict[str, dict[str, str]]
    containers: list[str] = field(default_factory=list)
    waiting: Sandbox | None = None
    """The sandbox started ahead."""

    def __post_init__(self) -> None:
        """Raises ValueError, which makes a file that lacks a password one not understood."""
        if any({"admin", "learner"} - set(given) for given in self.passwords.values()):
            raise ValueError("a password is missing")


class WarmSessions:
    """One file per waiting session, in a folder that only the user can read: it holds passwords."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "sessions"

    @property
    def home(self) -> str:
        """Begins the id of each session that this folder's owner makes on this machine.

        One engine may serve several people, several state folders and several machines: each looks
        after its own sessions and leaves the others' alone.
        """
        where = f"{socket.gethostname()}\0{self._folder.resolve()}"
        return hashlib.sha256(where.encode()).hexdigest()[:8]

    @staticmethod
    def name(*parts: str) -> str:
        """The file name for a session with these properties."""
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[bool]:
        """True while this process alone may use the session; False when another one does."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self._folder / f"{name}.lock").open("w") as file:
            yield _lock(file)

    def load(self, name: str) -> Record | None:
        """The waiting session, or None; a file that cannot be understood counts as none."""
        try:
            return msgspec.json.decode((self._folder / f"{name}.json").read_bytes(), type=Record)
        except (OSError, ValueError, RecursionError):  # msgspec's errors are ValueErrors
            return None

    def save(self, name: str, record: Record) -> None:
        path = self._folder / f"{name}.json"
        new = path.with_suffix(".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(msgspec.json.encode(record).decode())
        new.replace(path)

    def forget(self, name: str) -> None:
        (self._folder / f"{name}.json").unlink(missing_ok=True)

    def names(self) -> list[str]:
        return [path.stem for path in self._folder.glob("*.json")]

    def known(self) -> set[str]:
        """The ids of all sessions that wait for their owner, or that a later process took up."""
        found = (self.load(name) for name in self.names())
        return {record.session for record in found if record is not None}


def _lock(file: IO[str]) -> bool:
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
