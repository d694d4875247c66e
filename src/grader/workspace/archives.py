"""Reads a submission from a .zip or .tar(.gz) without unpacking it anywhere.

The archive is hostile until proved otherwise: bytes are counted as they come out, whatever sizes
it declares; only plain files are read; names that lead out are refused; and whatever its parsers
stumble over becomes one sentence for the learner.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

from grader.errors import UsageError
from grader.workspace.collect import MOST_ENTRIES, Collector, size
from grader.workspace.entries import Damaged, Entry, Kind, normal_name
from grader.workspace.names import escape_problem
from grader.workspace.tars import TarReader
from grader.workspace.zips import ZipReader

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
LARGEST = 64 * 1024 * 1024
"""Bytes of the archive file itself, at most."""
LONGEST_PATH = 4096
"""Characters of a name with its folders, at most; Linux takes no longer path."""
_COPY = "put the file itself into the archive"


class Reader(Protocol):
    """An archive of one kind. Both methods raise Damaged."""

    def entries(self) -> list[Entry]:
        """What the archive holds, in its order."""

    def read(self, wanted: Mapping[int, str], collector: Collector) -> None:
        """Give the content of the entries with these numbers to the collector, as these names."""


def is_archive(path: Path) -> bool:
    """Whether the name ends like an archive that can be read."""
    return path.name.lower().endswith(SUFFIXES)


def read_archive(path: Path, collector: Collector) -> list[str]:
    """Give everything wanted in the archive to the collector; the names in it, for hints.

    Raises UsageError when the file cannot be read.
    """
    return _read(lambda: _reader(_content(path), path.name.lower()), collector)


def read_stream(stream: BinaryIO, collector: Collector) -> list[str]:
    """The same for an archive without a name, as it comes in; its first bytes tell its kind.

    Raises UsageError when the stream cannot be read.
    """
    try:
        content = stream.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"standard input cannot be read: {error.strerror}") from None
    kinds = ((b"PK", ".zip"), (b"\x1f\x8b", ".tgz"))
    kind = next((name for magic, name in kinds if content.startswith(magic)), ".tar")
    return _read(lambda: _reader(content, kind), collector)


def _read(opened: Callable[[], Reader], collector: Collector) -> list[str]:
    try:
        reader = opened()
        entries = reader.entries()
        if len(entries) > MOST_ENTRIES:
            raise Damaged(f"the archive holds more than {MOST_ENTRIES} names")
        if any(len(entry.name) > LONGEST_PATH for entry in entries):
            raise Damaged(f"the archive has a name of more than {LONGEST_PATH} characters")
        top = _wrapper(entries, collector)
        names = [entry.name.removeprefix(top) for entry in entries if entry.kind is not Kind.FOLDER]
        reader.read(_plan(entries, top, collector), collector)
    except Damaged as damage:
        collector.refuse_all(str(damage), damage.fix)
        return []
    return names


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise UsageError(f"{path} is not a file")
            return file.read(min(found.st_size, LARGEST) + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None


def _reader(content: bytes, name: str) -> Reader:
    if len(content) > LARGEST:
        raise Damaged(f"the archive is larger than {size(LARGEST)}", "hand in less")
    if not content:
        raise Damaged("the archive is empty: 0 bytes", "make it again")
    if name.endswith(".zip"):
        return ZipReader(content)
    return TarReader(content, compressed=not name.endswith(".tar"))


def _wrapper(entries: Iterable[Entry], collector: Collector) -> str:
    """The one top-level folder around everything, with its slash; empty when there is none.

    It is stripped only when the rules match nothing without stripping.
    """
    top = ""
    for entry in entries:
        first, slash, _ = entry.name.partition("/")
        if first == "__MACOSX" or escape_problem(entry.name):
            continue
        if entry.kind is not Kind.FOLDER and (not slash or collector.wants(entry.name)):
            return ""
        if top and first != top:
            return ""
        top = first
    return f"{top}/" if top else ""


def _plan(entries: list[Entry], top: str, collector: Collector) -> dict[int, str]:
    """Entry number -> name for the files to read; everything else wanted is refused or kept."""
    plan: dict[int, str] = {}
    folders: set[str] = set()
    for number, entry in enumerate(entries):
        wrong = escape_problem(entry.name)
        if wrong:
            collector.refuse(entry.name, wrong, "make the archive inside the folder")
            continue
        path = normal_name(entry.name.removeprefix(top))
        wanted = collector.wants(path) if path else False
        if entry.kind is Kind.FOLDER:
            folders.update([path] if wanted else [])
        elif entry.kind in (Kind.SYMLINK, Kind.HARDLINK):
            if wanted or (path and collector.may_contain(path)):
                collector.refuse(path, f"is a {entry.kind.value}", _COPY)
        elif wanted and entry.kind is Kind.OTHER:
            collector.refuse(path, "is a device, a pipe or a sparse file, not a plain file")
        elif wanted and entry.trouble:
            collector.refuse(path, entry.trouble, "make the archive again, as a plain zip")
        elif wanted:
            plan[number] = path
    filled = {above for entry in entries for above in _above(entry.name.removeprefix(top))}
    for folder in sorted(folders - filled):
        collector.take_folder(folder)
    return plan


def _above(name: str) -> Iterator[str]:
    """The folders that a name lies in."""
    folder = name.rpartition("/")[0]
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
