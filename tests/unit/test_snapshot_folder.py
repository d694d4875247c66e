"""A submission from a folder: what is taken, and what is refused by name."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from pathlib import Path

import pytest

from grader.errors import SubmissionError, UsageError
from grader.model.exercise import Limits, SubmitRule
from grader.model.submission import Submission
from grader.workspace import folders, snapshot
from grader.workspace.globs import matches, may_contain


def rules(*patterns: str | SubmitRule) -> tuple[SubmitRule, ...]:
    return tuple(SubmitRule(path=p) if isinstance(p, str) else p for p in patterns)


def lay(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def names(submission: Submission) -> list[str]:
    return [file.path + ("/" if file.folder else "") for file in submission.files]


def problems(folder: Path, *patterns: str | SubmitRule, limits: Limits | None = None) -> list[str]:
    with pytest.raises(SubmissionError) as raised:
        snapshot(folder, rules(*patterns), limits or Limits())
    return [str(problem) for problem in raised.value.problems]


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("a.py", "a.py", True),
        ("a.py", "src/a.py", False),
        ("*.py", "a.py", True),
        ("*.py", "src/a.py", False),
        ("**/*.py", "a.py", True),
        ("**/*.py", "x/y/a.py", True),
        ("src/**", "src/x/y", True),
        ("src/**", "src", False),
        ("src/**", "src2/x", False),
        ("**/data/**", "a/data/x", True),
        ("**/data/**", "data/x", True),
        ("**/data/**", "data", False),
        ("src/**/t.py", "src/t.py", True),
        ("a?.[ch]", "ab.c", True),
        ("a?.[ch]", "a/.c", False),
        ("A.py", "a.py", False),
        ("**", "x/y", True),
    ],
)
def test_globs(pattern: str, path: str, expected: bool) -> None:
    """A star stays within a name, two stars span folders, case counts."""
    assert matches(pattern, tuple(path.split("/"))) is expected


@pytest.mark.parametrize(
    ("pattern", "folder", "expected"),
    [
        ("a.py", "src", False),
        ("src/*.py", "src", True),
        ("src/*.py", "src/deep", False),
        ("**/*.py", "x/y", True),
        ("src/**", "other", False),
        ("src/**", "src/a/b", True),
    ],
)
def test_only_folders_that_can_match_are_entered(pattern: str, folder: str, expected: bool) -> None:
    """A folder is looked into only when a rule can match below it."""
    assert may_contain(pattern, tuple(folder.split("/"))) is expected


def test_only_files_that_the_rules_name_are_taken(tmp_path: Path) -> None:
    """Neighbours, the workspace file and folders of tools stay out."""
    lay(
        tmp_path,
        {
            "a.py": "x = 1\n",
            "notes.txt": "mine",
            "src/b.py": "",
            "src/c.txt": "",
            ".grader.json": "{}",
            ".git/hook.py": "",
            "node_modules/d.py": "",
            "src/__pycache__/b.py": "",
        },
    )
    wanted = rules("**/*.py", SubmitRule(path="*.json", optional=True))
    assert names(snapshot(tmp_path, wanted, Limits())) == ["a.py", "src/b.py"]


def test_a_rule_can_name_a_folder_that_is_skipped_otherwise(tmp_path: Path) -> None:
    """A rule that spells out .git reaches into it."""
    lay(tmp_path, {"repo/.git/HEAD": "ref: x", "repo/a": "1"})
    assert names(snapshot(tmp_path, rules("repo/.git/**"), Limits())) == ["repo/.git/HEAD"]


def test_empty_folders_and_exec_bits_are_kept(tmp_path: Path) -> None:
    """An empty folder that a rule names is part of the submission, and so is the exec bit."""
    lay(tmp_path, {"out/run.sh": "#!/bin/sh\n", "out/plain.sh": ""})
    (tmp_path / "out" / "empty").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "run.sh").chmod(0o755)
    found = snapshot(tmp_path, rules("out/**"), Limits())
    assert names(found) == ["out/empty/", "out/plain.sh", "out/run.sh"]
    assert [file.executable for file in found.files] == [False, False, True]


def test_equal_folders_have_equal_digests(tmp_path: Path) -> None:
    """Only names, modes and contents decide the digest."""
    one = lay(tmp_path / "one", {"a.py": "x", "b.py": "y"})
    two = lay(tmp_path / "two", {"b.py": "y", "a.py": "x"})
    os.utime(two / "a.py", (1, 1))
    wanted = rules("*.py")
    assert snapshot(one, wanted, Limits()).digest == snapshot(two, wanted, Limits()).digest


def test_links_are_refused_and_never_followed(tmp_path: Path) -> None:
    """A link is refused whether it is the file or a folder above it."""
    secret = lay(tmp_path / "outside", {"secret.py": "KEY = 1"})
    folder = lay(tmp_path / "work", {"real.py": ""})
    (folder / "link.py").symlink_to(secret / "secret.py")
    (folder / "dangling.py").symlink_to("nowhere")
    (folder / "src").symlink_to(secret)
    (folder / "unrelated").symlink_to(secret)
    assert problems(folder, "*.py", "src/*.py") == [
        "dangling.py: is a symbolic link (copy the file itself into the folder)",
        "link.py: is a symbolic link (copy the file itself into the folder)",
        "src: is a symbolic link (copy the file itself into the folder)",
    ]


def test_hard_links_are_refused(tmp_path: Path) -> None:
    """A second name of another file could be anyone's file."""
    folder = lay(tmp_path / "work", {"a.py": ""})
    os.link(folder / "a.py", tmp_path / "other")
    assert problems(folder, "a.py") == [
        "a.py: is a hard link: it shares its content with another file "
        "(copy the file itself into the folder)"
    ]


def test_pipes_and_sockets_are_refused_without_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening a pipe would wait for a writer; it is refused by its kind."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.py")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.py")
        assert problems(tmp_path, "*.py") == [
            "pipe.py: is a named pipe, not a file",
            "socket.py: is a socket, not a file",
        ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (b"a\\b.py", "a\\\\b.py: has a backslash in its name (rename it)"),
        (b"C:x.py", "C:x.py: begins with a drive letter (rename it)"),
        (b"a\nb.py", "a\\nb.py: has a control character in its name (rename it)"),
        (b"caf\xe9.py", "caf\\udce9.py: its name is not UTF-8 (rename it)"),
    ],
)
def test_names_that_cannot_travel_are_refused(tmp_path: Path, name: bytes, message: str) -> None:
    """A name must mean the same on every machine, and is shown without its bad characters."""
    (tmp_path / os.fsdecode(name)).write_text("")
    assert problems(tmp_path, "*.py") == [message.replace("\\\\", "\\")]


def test_names_that_differ_only_by_case_or_form_are_refused(tmp_path: Path) -> None:
    """Folders count, too, and so does the composed and decomposed form of an accent."""
    lay(tmp_path, {"a.py": "", "A.py": "", "src/x.py": "", "Src/y.py": ""})
    lay(tmp_path, {"caf\u00e9.py": "", "cafe\u0301.py": ""})
    fix = "(rename one: not every file system can hold both)"
    assert problems(tmp_path, "**/*.py") == [
        f"a.py: differs only in case or accents from 'A.py' {fix}",
        f"caf\u00e9.py: differs only in case or accents from 'cafe\u0301.py' {fix}",
        f"src: differs only in case or accents from 'Src' {fix}",
    ]


def test_sizes_are_bounded(tmp_path: Path) -> None:
    """A file over its own limit and a submission over the sum are named."""
    lay(tmp_path, {"a.py": "x" * 11, "b.py": "x" * 60, "c.py": "x" * 60, "d.py": "x" * 60})
    small = SubmitRule(path="a.py", max_bytes=10)
    assert problems(tmp_path, small, "*.py", limits=Limits(submission=100)) == [
        "a.py: is larger than 10 bytes (hand in a smaller file)",
        "c.py: makes the submission larger than 100 bytes (hand in less)",
    ]


def test_a_submission_may_be_exactly_as_large_as_allowed(tmp_path: Path) -> None:
    """The limits themselves are allowed."""
    lay(tmp_path, {"a.py": "x" * 10, "b.py": "x" * 90, "c.py": ""})
    limits = Limits(submission=100, files=3)
    found = snapshot(tmp_path, rules(SubmitRule(path="a.py", max_bytes=10), "*.py"), limits)
    assert names(found) == ["a.py", "b.py", "c.py"]


def test_a_huge_sparse_file_costs_nothing(tmp_path: Path) -> None:
    """No more is read than the limit allows, however large the file is."""
    with (tmp_path / "a.bin").open("wb") as file:
        file.truncate(1 << 40)
    assert problems(tmp_path, "a.bin") == [
        "a.bin: makes the submission larger than 4 MiB (hand in less)"
    ]


def test_the_number_of_files_is_bounded(tmp_path: Path) -> None:
    """One file too many is named once."""
    lay(tmp_path, {f"{number}.py": "" for number in range(6)})
    assert problems(tmp_path, "*.py", limits=Limits(files=3)) == [
        "3.py: is one file more than 3 (hand in less)"
    ]


def test_looking_around_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a great many names is refused, not walked."""
    monkeypatch.setattr(folders, "MOST_ENTRIES", 100)
    for number in range(101):
        os.close(os.open(tmp_path / f"f{number}", os.O_CREAT | os.O_WRONLY))
    assert problems(tmp_path, "a.py") == [
        "submission: the folder holds more than 100 names (remove what does not belong)"
    ]


def test_depth_is_bounded(tmp_path: Path) -> None:
    """Folders inside folders end somewhere."""
    deep = tmp_path.joinpath(*["d"] * 40)
    deep.mkdir(parents=True)
    (deep / "a.py").write_text("")
    path = "/".join(["d"] * 33)
    assert problems(tmp_path, "**/*.py") == [f"{path}: lies deeper than 32 folders"]


@pytest.mark.parametrize(
    ("present", "wanted", "message"),
    [
        ("Catalog.py", "catalog.py", "'Catalog.py' differs in upper and lower case: rename it"),
        ("src/catalog.py", "catalog.py", "'src/catalog.py' lies in another folder: move it"),
        ("catalogue.py", "catalog.py", "is 'catalogue.py' meant? rename it"),
        ("catalog.py.txt", "catalog.py", "is 'catalog.py.txt' meant? rename it"),
    ],
)
def test_a_missing_file_says_what_was_probably_meant(
    tmp_path: Path, present: str, wanted: str, message: str
) -> None:
    """Wrong case, another folder or a near name is pointed out."""
    lay(tmp_path, {present: ""})
    assert problems(tmp_path, wanted) == [f"{wanted}: the file is missing ({message})"]


def test_missing_files_are_named_all_at_once(tmp_path: Path) -> None:
    """Every required rule that nothing matches is listed; optional ones are not."""
    lay(tmp_path, {"sub/x.sql": ""})
    optional = SubmitRule(path="c.py", optional=True)
    assert problems(tmp_path, "a.py", "*.sql", optional) == [
        "*.sql: no file matches this pattern ('sub/x.sql' lies in another folder: move it)",
        "a.py: the file is missing",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "x = 1\ny = 'é'\n".encode("latin-1"),
            "a.py:2: is not UTF-8: byte 0xe9 at offset 11 cannot be read",
        ),
        ("x = 1\n".encode("utf-16"), "a.py: is saved as UTF-16, not as UTF-8"),
        ("x = 1\n".encode("utf-32"), "a.py: is saved as UTF-32, not as UTF-8"),
        (
            "x\ny".encode("utf-16-le"),
            "a.py:1: has a zero byte at offset 1: it is not UTF-8 text",
        ),
    ],
)
def test_text_in_another_encoding_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """The place of the first bad byte is told, and how to mend it."""
    lay(tmp_path, {"a.py": content, "picture.png": b"\xff\xfe\x00"})
    fix = "(save it as UTF-8: editors offer that under 'Save with encoding')"
    assert problems(tmp_path, "a.py", "*.png") == [f"{message} {fix}"]


def test_utf8_with_a_mark_is_text(tmp_path: Path) -> None:
    """Some Windows editors put a byte order mark before UTF-8; Python reads it."""
    lay(tmp_path, {"a.py": b"\xef\xbb\xbfx = 1\n"})
    assert names(snapshot(tmp_path, rules("a.py"), Limits())) == ["a.py"]


def test_a_name_swapped_for_a_link_is_never_followed(tmp_path: Path) -> None:
    """While a file turns into a link and back all the time, its target is never read."""
    folder = lay(tmp_path, {"secret": "KEY", "work/a.py": "x"}) / "work"
    done = threading.Event()

    def swap() -> None:
        fresh = folder / "next"
        while not done.is_set():
            fresh.symlink_to(tmp_path / "secret")
            fresh.replace(folder / "a.py")
            fresh.write_text("x")
            fresh.replace(folder / "a.py")

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        for _ in range(500):
            with contextlib.suppress(SubmissionError):
                found = snapshot(folder, rules("a.py"), Limits())
                assert [file.content for file in found.files] == [b"x"]
    finally:
        done.set()
        swapper.join()


def test_the_message_counts_and_names(tmp_path: Path) -> None:
    """The error's own sentence says what was handed in and how much is wrong."""
    with pytest.raises(SubmissionError) as raised:
        snapshot(tmp_path, rules("a.py", "b.py"), Limits())
    assert raised.value.message == f"{tmp_path.name} cannot be graded as handed in: 2 problems"


def test_a_path_that_is_nothing_is_wrong_usage(tmp_path: Path) -> None:
    """A missing path and a file that is no archive are the caller's mistake."""
    with pytest.raises(UsageError, match="does not exist"):
        snapshot(tmp_path / "gone", rules("a.py"), Limits())
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(UsageError, match="neither a folder nor an archive"):
        snapshot(tmp_path / "a.txt", rules("a.py"), Limits())
