"""What archives of every kind have in common."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO

from grader.workspace.collect import size


class Kind(Enum):
    """What an entry of an archive is."""

    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symbolic link"
    HARDLINK = "hard link"
    OTHER = "special file"


@dataclass(frozen=True)
class Entry:
    """One entry, not yet read. `trouble` says why its content cannot be read, if so."""

    name: str
    kind: Kind
    executable: bool = False
    trouble: str = ""


class Damaged(Exception):
    """The archive as a whole cannot be used; the text is one sentence for the learner."""

    def __init__(self, message: str, fix: str = "make the archive again") -> None:
        super().__init__(message)
        self.fix = fix


def normal_name(name: str) -> str:
    """Without `./`, doubled and trailing slashes. `..` and a leading slash stay, to be refused."""
    steps = [step for step in name.split("/") if step not in ("", ".")]
    return ("/" if name.startswith("/") else "") + "/".join(steps)


class Counted(io.RawIOBase):
    """A stream that ends the reading when more bytes, or more time, went by than any submission
    needs. One large read is served in the bounds of `most`, so it cannot fill the memory.
    """

    def __init__(self, source: BinaryIO, most: int, seconds: float) -> None:
        self._source = source
        self._most = most
        self._left = most
        self._end = time.monotonic() + seconds

    def read(self, number: int = -1) -> bytes:
        """Up to `number` bytes. Raises Damaged past a bound."""
        if time.monotonic() > self._end:
            raise Damaged("the archive takes too long to read")
        wanted = self._left + 1 if number < 0 else min(number, self._left + 1)
        content = self._source.read(wanted)
        self._left -= len(content)
        if self._left < 0:
            raise Damaged(f"the archive unpacks to more than {size(self._most)}", "hand in less")
        return content
