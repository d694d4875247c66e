"""The submission's files in a sandbox: laid out anew for each test, read with care."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from grader.agent.files import Files
from grader.model.submission import Submission, SubmittedFile

SUBMITTED = Submission(
    files=(
        SubmittedFile(path="main.py", content=b"print(1)\n"),
        SubmittedFile(path="bin/run", content=b"#!/bin/sh\n", executable=True),
        SubmittedFile(path="empty", folder=True),
        SubmittedFile(path="deep/er/data", content=b"\0\xff"),
    )
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("work", "scratch"):
        (tmp_path / name).mkdir()
    return tmp_path / "work"


@pytest.fixture
def files(folder: Path) -> Files:
    """The files as a test finds them."""
    made = Files(str(folder), [str(folder.parent / "scratch"), str(folder.parent / "none")])
    made.load(SUBMITTED.archive())
    made.reset()
    return made


def assert_pristine(folder: Path) -> None:
    found = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    assert found == {"main.py", "bin", "bin/run", "empty", "deep", "deep/er", "deep/er/data"}
    assert (folder / "main.py").read_bytes() == b"print(1)\n"
    assert (folder / "deep/er/data").read_bytes() == b"\0\xff"
    assert stat.S_IMODE((folder / "bin/run").stat().st_mode) == 0o755
    assert stat.S_IMODE((folder / "main.py").stat().st_mode) == 0o644
    assert list((folder.parent / "scratch").iterdir()) == []


def test_exactly_the_submission_is_laid_out(files: Files, folder: Path) -> None:
    """Contents, the executable bit and empty folders are as handed in."""
    assert_pristine(folder)


def test_changes_do_not_outlive_a_test(files: Files, folder: Path) -> None:
    """What was changed, removed or made is undone, in the scratch folders, too."""
    (folder / "main.py").write_text("forged")
    (folder / "bin/run").chmod(0o600)
    (folder / "deep/er/data").unlink()
    (folder / "new/below").mkdir(parents=True)
    (folder / "new/below/file").touch()
    (folder.parent / "scratch/left").write_text("for the next test")
    (folder.parent / "scratch/tree/below").mkdir(parents=True)
    files.reset()
    assert_pristine(folder)


def test_things_in_the_place_of_others_are_removed(files: Files, folder: Path) -> None:
    """A folder where a file was, a file where a folder was, pipes and sockets' leftovers."""
    (folder / "main.py").unlink()
    (folder / "main.py").mkdir()
    (folder / "empty").rmdir()
    (folder / "empty").write_text("now a file")
    os.mkfifo(folder / "pipe")
    files.reset()
    assert_pristine(folder)


def test_links_are_removed_and_not_followed(files: Files, folder: Path) -> None:
    """Emptying the folder touches nothing outside of it."""
    outside = folder.parent / "outside"
    outside.mkdir(mode=0o750)
    (outside / "kept").write_text("kept")
    (folder / "to-folder").symlink_to(outside)
    (folder / "main.py").unlink()
    (folder / "main.py").symlink_to(outside / "kept")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "new").mkdir()
    (folder / "new/to-folder").symlink_to(outside)
    files.reset()
    assert_pristine(folder)
    assert (outside / "kept").read_text() == "kept"
    assert stat.S_IMODE(outside.stat().st_mode) == 0o750


def test_closed_folders_are_opened_and_removed(files: Files, folder: Path) -> None:
    """Code that takes its own rights away does not keep files that way."""
    (folder / "closed/below/deeper").mkdir(parents=True)
    (folder / "closed/below/deeper/file").touch()
    (folder / "closed/file").touch(mode=0o000)
    for path in ("closed/below/deeper", "closed/below", "closed", "deep"):
        (folder / path).chmod(0o000)
    files.reset()
    assert_pristine(folder)


@pytest.mark.parametrize("mode", [0o000, 0o500, 0o300])
def test_a_closed_root_is_opened(files: Files, folder: Path, mode: int) -> None:
    """The folder itself may have been closed, and the scratch folder."""
    (folder / "new").touch()
    (folder.parent / "scratch/left").touch()
    folder.chmod(mode)
    (folder.parent / "scratch").chmod(mode)
    files.reset()
    assert_pristine(folder)


def test_a_file_of_a_test_lies_beside(files: Files, folder: Path) -> None:
    """It is written where the test says, and gone with the test."""
    files.write("input/rows.csv", b"1,2\n")
    assert files.read("input/rows.csv", 100) == b"1,2\n"
    files.reset()
    assert_pristine(folder)


def test_reading_is_bounded(files: Files, folder: Path) -> None:
    """At most so many bytes come back, however long the file is."""
    with (folder / "huge").open("wb") as file:
        file.truncate(10**12)
    assert files.read("huge", 1000) == b"\0" * 1000
    assert files.read("main.py", 1000) == b"print(1)\n"


def test_only_plain_files_are_read(files: Files, folder: Path) -> None:
    """Links, pipes, devices and folders are no files; nobody waits for one."""
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to(folder / "main.py")
    (folder / "device").symlink_to("/dev/zero")
    for name in ("pipe", "link", "device", "empty", "missing", "main.py/below"):
        assert files.read(name, 100) is None


def test_files_are_collected_by_their_names(files: Files, folder: Path) -> None:
    """Plain files that a glob matches, below folders, too; links are neither entered nor read."""
    (folder / "loop").symlink_to(folder)
    (folder / "link").symlink_to(folder / "main.py")
    everything = files.collect(["**"], 10_000)
    assert everything is not None
    assert list(everything.files) == ["bin/run", "deep/er/data", "main.py"]
    assert files.collect(["*.py", "main.*"], 100) == (
        {"main.py": b"print(1)\n"},
        {"main.py": "file"},
    )
    assert files.collect(["nothing*"], 100) == ({}, {})


def test_what_is_collected_is_told(files: Files, folder: Path) -> None:
    """Folders, links that lead anywhere and pipes have a name and a kind, and no content."""
    (folder / "loop").symlink_to(".")
    (folder / "deep/gone").symlink_to("../no where")
    (folder / ".hidden\n").touch(mode=0)
    os.mkfifo(folder / "pipe")
    everything = files.collect(["**"], 10_000)
    assert everything is not None
    assert list(everything.kinds.items()) == [
        (".hidden\n", "file"),
        ("bin", "folder"),
        ("bin/run", "file"),
        ("deep", "folder"),
        ("deep/er", "folder"),
        ("deep/er/data", "file"),
        ("deep/gone", "link to ../no where"),
        ("empty", "folder"),
        ("loop", "link to ."),
        ("main.py", "file"),
        ("pipe", "other"),
    ]
    assert files.collect(["deep/*"], 0) == (
        {},
        {"deep/er": "folder", "deep/gone": "link to ../no where"},
    )


def test_too_much_is_not_collected(files: Files, folder: Path) -> None:
    """Past the bound, in bytes or in files, nothing comes back at all."""
    with (folder / "huge").open("wb") as file:
        file.truncate(10**9)
    assert files.collect(["*"], 1000) is None
    (folder / "huge").unlink()
    for number in range(5001):
        (folder / f"many{number}").touch()
    assert files.collect(["*"], 1000) is None


def test_names_that_are_not_text_can_be_collected(files: Files, folder: Path) -> None:
    """A name of any bytes is there as text."""
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).touch()
    found = files.collect(["*"], 1000)
    assert found is not None
    assert (found.files["\udcff"], found.kinds["\udcff"]) == (b"", "file")


def test_loading_again_forgets_the_last_submission(files: Files, folder: Path) -> None:
    """Another submission leaves nothing of the one before."""
    files.load(Submission(files=(SubmittedFile(path="other", content=b"x"),)).archive())
    files.reset()
    assert [path.name for path in folder.iterdir()] == ["other"]
