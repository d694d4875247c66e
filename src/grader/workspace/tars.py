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
_MEMBER = b"\x1f\x8b\x08"
_MOST_MEMBERS = 1000
"""gzip files in one: empty ones by the million take long, and no bound on bytes meets them."""
_CUT = "the archive is cut short or damaged"
_SPARSE = "the archive holds a sparse file"
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
_LARGEST_HEADER = 64 * 1024
"""Bytes of one entry's header with all that extends it; tarfile keeps the whole of it."""
_MOST_EXTENDED = 8 * 1024 * 1024
"""Bytes of all headers that extend others, in one archive."""
_ABSURD = "the archive has a name or attribute of absurd length"
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

    extended = 0
    """Bytes of extended headers so far: each reading has a class of its own."""
    shared = 0
    """The same, of those that count for all entries behind them."""

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
        if header.size < 0:
            raise Damaged(_CUT)
        if header.type == tarfile.GNUTYPE_SPARSE:
            raise Damaged(_SPARSE, "make the archive again, as a plain tar")
        if header.type in _EXTENDED:
            cls.extended += header.size
            cls.shared += header.size if header.type == tarfile.XGLTYPE else 0
            if max(header.size, cls.shared) > _LARGEST_HEADER or cls.extended > _MOST_EXTENDED:
                raise Damaged(_ABSURD)
        return header

    def _proc_gnusparse_00(self, *_: object) -> None:
        raise Damaged(_SPARSE, "make the archive again, as a plain tar")

    # the maps of sparse files have no bound of their own, and tarfile reads them whole
    _proc_gnusparse_01 = _proc_gnusparse_10 = _proc_gnusparse_00


class TarReader:
    """A tar archive held in memory, unpacked again for each pass."""

    def __init__(self, content: bytes, *, compressed: bool) -> None:
        if compressed and content.count(_MEMBER) > _MOST_MEMBERS:
            raise Damaged("the archive is put together of too many parts")
        self._content = content
        self._compressed = compressed

    def entries(self) -> list[Entry]:
        """What the archive holds. Raises Damaged, also for more names than allowed."""
        found: list[Entry] = []
        with self._members() as members:
            for member in _one_by_one(members):
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
            for number, member in enumerate(_one_by_one(members)):
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
                tarinfo=type("_Header", (_Header,), {}),
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


def _one_by_one(members: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Every entry, and none kept: each may hold attributes of many kilobytes."""
    while (member := members.next()) is not None:
        members.members = []  # type: ignore[attr-defined]  # public, but unknown to type checkers
        yield member


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
