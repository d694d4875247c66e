"""Warm sessions on disk: which one waits for whom, and a lock so that only one process uses it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import msgspec

from grader.engine.base import Sandbox
from grader.errors import InfrastructureError

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


msgspec.json.Decoder(Record)  # now, and not first by two threads at once: see grader.events


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
        """True while this process alone may use the session; False when another one does.

        Its file goes when the session is forgotten by the end of the block. Raises
        InfrastructureError when the folder cannot be written.
        """
        file = self._locked(self._folder / f"{name}.lock")
        if file is None:
            yield False
            return
        with file:
            try:
                yield True
            finally:
                if not self._record(name).exists():
                    for suffix in (".new", ".lock"):  # a killed process leaves its half-saved .new
                        self._record(name).with_suffix(suffix).unlink(missing_ok=True)

    def _locked(self, path: Path) -> IO[str] | None:
        """The lock file, open and locked; None when another process has it."""
        if fcntl is None:
            return None
        while True:
            with _written(self._folder):
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                file = path.open("w")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.close()
                return None
            # Who had the lock may have removed the file after we opened it. Then others find a
            # new file there, and a lock of the old one keeps nobody out: begin again.
            if _is_at(file, path):
                return file
            file.close()

    def _record(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def load(self, name: str) -> Record | None:
        """The waiting session, or None; a file that cannot be understood counts as none."""
        try:
            return msgspec.json.decode(self._record(name).read_bytes(), type=Record)
        except (OSError, ValueError, RecursionError):  # msgspec's errors are ValueErrors
            return None

    def save(self, name: str, record: Record) -> None:
        """Remember a session; its last use is now. Raises InfrastructureError."""
        path = self._record(name)
        new = path.with_suffix(".new")
        with _written(path):
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(msgspec.json.encode(record).decode())
            new.replace(path)

    def forget(self, name: str) -> None:
        self._record(name).unlink(missing_ok=True)

    def names(self) -> list[str]:
        return [path.stem for path in self._folder.glob("*.json")]

    def beyond(self, keep: int) -> list[str]:
        """All but the `keep` sessions that were used last."""
        used: dict[str, int] = {}
        for name in self.names():
            with contextlib.suppress(FileNotFoundError):  # forgotten meanwhile
                used[name] = self._record(name).stat().st_mtime_ns
        return sorted(used, key=lambda name: used[name], reverse=True)[keep:]

    def records(self) -> dict[str, Record | None]:
        """What is known under every name that any file here has."""
        return {name: self.load(name) for name in {path.stem for path in self._folder.glob("*")}}

    def known(self) -> set[str]:
        """The ids of all sessions that wait for their owner, or that a later process took up."""
        return {record.session for record in self.records().values() if record is not None}

    def tidy(self, before: Mapping[str, Record | None], alive: Collection[str]) -> None:
        """Forget the sessions that ended by themselves, and drop files that nobody needs.

        `before` are the records as they were before anybody looked which sessions are `alive`.
        """
        for name, record in before.items():
            if record is None or record.session not in alive:
                with self.lock(name) as mine:
                    if mine and self.load(name) == record:
                        self.forget(name)


def _is_at(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InfrastructureError(
            f"{path}: cannot be written: {error.strerror}", fix="see: grader doctor"
        ) from error
