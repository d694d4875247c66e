"""Back to the start: nothing of the learner's is lost on the way."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader import shipped
from grader.catalog import load_exercise
from grader.errors import UsageError
from grader.workspace import reset, start

EXERCISE = load_exercise(shipped.exercises() / "python-basics")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    start(EXERCISE, folder)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_changed_is_put_back_and_kept(work: Path, tmp_path: Path) -> None:
    """Files of the start only: what the learner added, and the workspace's seed, stay."""
    before = content(work)
    (work / "orders.py").write_text("mine = 1\n")
    (work / "notes.txt").write_text("my own\n")
    mine = content(work)
    done = reset(EXERCISE, work)
    assert (done.files, done.backup) == (("orders.py",), tmp_path / "work.before-reset-1")
    assert content(work) == {**before, "notes.txt": b"my own\n"}
    assert done.backup is not None
    assert content(done.backup) == {"orders.py": b"mine = 1\n"}
    shutil.copytree(done.backup, work, dirs_exist_ok=True)
    assert content(work) == mine


def test_each_reset_has_a_backup_of_its_own(work: Path, tmp_path: Path) -> None:
    for text in ("one", "two"):
        (work / "orders.py").write_text(text)
        reset(EXERCISE, work)
    kept = [(tmp_path / f"work.before-reset-{n}" / "orders.py").read_text() for n in (1, 2)]
    assert kept == ["one", "two"]


def test_nothing_changed_makes_no_backup(work: Path, tmp_path: Path) -> None:
    done = reset(EXERCISE, work)
    assert (done.files, done.backup) == ((), None)
    assert list(tmp_path.iterdir()) == [work]


def test_what_is_missing_comes_back(work: Path, tmp_path: Path) -> None:
    before = content(work)
    (work / "orders.py").unlink()
    (work / "README.md").unlink()
    done = reset(EXERCISE, work)
    assert (done.files, done.backup) == (("README.md", "orders.py"), None)
    assert content(work) == before


@pytest.mark.parametrize("kind", ["link", "dangling", "folder"])
def test_what_is_no_plain_file_is_left_alone(work: Path, tmp_path: Path, kind: str) -> None:
    """A link's goal is not written through, and nothing else is changed either."""
    elsewhere = tmp_path / "elsewhere.py"
    elsewhere.write_text("precious")
    (work / "README.md").write_text("changed")
    (work / "orders.py").unlink()
    if kind == "folder":
        (work / "orders.py").mkdir()
    else:
        (work / "orders.py").symlink_to(elsewhere if kind == "link" else tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"orders\.py is not a plain file; nothing was changed"):
        reset(EXERCISE, work)
    assert elsewhere.read_text() == "precious"
    assert (work / "README.md").read_text() == "changed"
    assert not (tmp_path / "work.before-reset-1").exists()


def test_until_the_copy_is_whole_nothing_changes(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (work / "orders.py").write_text("mine")

    def full(source: Path, target: Path) -> None:
        target.write_text("mi")
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(shutil, "copy2", full)
    with pytest.raises(UsageError, match="No space left on device"):
        reset(EXERCISE, work)
    assert (work / "orders.py").read_text() == "mine"
    assert list(tmp_path.iterdir()) == [work]
