"""The record on disk: one SQLite file, safe from crashes and from two terminals at once.

Loaded without any library: most commands only look in here.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import RecordError

if TYPE_CHECKING:
    import sqlite3

FILE = "record.db"
PATIENCE = 5.0
"""Seconds to wait for another process that writes."""

Migration = Sequence[str]
MIGRATIONS: Sequence[Migration] = (
    (
        # `body` is the whole entry as JSON; the other columns are those that are searched.
        # `score` is that of a whole graded run and NULL otherwise, `passed` is 1 when it passed.
        """CREATE TABLE entries (
            id TEXT PRIMARY KEY,
            kind TEXT NOT NULL,
            exercise TEXT NOT NULL,
            version INTEGER NOT NULL,
            time TEXT NOT NULL,
            score REAL,
            passed INTEGER NOT NULL,
            body TEXT NOT NULL
        )""",
        "CREATE INDEX entries_by_exercise ON entries (exercise, time)",
        # Where the learner works on an exercise: true on this machine only, so it is no entry.
        """CREATE TABLE workspaces (
            exercise TEXT PRIMARY KEY,
            folder TEXT NOT NULL
        )""",
    ),
)
"""What makes each version of the schema from the one before. Never changed, only added to."""


@contextlib.contextmanager
def opened(folder: Path, *, write: bool) -> Iterator[sqlite3.Connection | None]:
    """The record in `folder`, inside one transaction; None when only reading and there is none.

    The schema is brought up to date first. What the block did counts as a whole or not at all.
    Raises RecordError when the file cannot be read or written, is damaged or of a later grader.
    """
    file = folder / FILE
    if not write and not _exists(file):
        yield None
        return
    import sqlite3

    try:
        if write:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Without isolation_level the module begins no transactions of its own.
        connection = sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)
        with contextlib.closing(connection):
            _migrate(connection, file)
            with _transaction(connection, "IMMEDIATE" if write else "DEFERRED"):
                yield connection
    except sqlite3.OperationalError as error:
        raise RecordError(f"{file}: {error}", fix=_fix(str(error), folder)) from error
    except sqlite3.DatabaseError as error:
        aside = f"mv {shlex.quote(str(file))} {shlex.quote(f'{file}.damaged')}"
        raise RecordError(f"{file} is damaged: {error}", fix=f"put it aside: {aside}") from error
    except OSError as error:
        raise _unusable(error, folder) from error


def _exists(file: Path) -> bool:
    try:
        file.stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _unusable(error, file.parent) from error
    return True


def _unusable(error: OSError, folder: Path) -> RecordError:
    return RecordError(f"{error.filename or folder}: {error.strerror}", fix=_fix("", folder))


def _fix(message: str, folder: Path) -> str:
    if "locked" in message:
        return "another grader is writing; try again when it has ended"
    return f"make {folder} a folder that you can write, or name another: GRADER_DATA_DIR=FOLDER"


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection, kind: str) -> Iterator[None]:
    connection.execute(f"BEGIN {kind}")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # SQLite itself rolls some errors back
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _migrate(connection: sqlite3.Connection, file: Path) -> None:
    """Bring the schema to the last version. Of two processes that try, the second finds it done."""
    if _version(connection, file) == len(MIGRATIONS):
        return
    with _transaction(connection, "IMMEDIATE"):
        for migration in MIGRATIONS[_version(connection, file) :]:
            for statement in migration:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _version(connection: sqlite3.Connection, file: Path) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if not 0 <= version <= len(MIGRATIONS):
        raise RecordError(f"{file} was written by a later grader", fix="update grader")
    return version
