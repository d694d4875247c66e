"""Tar archives, plain or gzip-compressed, read as a stream under a bound."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO, cast

from grader.workspace.collect import MOST_ENTRIES, Collector
from grader.workspace.entries import Counted, Damaged, Entry, Kind, normal_name

MOST_BYTES = 128 * 1024 * 1024
"""Bytes that may come out of one archive, also of files nobody asked for."""
_SECONDS = 30.0
_CUT = "the archive is cut short or damaged"
_HEADER_ERROR = tarfile.HeaderError
_END: type[Exception] = vars(tarfile)["EOFHeaderError"]  # public, but unknown to type checkers
# headers whose content tarfile reads at once, at the size they declare
_EXTENDED = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
_EXTENDED_BYTES = 1024 * 1024
# what tarfile and gzip raise on bytes that are no archive
_FAILURES = (
    tarfile.TarError,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    ArithmeticError,
    TypeError,
    AttributeError,
)


class _Header(tarfile.TarInfo):
    """Stricter than tarfile, which takes a broken header for the end of the archive."""

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> _Header:
        try:
            return super().fromtarfile(tarfile)
        except _HEADER_ERROR as error:
            if isinstance(error, _END):
                raise
            raise Damaged(_CUT) from None

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Header:
        header = super().frombuf(buf, encoding, errors)
        if header.type in _EXTENDED and header.size > _EXTENDED_BYTES:
            raise Damaged("the archive has a name or attribute of absurd length")
        return header


class TarReader:
    """A tar archive held in memory, unpacked again for each pass."""

    def __init__(self, content: bytes, *, compressed: bool) -> None:
        self._content = content
        self._compressed = compressed

    def entries(self) -> list[Entry]:
        """What the archive holds. Raises Damaged, also for more names than allowed."""
        found: list[Entry] = []
        with self._members() as members:
            for member in members:
                found.append(_entry(member))
                if len(found) > MOST_ENTRIES:
                    raise Damaged(f"the archive holds more than {MOST_ENTRIES} names")
        return found

    def read(self, wanted: Mapping[int, str], collector: Collector) -> None:
        """Give these entries to the collector under these names. Raises Damaged."""
        left = len(wanted)
        if not left:
            return
        with self._members() as members:
            for number, member in enumerate(members):
                if number not in wanted:
                    continue
                file = members.extractfile(member)
                if file is None:
                    raise Damaged(_CUT)
                executable = bool(member.mode & 0o111)
                collector.take(wanted[number], file.read, executable=executable)
                left -= 1
                if not left:
                    return

    @contextmanager
    def _members(self) -> Iterator[tarfile.TarFile]:
        source: BinaryIO = io.BytesIO(self._content)
        if self._compressed:
            source = cast(BinaryIO, gzip.GzipFile(fileobj=source, mode="rb"))
        counted = Counted(source, MOST_BYTES, _SECONDS)
        try:
            with tarfile.open(
                fileobj=counted,
                mode="r|",
                tarinfo=_Header,
                encoding="utf-8",
                errors="surrogateescape",
            ) as tar:
                yield tar
                while counted.read(65_536):  # to the end, where gzip keeps its checksum
                    pass
        except _FAILURES as error:
            raise self._damage(error) from None

    def _damage(self, error: Exception) -> Damaged:
        if isinstance(error, gzip.BadGzipFile) and "Not a gzipped file" in str(error):
            return Damaged("the file is not compressed with gzip, though its name says so")
        return Damaged(_CUT)


def _entry(member: tarfile.TarInfo) -> Entry:
    name = normal_name(member.name)
    if member.issym():
        return Entry(name, Kind.SYMLINK)
    if member.islnk():
        return Entry(name, Kind.HARDLINK)
    if member.isdir():
        return Entry(name, Kind.FOLDER)
    if not member.isreg() or member.issparse():
        return Entry(name, Kind.OTHER)
    return Entry(name, Kind.FILE, bool(member.mode & 0o111))
