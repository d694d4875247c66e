"""What is put into the learner's record, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from pathlib import Path

import msgspec

from grader.errors import RecordError
from grader.model.report import Status
from grader.progress.database import FILE, opened
from grader.progress.entries import Attempt, Entry

_DECODER: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)


class Record:
    """The record in one folder. Every method raises RecordError when the file cannot be used."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, *entries: Entry, folder: Path | None = None) -> int:
        """Put entries in, all or none; how many were not there yet.

        `folder` is the workspace in which the first one happened.
        """
        rows = [_row(entry) for entry in entries]
        with opened(self._folder, write=True) as database:
            assert database is not None
            before = database.total_changes
            database.executemany(
                "INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows
            )
            new = database.total_changes - before
            if folder is not None:
                place = (entries[0].exercise, str(folder))
                database.execute("INSERT OR REPLACE INTO workspaces VALUES (?, ?)", place)
            return new

    def entries(self, exercise: str | None = None) -> list[Entry]:
        """Everything that happened, or what happened with one exercise, the oldest first."""
        where, values = ("", ()) if exercise is None else ("WHERE exercise = ?", (exercise,))
        with opened(self._folder, write=False) as database:
            if database is None:
                return []
            rows = database.execute(
                f"SELECT body FROM entries {where} ORDER BY time, id",  # noqa: S608  # one of two
                values,
            ).fetchall()
        try:
            return [_DECODER.decode(body) for (body,) in rows]
        except msgspec.DecodeError as error:
            raise RecordError(
                f"{self._folder / FILE}: an entry cannot be understood: {error}",
                fix="update grader, if a later one wrote it",
            ) from None

    def workspaces(self) -> dict[str, Path]:
        """Exercise -> the folder in which the learner was last seen working on it."""
        with opened(self._folder, write=False) as database:
            if database is None:
                return {}
            found: Iterable[tuple[str, str]] = database.execute(
                "SELECT exercise, folder FROM workspaces"
            ).fetchall()
        return {exercise: Path(folder) for exercise, folder in found}


def _row(entry: Entry) -> tuple[object, ...]:
    whole = isinstance(entry, Attempt) and not entry.partial
    return (
        entry.id,
        entry.__struct_config__.tag,
        entry.exercise,
        entry.version,
        # In one form, so that the order of texts is the order of times.
        entry.time.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.score if isinstance(entry, Attempt) and whole else None,
        int(isinstance(entry, Attempt) and whole and entry.status is Status.PASSED),
        _body(entry),
    )


def _body(entry: Entry) -> str:
    """The entry as JSON. What could not be read back is not written."""
    try:
        body = msgspec.json.encode(entry)
        _DECODER.decode(body)
    except (ValueError, OverflowError) as error:  # msgspec's errors are ValueErrors
        raise RecordError(f"an entry does not fit into the record: {error}") from None
    return body.decode()
