"""Zip archives, read under a bound."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from functools import partial
from typing import IO

from grader.workspace.collect import MOST_ENTRIES, Collector
from grader.workspace.entries import Damaged, Entry, Kind, normal_name

_UNIX = 3
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_UTF8 = 0x800
# bzip2 and lzma unpack a whole block at once, however large: they cannot be bounded from outside
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DIRECTORY_BYTES = 4 * 1024 * 1024
# what zipfile raises on bytes that are no zip: it is a parser, not a validator
_FAILURES = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    ArithmeticError,
    TypeError,
)


class _Source(io.BytesIO):
    """The archive's bytes; the list of names is read at once, so its size is bounded here."""

    def read(self, number: int | None = -1, /) -> bytes:
        if number is not None and number > _DIRECTORY_BYTES:
            raise Damaged(f"the archive holds more than {MOST_ENTRIES} names")
        return super().read(number)


class ZipReader:
    """A zip archive held in memory."""

    def __init__(self, content: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(_Source(content))
        except _FAILURES as error:
            raise _damage(error) from None

    def entries(self) -> list[Entry]:
        """What the archive holds. Raises Damaged when it needs a password."""
        infos = self._zip.infolist()
        if any(info.flag_bits & _ENCRYPTED for info in infos):
            raise Damaged(
                "the archive is protected by a password", "make it again without a password"
            )
        return [_entry(info) for info in infos]

    def read(self, wanted: Mapping[int, str], collector: Collector) -> None:
        """Give these entries to the collector under these names. Raises Damaged."""
        infos = self._zip.infolist()
        for number, path in wanted.items():
            info = infos[number]
            try:
                with self._zip.open(info) as file:
                    executable = _entry(info).executable
                    collector.take(path, partial(_exactly, file), executable=executable)
            except _FAILURES as error:
                raise _damage(error) from None


def _exactly(file: IO[bytes], number: int) -> bytes:
    """Up to `number` bytes in small steps: the size the archive declares is never trusted."""
    steps = io.BytesIO()
    while steps.tell() < number:
        step = file.read(min(65_536, number - steps.tell()))
        if not step:
            break
        steps.write(step)
    return steps.getvalue()


def _entry(info: zipfile.ZipInfo) -> Entry:
    name = _name(info)
    mode = info.external_attr >> 16 if info.create_system == _UNIX else 0
    kind = _kind(mode, folder=name.endswith("/"))
    trouble = ""
    if info.compress_type not in _METHODS:
        trouble = "is packed with a method other than deflate"
    return Entry(normal_name(name), kind, bool(mode & 0o111), trouble)


def _kind(mode: int, *, folder: bool) -> Kind:
    if stat.S_ISLNK(mode):
        return Kind.SYMLINK
    if folder or stat.S_ISDIR(mode):
        return Kind.FOLDER
    return Kind.FILE if stat.S_IFMT(mode) in (0, stat.S_IFREG) else Kind.OTHER


def _name(info: zipfile.ZipInfo) -> str:
    """The name as its maker wrote it: macOS writes UTF-8 without saying so."""
    name = info.orig_filename
    if info.flag_bits & _UTF8:
        return name
    try:
        return name.encode("cp437").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return name


def _damage(error: Exception) -> Damaged:
    if isinstance(error, zipfile.BadZipFile) and "not a zip" in str(error):
        return Damaged("the file is not a zip archive, or it is cut short")
    return Damaged("the archive is cut short or damaged")
