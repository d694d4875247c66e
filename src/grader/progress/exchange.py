"""The record as text: one entry a line, so that files of several machines can be put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from grader.errors import UsageError
from grader.progress.entries import Entry

LONGEST = 1024 * 1024
"""Bytes of one line."""
YEARS = range(1970, 3000)
"""What a clock can have said; others have no local time on every system."""

_DECODER: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)


def to_lines(entries: Iterable[Entry]) -> bytes:
    """The entries as JSON lines in UTF-8."""
    return b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)


def read_lines(path: Path) -> list[Entry]:
    """The entries in a file of JSON lines; empty lines are none.

    Raises UsageError when it cannot be read, and for the first line that is no entry.
    """
    try:
        with path.open("rb") as file:
            return [
                _entry(line, f"{path}:{number}")
                for number, line in enumerate(_lines(file), start=1)
                if line.strip()
            ]
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", fix="name a file of grader export"
        ) from None


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Its lines, of a longer one only the start; without the mark that some editors begin with."""
    for number, line in enumerate(iter(lambda: file.readline(LONGEST + 1), b"")):
        yield line if number else line.removeprefix(b"\xef\xbb\xbf")


def _entry(line: bytes, where: str) -> Entry:
    try:
        if len(line) > LONGEST:
            raise ValueError(f"longer than {LONGEST} bytes")
        entry = _DECODER.decode(line)
        if entry.time.year not in YEARS:
            raise ValueError(f"the year is {entry.time.year}")
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise UsageError(
            f"{where}: is no entry of a record: {error}; nothing was imported",
            fix="mend or remove the line; if a later grader wrote it, update grader",
        ) from None
    return entry
