"""A new version of an exercise reaches a workspace, and nothing of the learner's is lost."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from grader import shipped
from grader.catalog import load_exercise
from grader.errors import UsageError
from grader.model.exercise import Exercise
from grader.workspace import Update, info, start, update


@pytest.fixture
def exercise(tmp_path: Path) -> Exercise:
    folder = tmp_path / "python-basics"
    shutil.copytree(shipped.exercises() / "python-basics", folder)
    (folder / "starter" / "more").mkdir()
    (folder / "starter" / "more" / "data.txt").write_text("data\n")
    return load_exercise(folder)


@pytest.fixture
def work(tmp_path: Path, exercise: Exercise) -> Path:
    folder = tmp_path / "work"
    start(exercise, folder)
    return folder


def brought(exercise: Exercise, work: Path) -> Update:
    return update(replace(exercise, version=2), info.read(work))


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".grader.json"
    }


def test_what_the_learner_left_alone_is_brought_up_to_date(exercise: Exercise, work: Path) -> None:
    """The statement above all; a file of the learner's that the exercise did not change stays."""
    exercise.statement.write_text("# New\n")
    (exercise.starter / "more" / "new.txt").write_text("new\n")
    (work / "orders.py").write_text("mine = 1\n")
    (work / "notes.txt").write_text("my own\n")
    before = content(work)
    done = brought(exercise, work)
    assert done == Update(added=("more/new.txt",), replaced=("README.md",))
    assert content(work) == {**before, "README.md": b"# New\n", "more/new.txt": b"new\n"}
    known = info.read(work)
    assert (known.version, known.attempts) == (2, 0)
    assert not brought(exercise, work)


def test_what_both_changed_stays_the_learners(
    exercise: Exercise, work: Path, tmp_path: Path
) -> None:
    """The exercise's side is put beside the workspace; once told, it is not told again."""
    (exercise.starter / "orders.py").write_text("theirs = 1\n")
    (work / "orders.py").write_text("mine = 1\n")
    done = brought(exercise, work)
    assert done == Update(conflicts=("orders.py",), aside=tmp_path / "work.version-2")
    assert (work / "orders.py").read_text() == "mine = 1\n"
    assert content(tmp_path / "work.version-2") == {"orders.py": b"theirs = 1\n"}
    assert not brought(exercise, work)


def test_a_file_that_the_learner_removed_stays_away(exercise: Exercise, work: Path) -> None:
    (exercise.starter / "more" / "data.txt").write_text("other\n")
    (work / "more" / "data.txt").unlink()
    assert not brought(exercise, work)
    assert not (work / "more" / "data.txt").exists()


def test_in_a_workspace_of_an_earlier_grader_what_differs_is_the_learners(
    exercise: Exercise, work: Path
) -> None:
    """Nobody knows what was given: a conflict rather than a loss."""
    info.write(replace(info.read(work), given={}))
    exercise.statement.write_text("# New\n")
    before = content(work)
    assert brought(exercise, work).conflicts == ("README.md",)
    assert content(work) == before


def test_a_file_put_back_counts_as_given(exercise: Exercise, work: Path) -> None:
    """`start` once more adds what is missing: it may be brought up to date again."""
    (work / "README.md").unlink()
    start(exercise, work)
    exercise.statement.write_text("# New\n")
    assert brought(exercise, work).replaced == ("README.md",)


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_what_is_no_plain_file_is_the_learners(
    exercise: Exercise, work: Path, tmp_path: Path, kind: str
) -> None:
    """Nothing is written through a link."""
    elsewhere = tmp_path / "elsewhere.md"
    elsewhere.write_text("precious")
    (work / "README.md").unlink()
    if kind == "link":
        (work / "README.md").symlink_to(elsewhere)
    else:
        (work / "README.md").mkdir()
    exercise.statement.write_text("# New\n")
    assert brought(exercise, work).conflicts == ("README.md",)
    assert elsewhere.read_text() == "precious"


def test_a_folder_that_is_a_link_is_refused(exercise: Exercise, work: Path, tmp_path: Path) -> None:
    shutil.rmtree(work / "more")
    (work / "more").symlink_to(tmp_path)
    (exercise.starter / "more" / "data.txt").write_text("other\n")
    with pytest.raises(UsageError, match="not a plain folder"):
        brought(exercise, work)
    assert info.read(work).version == 1
