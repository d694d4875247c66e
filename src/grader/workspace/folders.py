"""Reads a submission from a live folder, without ever following a link.

The learner's programs may still be running: every folder is opened relative to the one above it
and every file without following links, so a name swapped for a link in between is refused.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.workspace.collect import HINT_NAMES, MOST_ENTRIES, SKIPPED, Collector
from grader.workspace.names import DEEPEST, escape_problem

_RELATIVE = os.open in os.supports_dir_fd and os.scandir in os.supports_fd
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_DIRECTORY = getattr(os, "O_DIRECTORY", 0)
# a pipe put in a file's place must not block the open
_PLAIN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_COPY = "copy the file itself into the folder"


def read_folder(folder: Path, collector: Collector) -> None:
    """Give everything wanted in `folder` to the collector. Raises UsageError if unreadable."""
    try:
        place = _Place.root(folder)
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror}") from None
    with place:
        try:
            _Walk(collector).folder(place, "")
        except _TooManyNames:
            collector.refuse_all(
                f"the folder holds more than {MOST_ENTRIES} names", "remove what does not belong"
            )


def present_names(folder: Path) -> Iterator[str]:
    """Names of files below `folder`, a bounded number of them, for hints."""
    count = 0
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        for name in sorted(files):
            yield (Path(parent) / name).relative_to(folder).as_posix()
            count += 1
            if count == HINT_NAMES:
                return


@dataclass(frozen=True)
class _Place:
    """An open folder; `descriptor` is None where the system cannot open relative to one."""

    descriptor: int | None
    path: Path

    @classmethod
    def root(cls, path: Path) -> _Place:
        return cls(os.open(path, os.O_RDONLY | _DIRECTORY) if _RELATIVE else None, path)

    def __enter__(self) -> _Place:
        return self

    def __exit__(self, *_: object) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)

    def entries(self) -> Iterator[os.DirEntry[str]]:
        with os.scandir(self.path if self.descriptor is None else self.descriptor) as found:
            yield from found

    def inside(self, name: str) -> _Place:
        if self.descriptor is None:
            return _Place(None, self.path / name)
        flags = os.O_RDONLY | _DIRECTORY | _NOFOLLOW
        return _Place(os.open(name, flags, dir_fd=self.descriptor), self.path / name)

    def open(self, name: str) -> int:
        if self.descriptor is None:
            return os.open(self.path / name, _PLAIN | _NOFOLLOW)
        return os.open(name, _PLAIN | _NOFOLLOW, dir_fd=self.descriptor)


class _Walk:
    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._seen = 0

    def folder(self, place: _Place, prefix: str) -> bool:
        """Read one folder; whether it holds anything at all."""
        entries: list[os.DirEntry[str]] = []
        for entry in place.entries():
            self._seen += 1
            if self._seen > MOST_ENTRIES:
                raise _TooManyNames
            entries.append(entry)
        for entry in sorted(entries, key=lambda item: item.name):
            path = prefix + entry.name
            try:
                self._entry(place, entry, path)
            except FileNotFoundError:
                continue  # removed in between: as if it had never been there
            except OSError as error:
                self._collector.refuse(path, f"cannot be read: {error.strerror}")
        return bool(entries)

    def _entry(self, place: _Place, entry: os.DirEntry[str], path: str) -> None:
        collector = self._collector
        wanted, above = collector.wants(path), collector.may_contain(path)
        if not wanted and not above:
            return
        found = entry.stat(follow_symlinks=False)
        kind = _kind(found.st_mode)
        if kind == "symbolic link":
            collector.refuse(path, "is a symbolic link", _COPY)
        elif kind == "folder":
            self._subfolder(place, entry.name, path, wanted=wanted, above=above)
        elif wanted and (wrong := escape_problem(path)):
            collector.refuse(path, wrong, "rename it")
        elif wanted and kind:
            collector.refuse(path, f"is a {kind}, not a file")
        elif wanted and found.st_nlink > 1 and not collector.may_be_shared(path):
            collector.refuse(path, "is a hard link: it shares its content with another file", _COPY)
        elif wanted:
            self._file(place, entry.name, path, found)

    def _subfolder(self, place: _Place, name: str, path: str, *, wanted: bool, above: bool) -> None:
        if path.count("/") >= DEEPEST:
            self._collector.refuse(path, f"lies deeper than {DEEPEST} folders")
            return
        holds_any = True
        if above:
            with place.inside(name) as inner:
                holds_any = self.folder(inner, f"{path}/")
        elif wanted:
            with place.inside(name) as inner:
                holds_any = any(True for _ in inner.entries())
        if wanted and not holds_any:
            self._collector.take_folder(path)

    def _file(self, place: _Place, name: str, path: str, found: os.stat_result) -> None:
        descriptor = place.open(name)
        with os.fdopen(descriptor, "rb") as file:
            now = os.fstat(descriptor)
            same = (now.st_dev, now.st_ino) == (found.st_dev, found.st_ino)
            linked = now.st_nlink > 1 and not self._collector.may_be_shared(path)
            if not same or not stat.S_ISREG(now.st_mode) or linked:
                self._collector.refuse(path, "was changed while it was read", "try again")
                return
            self._collector.take(path, file.read, executable=bool(now.st_mode & 0o111))


class _TooManyNames(Exception):
    """More names than are looked at."""


def _kind(mode: int) -> str:
    """What a name is, in words; empty for a regular file."""
    if stat.S_ISREG(mode):
        return ""
    for test, name in (
        (stat.S_ISLNK, "symbolic link"),
        (stat.S_ISDIR, "folder"),
        (stat.S_ISFIFO, "named pipe"),
        (stat.S_ISSOCK, "socket"),
    ):
        if test(mode):
            return name
    return "device"
