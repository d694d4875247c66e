"""Archives that somebody made to do harm: a Submission or a SubmissionError, in bounds."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import warnings
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import SubmissionError, UsageError
from grader.model.exercise import Limits, SubmitRule
from grader.workspace import snapshot
from tests.fuzz.harness import MIB, bounded, fuzz, mutated, watched

RULES = [SubmitRule(path="**/*.py"), SubmitRule(path="c", optional=True), SubmitRule(path="out/**")]
LIMITS = Limits(files=20, submission=64 * 1024)
NAMES = [
    "a.py",
    "A.py",
    "src/b.py",
    "../a.py",
    "/a.py",
    "a.py/c.py",
    "C:a.py",
    "out/",
    "out/x/",
    "c",
]
ODD = st.text(alphabet="a./\\:\u00e9e\u0301\n\0 PY~\udcff\u202e", min_size=1, max_size=12)


def zip_of(entries: list[tuple[str, bytes, int, int]]) -> bytes:
    """Entries are name, content, Unix mode and compression."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", strict_timestamps=False) as archive:
        for name, content, mode, method in entries:
            info = zipfile.ZipInfo("a")
            info.filename = info.orig_filename = name.encode("utf-8", "replace").decode()
            info.external_attr, info.create_system = mode << 16, 3
            info.compress_type = method
            with warnings.catch_warnings(action="ignore"):
                archive.writestr(info, content)
    return buffer.getvalue()


def header(name: str, size: int = 0, kind: bytes = b"0", **values: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in {"size": size, **values}.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.GNU_FORMAT, errors="surrogateescape")


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def record(key: bytes, value: bytes) -> bytes:
    """One attribute of an extended header (POSIX pax)."""
    body = len(key) + len(value) + 3
    length = body + len(str(body))
    return b"%d %s=%s\n" % (length + (len(str(length)) != len(str(body))), key, value)


def extended(*records: bytes, kind: bytes = b"x") -> bytes:
    body = b"".join(records)
    return header("p", len(body), kind) + padded(body)


GOOD_ZIPS = (
    zip_of([("a.py", b"x = 1\n" * 40, 0o100644, 8), ("src/b.py", b"", 0o100755, 0)]),
    zip_of([("out/", b"", 0o40755, 0), ("a.py", b"x", 0o100644, 8), ("c", b"\0" * 700, 0, 0)]),
    zip_of([("w/a.py", b"x", 0o120777, 0), ("a.py", b"y", 0o100644, 12), ("a.py", b"y", 0, 14)]),
)
SPARSE = [(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.name", b"q")]
GOOD_TARS = (
    header("a.py", 5) + padded(b"x = 1") + header("src", 0, b"5") + bytes(1024),
    header("L", 300, b"L")
    + padded(b"d/" * 148 + b"a.py")
    + header("x", 1)
    + padded(b"x")
    + bytes(1024),
    extended(record(b"path", b"a.py"), record(b"size", b"3"))
    + header("x")
    + padded(b"abc")
    + bytes(1024),
    extended(*(record(*pair) for pair in SPARSE))
    + header("s", 9)
    + padded(b"1\n0\n1\n")
    + bytes(1024),
    extended(record(b"comment", b"x"), kind=b"g")
    + header("a.py")
    + header("l", 0, b"2")
    + bytes(1024),
    header("a.py", 0, b"S") + header("d", 0, b"3") + header("f", 0, b"6") + bytes(1024),
)
ZIP64 = struct.pack("<HHQQQ", 1, 24, 2**40, 2**40, 2**40)
HARD_ZIP = (
    *(
        b"PK\1\2",
        b"PK\3\4",
        b"PK\5\6",
        b"PK\6\6",
        b"PK\6\7",
        b"\xff\xff",
        b"\xff\xff\xff\xff",
        ZIP64,
    ),
    *(b"\0\0\0\0", b"../", b"\x08\x00", b"\x09\x00", b"\x01\x00\x14\x00"),
)
HARD_TAR = (
    *(
        b"\x80" + bytes(11),
        b"\xff" * 12,
        b"77777777777\0",
        b"-0000000001\0",
        b"ustar  \0",
        b"ustar\00000",
    ),
    *(
        record(b"size", b"-512"),
        record(b"size", b"9" * 30),
        record(b"path", b"../a.py"),
        b"0 a=b\n",
    ),
    *(
        b"99999999999999999999 a=b\n",
        record(b"GNU.sparse.map", b"0,1,2"),
        b"x",
        b"g",
        b"L",
        b"S",
        b"1\n",
    ),
    *(
        record(b"hdrcharset", b"BINARY"),
        record(b"path", b"\xff.py"),
        record(b"mtime", b"nan"),
        bytes(512),
    ),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds one archive at a time, and never anything else."""
    return tmp_path_factory.mktemp("archives")


def read_or_refused(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.write_bytes(content)
    try:
        with watched(content):
            found = snapshot(path, RULES, LIMITS)
        assert sum(len(file.content) for file in found.files) <= LIMITS.submission
        assert len(found.files) <= LIMITS.files
        for file in found.files:
            assert ".." not in file.path.split("/")
            assert file.path[0] != "/"
            assert file.path.encode()
        assert found.digest
    except SubmissionError as error:
        refused_well(error)
    assert [one.name for one in folder.iterdir()] == [name]
    path.unlink()


def refused_well(error: SubmissionError) -> None:
    """Some problems, each on a line that can be printed."""
    assert 0 < len(error.problems) <= 50
    assert all(str(problem).isprintable() for problem in error.problems)


@fuzz
@given(mutated(*GOOD_ZIPS, also=HARD_ZIP))
def test_damaged_zips(folder: Path, content: bytes) -> None:
    """Flipped, cut, spliced, with sizes that lie."""
    read_or_refused(folder, "a.zip", content)


@fuzz
@given(mutated(*GOOD_TARS, *GOOD_ZIPS, also=HARD_TAR), st.booleans())
def test_damaged_tars(folder: Path, content: bytes, compressed: bool) -> None:
    """The same, and headers that extend headers; inside good gzip, too."""
    if compressed:
        read_or_refused(folder, "a.tgz", gzip.compress(content, 1))
    else:
        read_or_refused(folder, "a.tar", content)


def checksum(block: bytes) -> bytes:
    """The block with a checksum that fits, so that what it says is looked at."""
    spaces = block[:148] + b" " * 8 + block[156:]
    return block[:148] + b"%06o\0 " % sum(spaces) + block[156:]


@fuzz
@given(
    st.lists(
        st.tuples(
            st.sampled_from(GOOD_TARS),
            st.lists(
                st.tuples(
                    st.integers(0, 511), st.binary(max_size=12) | st.sampled_from(HARD_TAR[:6])
                ),
                max_size=4,
            ),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_tars_with_headers_that_lie(
    folder: Path, parts: list[tuple[bytes, list[tuple[int, bytes]]]]
) -> None:
    """Damage under a right checksum: sizes, kinds and names of any bytes."""
    content = b""
    for good, edits in parts:
        block = good[:512]
        for place, new in edits:
            block = (block[:place] + new + block[place + len(new) :])[:512]
        content += checksum(block) + good[512:-1024]
    read_or_refused(folder, "a.tar", content + bytes(1024))


@fuzz
@given(
    mutated(
        *(gzip.compress(tar, 1) for tar in GOOD_TARS), also=(b"\x1f\x8b\x08", b"\x04", b"\x03\0")
    )
)
def test_damaged_gzip(folder: Path, content: bytes) -> None:
    """The compression itself is broken, doubled or cut."""
    read_or_refused(folder, "a.tar.gz", content)


ENTRY = st.tuples(
    st.sampled_from(NAMES) | ODD,
    st.binary(max_size=40) | st.sampled_from([bytes(70_000), b"PK\5\6" + bytes(18)]),
    st.sampled_from([0, 0o100644, 0o100755, 0o120777, 0o40755, 0o20666, 0o10666, 0o140777]),
    st.sampled_from([0, 8, 12, 14]),
)


@fuzz
@given(st.lists(ENTRY, max_size=8), st.booleans())
def test_zips_of_odd_entries(
    folder: Path, entries: list[tuple[str, bytes, int, int]], wrapped: bool
) -> None:
    """Clashing names, links, devices, archives in archives, more than fits."""
    content = zip_of(entries)
    read_or_refused(folder, "a.zip", zip_of([("b.zip", content, 0, 0)]) if wrapped else content)


@fuzz
@given(
    st.lists(
        st.tuples(
            st.sampled_from(NAMES) | ODD.map(lambda name: name.replace("\0", "") or "a"),
            st.binary(max_size=40),
            st.sampled_from(
                [b"0", b"\0", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"S", b"D", b"V"]
            ),
        ),
        max_size=8,
    )
)
def test_tars_of_odd_entries(folder: Path, entries: list[tuple[str, bytes, bytes]]) -> None:
    """The same in a tar, with every kind of entry there is."""
    content = b"".join(header(n, len(c), kind) + padded(c) for n, c, kind in entries)
    read_or_refused(folder, "a.tar", content + bytes(1024))


def many_headers() -> bytes:
    one = extended(*(record(b"%x" % number, b"") for number in range(90_000))) + header("a.py")
    return gzip.compress(one * 5, 1)


def shared_headers() -> bytes:
    parts = (
        extended(*(record(b"%x.%x" % (part, n), b"") for n in range(3000)), kind=b"g")
        + header("a.py")
        for part in range(30)
    )
    return gzip.compress(b"".join(parts), 1)


def long_names() -> bytes:
    one = header("L", 60_000, b"L") + padded(b"a/" * 30_000) + header("x")
    return gzip.compress(one * 60 + bytes(1024), 1)


def sparse_map() -> bytes:
    start = extended(*(record(*pair) for pair in SPARSE), record(b"GNU.sparse.realsize", b"1"))
    return gzip.compress(start + header("s", 2**30) + b"99999999\n" + b"1\n" * 20 * MIB, 1)


def old_sparse() -> bytes:
    block = bytearray(header("s", 0, b"S"))
    block[482] = 1
    more = (b"00000000001\0" * 2) * 21 + b"\1" + bytes(7)
    return gzip.compress(checksum(bytes(block)) + more * 100_000, 1)


def empty_parts() -> bytes:
    return gzip.compress(b"") * 400_000


def empty_folders() -> bytes:
    return zip_of([("q.py", b"", 0, 0), *((f"out/{n}/", b"", 0o40755, 0) for n in range(6000))])


def near_names() -> bytes:
    return zip_of([(f"wanted{n}.txt", b"", 0, 0) for n in range(6000)])


def quine() -> bytes:
    """Many names for one place in the file."""
    good = zip_of([("a0000.py", bytes(60_000), 0o100644, 8)])
    local, _, rest = good.partition(b"PK\1\2")
    central, _, _ = rest.partition(b"PK\5\6")
    entries = b"".join(
        b"PK\1\2" + central.replace(b"a0000.py", b"a%04d.py" % number) for number in range(5000)
    )
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 5000, 5000, len(entries), len(local), 0)
    return local + entries + end


def deflate_bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(packer.compress(bytes(MIB)) for _ in range(80)) + packer.flush()
    good = zip_of([("a.py", b"x", 0o100644, 0)])
    place = good.index(b"PK\1\2")
    sizes = struct.pack("<HHH", 8, 0, 0) + bytes(4) + struct.pack("<II", len(packed), 10)
    local = good[:8] + sizes + good[26 : place - 1] + packed
    central = good[place : place + 10] + sizes + good[place + 28 : good.index(b"PK\5\6")]
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("a.tgz", many_headers, "absurd length"),
        ("a.tgz", shared_headers, "absurd length"),
        ("a.tgz", long_names, "more than 4096 characters"),
        ("a.tgz", sparse_map, "holds a sparse file"),
        ("a.tgz", old_sparse, "holds a sparse file"),
        ("a.tgz", empty_parts, "too many parts"),
        ("a.zip", empty_folders, "is one file more than 20"),
        ("a.zip", near_names, "no file matches this pattern"),
        ("a.zip", quine, "cut short or damaged"),
        ("a.zip", deflate_bomb, "cut short or damaged"),
        ("a.tar", lambda: header("a.py", -512) + bytes(1024), "cut short or damaged"),
        (
            "a.tar",
            lambda: extended(record(b"size", b"-512")) + header("a.py") * 3 + bytes(1024),
            "cut short or damaged",
        ),
    ],
)
def test_built_to_do_harm(folder: Path, name: str, make: object, message: str) -> None:
    """Small files that once took half a minute, or most of a gigabyte."""
    assert callable(make)
    content: bytes = make()
    path = folder / name
    path.write_bytes(content)
    with bounded(80 * MIB), watched(name), pytest.raises(SubmissionError) as raised:
        snapshot(path, RULES, LIMITS)
    path.unlink()
    assert any(message in problem.message for problem in raised.value.problems), (
        raised.value.problems
    )


@pytest.mark.parametrize("name", ["a" * 300, "a\0b", "x/" * 3000 + "a.zip"])
def test_a_name_that_no_file_can_have(name: str) -> None:
    """It is said not to exist."""
    with pytest.raises(UsageError, match="does not exist"):
        snapshot(Path(name), RULES, LIMITS)
