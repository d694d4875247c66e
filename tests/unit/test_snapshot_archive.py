"""A submission from an archive: hostile bytes become a submission or one clear refusal."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import stat
import struct
import tarfile
import time
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.errors import SubmissionError, UsageError
from grader.model.exercise import Limits, SubmitRule
from grader.model.submission import Submission
from grader.workspace import archives, snapshot, snapshot_archive, tars
from grader.workspace.collect import MOST_ENTRIES

DAMAGED = "submission: the archive is cut short or damaged (make the archive again)"
NOT_GZIP = "the file is not compressed with gzip, though its name says so (make the archive again)"
Files = dict[str, bytes]


def zipped(files: Files, edit: Callable[[zipfile.ZipInfo], None] = lambda info: None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            edit(info)
            archive.writestr(info, content)
    return buffer.getvalue()


def tarred(files: Files, edit: Callable[[tarfile.TarInfo], None] = lambda info: None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            edit(info)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def targz(files: Files) -> bytes:
    return gzip.compress(tarred(files))


MAKERS: dict[str, Callable[[Files], bytes]] = {
    "a.zip": zipped,
    "a.tar": tarred,
    "a.tar.gz": targz,
    "a.tgz": targz,
    "A.ZIP": zipped,
}


def take(
    folder: Path, name: str, content: bytes, *patterns: str, limits: Limits | None = None
) -> Submission:
    path = folder / name
    path.write_bytes(content)
    rules = [SubmitRule(path=pattern) for pattern in patterns]
    return snapshot_archive(path, rules, limits or Limits())


def problems(
    folder: Path, name: str, content: bytes, *patterns: str, limits: Limits | None = None
) -> list[str]:
    with pytest.raises(SubmissionError) as raised:
        take(folder, name, content, *patterns, limits=limits)
    return [str(problem) for problem in raised.value.problems]


def names(submission: Submission) -> list[str]:
    return [file.path + ("/" if file.folder else "") for file in submission.files]


@pytest.mark.parametrize("name", MAKERS)
def test_archives_of_every_kind_are_read(tmp_path: Path, name: str) -> None:
    """Zip and tar give the same submission as the folder they were made of."""
    files = {"a.py": b"x = 1\n", "src/b.py": b"", "notes.txt": b"mine", ".grader.json": b"{}"}
    folder = tmp_path / "folder"
    (folder / "src").mkdir(parents=True)
    for file, content in files.items():
        (folder / file).write_bytes(content)
    rules = [SubmitRule(path="**/*.py")]
    (tmp_path / name).write_bytes(MAKERS[name](files))
    found = snapshot(tmp_path / name, rules, Limits())
    assert names(found) == ["a.py", "src/b.py"]
    assert found == snapshot(folder, rules, Limits())


@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
def test_one_folder_around_everything_is_stripped(tmp_path: Path, name: str) -> None:
    """People zip the folder, not its content; what macOS adds does not count."""
    files = {"mine/": b"", "mine/a.py": b"x", "__MACOSX/mine/._a.py": b"junk"}
    if name == "a.tar":
        files = {"./mine/a.py": b"x"}
    assert names(take(tmp_path, name, MAKERS[name](files), "a.py")) == ["a.py"]


def test_a_folder_that_the_rules_name_is_not_stripped(tmp_path: Path) -> None:
    """`src/a.py` is wanted as it is."""
    assert names(take(tmp_path, "a.zip", zipped({"src/a.py": b""}), "src/*.py")) == ["src/a.py"]


def test_two_folders_are_not_stripped(tmp_path: Path) -> None:
    """It is not clear which one is meant, so the missing file is named."""
    content = zipped({"one/a.py": b"", "two/a.py": b""})
    assert problems(tmp_path, "a.zip", content, "a.py") == [
        "a.py: the file is missing ('one/a.py' lies in another folder: move it)"
    ]


def test_hints_speak_of_names_without_the_wrapper(tmp_path: Path) -> None:
    """Inside the one top folder, the wrong case is pointed out as usual."""
    assert problems(tmp_path, "a.zip", zipped({"work/A.py": b""}), "a.py") == [
        "a.py: the file is missing ('A.py' differs in upper and lower case: rename it)"
    ]


@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
def test_empty_folders_and_exec_bits_are_kept(tmp_path: Path, name: str) -> None:
    """As from a folder, so from an archive."""
    if name == "a.zip":

        def mode(info: zipfile.ZipInfo) -> None:
            kind = stat.S_IFDIR if info.filename.endswith("/") else stat.S_IFREG
            info.external_attr = (kind | (0o755 if "run" in info.filename else 0o644)) << 16

        content = zipped({"out/empty/": b"", "out/run": b"", "out/plain": b""}, mode)
    else:

        def tar_mode(info: tarfile.TarInfo) -> None:
            info.mode = 0o755 if "run" in info.name else 0o644
            info.type = tarfile.DIRTYPE if "empty" in info.name else tarfile.REGTYPE

        content = tarred({"out/empty": b"", "out/run": b"", "out/plain": b""}, tar_mode)
    found = take(tmp_path, name, content, "out/**")
    assert names(found) == ["out/empty/", "out/plain", "out/run"]
    assert [file.executable for file in found.files] == [False, False, True]


@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
@pytest.mark.parametrize(
    ("evil", "message"),
    [
        ("../a.py", "../a.py: leads out of its folder with '..'"),
        ("src/../../a.py", "src/../../a.py: leads out of its folder with '..'"),
        ("/etc/a.py", "/etc/a.py: is an absolute name"),
        ("C:/a.py", "C:/a.py: begins with a drive letter"),
        ("src\\a.py", "src\\a.py: has a backslash in its name"),
    ],
)
def test_names_that_lead_out_are_refused(
    tmp_path: Path, name: str, evil: str, message: str
) -> None:
    """Also when nothing asks for them: such an archive is not an honest one."""
    content = MAKERS[name]({"a.py": b"", evil: b""})
    assert problems(tmp_path, name, content, "a.py") == [
        f"{message} (make the archive inside the folder)"
    ]


@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
def test_a_name_given_twice_is_refused(tmp_path: Path, name: str) -> None:
    """Which of the two would be graded is nobody's guess."""
    if name == "a.zip":
        content = zipped({"a.py": b"1", "./a.py": b"2"})
    else:
        content = tarred({"a.py": b"1", "./a.py": b"2"})
    assert problems(tmp_path, name, content, "*.py") == ["a.py: is there twice"]


@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
def test_names_that_clash_are_refused(tmp_path: Path, name: str) -> None:
    """By case, and as a file and a folder at once."""
    content = MAKERS[name]({"a.py": b"", "A.py": b"", "x.py": b"", "x.py/y.py": b""})
    assert problems(tmp_path, name, content, "**/*.py") == [
        "a.py: differs only in case or accents from 'A.py' "
        "(rename one: not every file system can hold both)",
        "x.py: is a file and a folder at once",
    ]


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    """A zip can hold links; they are found by their mode."""

    def link(info: zipfile.ZipInfo) -> None:
        info.external_attr = (stat.S_IFLNK | 0o777) << 16

    assert problems(tmp_path, "a.zip", zipped({"a.py": b"/etc/passwd"}, link), "a.py") == [
        "a.py: is a symbolic link (put the file itself into the archive)"
    ]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (tarfile.SYMTYPE, "is a symbolic link (put the file itself into the archive)"),
        (tarfile.LNKTYPE, "is a hard link (put the file itself into the archive)"),
        (tarfile.CHRTYPE, "is a device, a pipe or a sparse file, not a plain file"),
        (tarfile.FIFOTYPE, "is a device, a pipe or a sparse file, not a plain file"),
    ],
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, kind: bytes, message: str) -> None:
    """Only plain files and folders come in."""

    def change(info: tarfile.TarInfo) -> None:
        info.type = kind
        info.linkname = "/etc/passwd"

    assert problems(tmp_path, "a.tar", tarred({"a.py": b""}, change), "a.py") == [
        f"a.py: {message}"
    ]


def test_a_link_above_a_wanted_file_is_refused(tmp_path: Path) -> None:
    """`src` is a link, and `src/a.py` would land behind it."""

    def change(info: tarfile.TarInfo) -> None:
        if info.name == "src":
            info.type, info.linkname = tarfile.SYMTYPE, "/etc"

    content = tarred({"src": b"", "src/a.py": b""}, change)
    assert problems(tmp_path, "a.tar", content, "src/a.py") == [
        "src: is a symbolic link (put the file itself into the archive)"
    ]


def test_names_in_other_encodings_are_refused(tmp_path: Path) -> None:
    """A name that is not UTF-8 is told, with its bytes."""
    content = zipped({"cafe.py": b""}).replace(b"cafe.py", b"caf\xe9.py")
    assert problems(tmp_path, "a.zip", content, "*.py") == [
        "caf\\udce9.py: its name is not UTF-8 (rename it)"
    ]


def test_utf8_names_without_the_flag_are_read(tmp_path: Path) -> None:
    """macOS writes UTF-8 names and does not say so."""
    content = zipped({"cafee.py": b""}).replace(b"cafee.py", "caf\u00e9.py".encode())
    assert names(take(tmp_path, "a.zip", content, "*.py")) == ["caf\u00e9.py"]


def test_limits_hold_in_archives(tmp_path: Path) -> None:
    """Size and number are bounded as in a folder."""
    content = zipped({"a.py": b"x" * 60, "b.py": b"x" * 60, "c.py": b"x" * 60})
    assert problems(tmp_path, "a.zip", content, "*.py", limits=Limits(submission=100)) == [
        "b.py: makes the submission larger than 100 bytes (hand in less)"
    ]
    assert problems(tmp_path, "a.zip", content, "*.py", limits=Limits(files=2)) == [
        "c.py: is one file more than 2 (hand in less)"
    ]


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """256 MiB of zeros, deflated to about a megabyte."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("a.py", "w") as file,
    ):
        for _ in range(256):
            file.write(bytes(1024 * 1024))
    return buffer.getvalue()


def bounded(run: Callable[[], list[str]], *, mib: int, seconds: float) -> list[str]:
    """The result of `run`, which must stay within this memory and time."""
    tracemalloc.start()
    began = time.monotonic()
    try:
        result = run()
        assert time.monotonic() - began < seconds
        assert tracemalloc.get_traced_memory()[1] < mib * 1024 * 1024
    finally:
        tracemalloc.stop()
    return result


def test_a_zip_bomb_is_stopped(tmp_path: Path, bomb: bytes) -> None:
    """256 MiB are given up after the few megabytes that a submission may have."""
    got = bounded(lambda: problems(tmp_path, "a.zip", bomb, "a.py"), mib=32, seconds=5)
    assert got == ["a.py: makes the submission larger than 4 MiB (hand in less)"]


def test_a_zip_bomb_that_lies_about_its_size_is_stopped(tmp_path: Path, bomb: bytes) -> None:
    """The declared size, ten bytes, is not believed."""
    size = struct.pack("<L", 1 << 28)
    content = bomb.replace(size, struct.pack("<L", 10))
    assert content != bomb
    got = bounded(lambda: problems(tmp_path, "a.zip", content, "a.py"), mib=32, seconds=5)
    assert got == [DAMAGED]


def test_a_bomb_nobody_asked_for_is_not_unpacked(tmp_path: Path, bomb: bytes) -> None:
    """Files that no rule names are never unpacked from a zip."""
    buffer = io.BytesIO(bomb)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("b.py", "x")
    found = take(tmp_path, "a.zip", buffer.getvalue(), "b.py")
    assert names(found) == ["b.py"]


def test_a_tar_bomb_is_stopped(tmp_path: Path) -> None:
    """A compressed tar must be read through, and ends at a bound."""
    header = tarfile.TarInfo("big.bin")
    header.size = 1 << 28
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=1) as file:
        file.write(header.tobuf())
        for _ in range(256):
            file.write(bytes(1024 * 1024))
    content = buffer.getvalue()
    got = bounded(lambda: problems(tmp_path, "a.tgz", content, "a.py"), mib=32, seconds=15)
    assert got == ["submission: the archive unpacks to more than 128 MiB (hand in less)"]


def test_a_tar_with_an_endless_name_is_stopped(tmp_path: Path) -> None:
    """A long name is read at once by tarfile, so its declared length is bounded before."""
    header = tarfile.TarInfo("././@LongLink")
    header.type = tarfile.GNUTYPE_LONGNAME
    header.size = 1 << 33
    content = gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(64 * 1024 * 1024))
    got = bounded(lambda: problems(tmp_path, "a.tgz", content, "a.py"), mib=32, seconds=5)
    assert got == [
        "submission: the archive has a name or attribute of absurd length (make the archive again)"
    ]


def test_an_archive_with_a_great_many_names_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a zip and in a tar, before anything is read."""
    monkeypatch.setattr(archives, "MOST_ENTRIES", 500)
    monkeypatch.setattr(tars, "MOST_ENTRIES", 500)
    many = {f"{number}": b"" for number in range(501)}
    message = "submission: the archive holds more than 500 names (make the archive again)"
    assert problems(tmp_path, "a.zip", zipped(many), "a.py") == [message]
    assert problems(tmp_path, "a.tgz", targz(many), "a.py") == [message]


def test_a_zip_with_a_huge_directory_is_refused(tmp_path: Path) -> None:
    """The list of names is bounded in bytes before it is read."""
    names_of_files = {f"{number:0200d}": b"" for number in range(MOST_ENTRIES)}
    assert problems(tmp_path, "a.zip", zipped(names_of_files), "a.py") == [
        f"submission: the archive holds more than {MOST_ENTRIES} names (make the archive again)"
    ]


def test_an_archive_that_is_itself_too_large_is_refused(tmp_path: Path) -> None:
    """The file's own size is bounded before it is read."""
    path = tmp_path / "a.zip"
    with path.open("wb") as file:
        file.truncate(65 * 1024 * 1024)
    with pytest.raises(SubmissionError) as raised:
        snapshot(path, [SubmitRule(path="a.py")], Limits())
    assert raised.value.problems[0].message == "the archive is larger than 64 MiB"


def test_a_zip_with_a_password_is_refused(tmp_path: Path) -> None:
    """Nobody can be asked for a password while a class is graded."""
    content = bytearray(zipped({"a.py": b"x"}))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert problems(tmp_path, "a.zip", bytes(content), "a.py") == [
        "submission: the archive is protected by a password (make it again without a password)"
    ]


def test_other_compressions_are_refused(tmp_path: Path) -> None:
    """bzip2 in a zip unpacks bombs from bytes in one step."""

    def method(info: zipfile.ZipInfo) -> None:
        info.compress_type = zipfile.ZIP_BZIP2

    assert problems(tmp_path, "a.zip", zipped({"a.py": b"x"}, method), "a.py") == [
        "a.py: is packed with a method other than deflate (make the archive again, as a plain zip)"
    ]


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tgz"])
def test_an_archive_cut_short_is_damage(tmp_path: Path, name: str) -> None:
    """Wherever it is cut, the answer is a sentence and never part of the submission."""
    content = MAKERS[name]({"a.py": bytes(range(256)) * 8, "b.txt": b"x" * 2000})
    # a tar ends with zeros that nothing needs
    useful = len(content.rstrip(b"\0")) if name == "a.tar" else len(content)
    for end in range(1, useful - 1, 13):
        got = problems(tmp_path, name, content[:end], "a.*", "*.txt")
        assert len(got) == 1
        assert got[0].startswith("submission: the ")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.zip", b"", "the archive is empty: 0 bytes (make it again)"),
        (
            "a.zip",
            b"hello",
            "the file is not a zip archive, or it is cut short (make the archive again)",
        ),
        ("a.tar", b"hello" * 300, "the archive is cut short or damaged (make the archive again)"),
        (
            "a.tgz",
            b"hello",
            NOT_GZIP,
        ),
        (
            "a.tar.gz",
            bz2.compress(b"hello"),
            NOT_GZIP,
        ),
    ],
)
def test_files_that_are_no_archive_are_refused(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    """The name says archive, the content does not."""
    assert problems(tmp_path, name, content, "a.py") == [f"submission: {message}"]


def test_a_wrong_checksum_is_damage(tmp_path: Path) -> None:
    """A flipped bit in a file is noticed in a zip and in a compressed tar."""
    text = b"x = 1234567890\n"
    stored = zipped({"a.py": text}, lambda info: setattr(info, "compress_type", 0))
    assert problems(tmp_path, "a.zip", stored.replace(b"345", b"346"), "a.py") == [DAMAGED]
    packed = bytearray(targz({"a.py": text}))
    packed[-6] ^= 1
    assert problems(tmp_path, "a.tgz", bytes(packed), "a.py") == [DAMAGED]


def test_an_archive_that_cannot_be_opened_is_wrong_usage(tmp_path: Path) -> None:
    """A missing file is the caller's mistake, not the learner's."""
    with pytest.raises(UsageError):
        snapshot_archive(tmp_path / "gone.zip", [SubmitRule(path="a.py")], Limits())


GOOD = {
    name: MAKERS[name]({"a.py": b"x = 1\n" * 50, "s/b.py": b"", "c": b"\0" * 700})
    for name in ("a.zip", "a.tar", "a.tgz")
}
RULES = [SubmitRule(path="**/*.py"), SubmitRule(path="c", optional=True)]
FUZZ = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def submission_or_refusal(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.write_bytes(content)
    found = Submission(files=())
    with contextlib.suppress(SubmissionError):
        found = snapshot_archive(path, RULES, Limits())
    assert all(".." not in file.path and file.path[0] != "/" for file in found.files)


@FUZZ
@given(
    name=st.sampled_from(sorted(GOOD)),
    edits=st.lists(st.tuples(st.integers(0, 10_239), st.integers(0, 255)), max_size=8),
    end=st.none() | st.integers(1, 10_240),
)
def test_no_damage_gives_another_exception(
    tmp_path: Path, name: str, edits: list[tuple[int, int]], end: int | None
) -> None:
    """Good archives with bytes changed and the end cut off are read or refused."""
    content = bytearray(GOOD[name])
    for place, value in edits:
        content[place % len(content)] = value
    submission_or_refusal(tmp_path, name, bytes(content[:end]))


@FUZZ
@given(name=st.sampled_from(sorted(GOOD)), content=st.binary(max_size=2048), packed=st.booleans())
def test_no_bytes_give_another_exception(
    tmp_path: Path, name: str, content: bytes, packed: bool
) -> None:
    """Bytes that never were an archive are refused."""
    if packed and name == "a.tgz":
        content = gzip.compress(content)
    submission_or_refusal(tmp_path, name, content)


ODD_NAMES = st.text(alphabet="a./\\:\u00e9\n\0 PY~", max_size=12) | st.sampled_from(
    ["a.py", "A.py", "x/a.py", "../a.py", "a.py/", "/", "", "//a.py", "x/./a.py", "a" * 300 + ".py"]
)


@FUZZ
@given(
    name=st.sampled_from(sorted(GOOD)),
    files=st.lists(
        st.tuples(
            ODD_NAMES,
            st.binary(max_size=20),
            st.sampled_from(
                [
                    tarfile.REGTYPE,
                    tarfile.SYMTYPE,
                    tarfile.LNKTYPE,
                    tarfile.DIRTYPE,
                    b"S",
                    b"x",
                    b"Z",
                ]
            ),
            st.integers(0, 0xFFFF),
        ),
        max_size=6,
    ),
)
def test_no_entry_gives_another_exception(
    tmp_path: Path, name: str, files: list[tuple[str, bytes, bytes, int]]
) -> None:
    """Odd names, kinds and modes are read or refused."""
    if name == "a.zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for file, content, _, mode in files:
                info = zipfile.ZipInfo("placeholder")
                info.filename = info.orig_filename = file
                info.external_attr, info.create_system = mode << 16, 3
                with warnings.catch_warnings(action="ignore"):
                    archive.writestr(info, content)
        submission_or_refusal(tmp_path, name, buffer.getvalue())
        return
    data = b""
    for file, content, kind, mode in files:
        header = tarfile.TarInfo(file.replace("\0", "") or "a")
        header.size, header.type, header.mode = len(content), kind, mode & 0o7777
        data += header.tobuf(tarfile.GNU_FORMAT) + content.ljust(512, b"\0") * bool(content)
    data += bytes(1024)
    submission_or_refusal(tmp_path, name, gzip.compress(data) if name == "a.tgz" else data)
