"""The learner's folder: made without overwriting anything, and remembered."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from grader.catalog import load_exercise
from grader.errors import ExerciseError, UsageError
from grader.model.exercise import Exercise
from grader.workspace import count_attempt, read, start

VALID = Path(__file__).parent.parent / "data" / "exercises" / "valid"


@pytest.fixture
def exercise() -> Exercise:
    """A small exercise with one starter file."""
    return load_exercise(VALID / "word-count")


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_workspace_holds_starter_and_statement(exercise: Exercise, tmp_path: Path) -> None:
    """The files are copied and the folder knows its exercise and seed."""
    target = tmp_path / "new" / "work"
    assert start(exercise, target, seed=7) == [target / "README.md", target / "words.py"]
    assert (target / "words.py").read_bytes() == (exercise.starter / "words.py").read_bytes()
    assert (target / "README.md").read_bytes() == exercise.statement.read_bytes()
    assert json.loads((target / ".grader.json").read_text()) == {
        "format": 1,
        "slug": "word-count",
        "exercise": None,
        "version": 1,
        "seed": 7,
        "attempts": 0,
        "given": {
            name: hashlib.sha256((target / name).read_bytes()).hexdigest()
            for name in ("README.md", "words.py")
        },
    }


def test_subfolders_and_exec_bits_are_copied(tmp_path: Path) -> None:
    """A starter is copied as it is, without what tools left in it."""
    exercise = load_exercise(VALID / "word-count")
    starter = tmp_path / "exercise" / "starter"
    (starter / "bin").mkdir(parents=True)
    (starter / "__pycache__").mkdir()
    (starter / "__pycache__" / "x.pyc").write_text("")
    (starter / "bin" / "run.sh").write_text("#!/bin/sh\n")
    (starter / "bin" / "run.sh").chmod(0o755)
    (starter.parent / "README.md").write_text("# X\n")
    moved = replace(exercise, root=starter.parent)
    target = tmp_path / "work"
    assert start(moved, target) == [target / "README.md", target / "bin" / "run.sh"]
    assert (target / "bin" / "run.sh").stat().st_mode & 0o100


def test_an_exercise_named_by_path_is_remembered(exercise: Exercise, tmp_path: Path) -> None:
    """The folder is kept as an absolute path, to be found again from anywhere."""
    start(exercise, tmp_path / "work", folder=exercise.root)
    assert read(tmp_path / "work").exercise == exercise.root.absolute()


def test_two_workspaces_draw_different_seeds(exercise: Exercise, tmp_path: Path) -> None:
    """Every learner gets numbers of their own, exact in any JSON reader."""
    seeds = set()
    for number in range(5):
        start(exercise, tmp_path / str(number))
        seeds.add(read(tmp_path / str(number)).seed)
    assert len(seeds) == 5
    assert all(0 <= seed < 2**53 for seed in seeds)


def test_existing_files_are_never_overwritten(exercise: Exercise, tmp_path: Path) -> None:
    """All conflicts are named and nothing is written."""
    (tmp_path / "words.py").write_text("mine")
    (tmp_path / "README.md").symlink_to("nowhere")
    with pytest.raises(UsageError) as raised:
        start(exercise, tmp_path)
    assert raised.value.message == (
        f"{tmp_path} already holds README.md, words.py; nothing was written"
    )
    assert content(tmp_path) == {"words.py": b"mine"}


def test_starting_again_adds_only_what_is_missing(exercise: Exercise, tmp_path: Path) -> None:
    """The learner's work, seed and tries stay as they are."""
    start(exercise, tmp_path, seed=7)
    (tmp_path / "words.py").write_text("mine")
    (tmp_path / "README.md").unlink()
    count_attempt(tmp_path)
    assert start(exercise, tmp_path, seed=8) == [tmp_path / "README.md"]
    assert (tmp_path / "words.py").read_text() == "mine"
    assert (read(tmp_path).seed, read(tmp_path).attempts) == (7, 1)
    assert start(exercise, tmp_path) == []


def test_a_workspace_of_another_exercise_is_left_alone(exercise: Exercise, tmp_path: Path) -> None:
    """Two exercises never share a folder."""
    start(load_exercise(VALID / "with-services"), tmp_path)
    before = content(tmp_path)
    with pytest.raises(UsageError, match="is the workspace of 'with-services'"):
        start(exercise, tmp_path)
    assert content(tmp_path) == before


def test_other_files_of_the_learner_do_not_matter(exercise: Exercise, tmp_path: Path) -> None:
    """A folder with unrelated files can become a workspace."""
    (tmp_path / "notes.txt").write_text("mine")
    start(exercise, tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_links_out_of_the_target_are_not_followed(tmp_path: Path) -> None:
    """A subfolder that is a link would put files elsewhere."""
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "exercise"
    (root / "starter" / "src").mkdir(parents=True)
    (root / "starter" / "src" / "a.py").write_text("")
    (root / "README.md").write_text("# X\n")
    exercise = replace(load_exercise(VALID / "word-count"), root=root)
    target = tmp_path / "work"
    target.mkdir()
    (target / "src").symlink_to(outside)
    with pytest.raises(UsageError, match="is not a plain folder"):
        start(exercise, target)
    assert list(outside.iterdir()) == []
    assert [path.name for path in target.iterdir()] == ["src"]


def test_a_link_in_the_starter_is_the_authors_mistake(tmp_path: Path) -> None:
    """Nothing outside the exercise is ever copied."""
    root = tmp_path / "exercise"
    (root / "starter").mkdir(parents=True)
    (root / "starter" / "a.py").symlink_to("/etc/passwd")
    (root / "README.md").write_text("# X\n")
    exercise = replace(load_exercise(VALID / "word-count"), root=root)
    with pytest.raises(ExerciseError, match="symbolic link"):
        start(exercise, tmp_path / "work")


def test_a_start_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    """When a file cannot be written, what was written is removed again."""
    root = tmp_path / "exercise"
    (root / "starter").mkdir(parents=True)
    (root / "starter" / "a.py").write_text("")
    (root / "README.md").write_text("# X\n")
    exercise = replace(load_exercise(VALID / "word-count"), root=root)
    target = tmp_path / "work"
    target.mkdir()
    (target / ".grader.json").mkdir()  # cannot be replaced by a file
    with pytest.raises(UsageError, match="cannot be written"):
        start(exercise, target)
    assert [path.name for path in target.iterdir()] == [".grader.json"]


def test_a_target_that_is_a_file_is_wrong_usage(exercise: Exercise, tmp_path: Path) -> None:
    """The message names the place."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError):
        start(exercise, tmp_path / "file")


def test_a_workspace_is_found_from_its_subfolders(exercise: Exercise, tmp_path: Path) -> None:
    """Commands work wherever the learner stands."""
    start(exercise, tmp_path, seed=3)
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert read(deep) == read(tmp_path)
    assert read(deep).root == tmp_path


def test_no_workspace_says_how_to_make_one(tmp_path: Path) -> None:
    """The fix is a command."""
    with pytest.raises(UsageError, match="is not in a workspace") as raised:
        read(tmp_path)
    assert raised.value.fix == "make one with: grader start SLUG"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ('{"format": 1, "slug": 3}', "is damaged"),
        ("\udcff", "is damaged"),
        (
            '{"format": 2, "slug": "x", "exercise": null, "version": 1, "seed": 1}',
            "has format 2; this grader reads format 1",
        ),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    """The file and what is wrong with it are told."""
    (tmp_path / ".grader.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match=message) as raised:
        read(tmp_path)
    assert str(tmp_path / ".grader.json") in raised.value.message
    assert raised.value.fix


def test_tries_are_counted_in_one_step(exercise: Exercise, tmp_path: Path) -> None:
    """The number grows, everything else stays, and no temporary file is left."""
    start(exercise, tmp_path, seed=3)
    assert [count_attempt(tmp_path), count_attempt(tmp_path)] == [1, 2]
    assert (read(tmp_path).attempts, read(tmp_path).seed) == (2, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".grader.json",
        "README.md",
        "words.py",
    ]


def test_a_workspace_is_found_from_below_and_through_links(
    exercise: Exercise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is where a folder is, not by which name it was reached."""
    work = tmp_path / "work"
    start(exercise, work)
    (work / "inner").mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "link").symlink_to(work / "inner")
    monkeypatch.chdir(elsewhere)
    for path in (Path("link"), Path("../work/inner"), work / "inner" / "new"):
        assert read(path).root == work


def test_what_a_path_only_passes_is_not_above_it(exercise: Exercise, tmp_path: Path) -> None:
    """`work/../outside` is not in `work`, nor is a folder that a link in `work` points at."""
    start(exercise, tmp_path / "work")
    (tmp_path / "outside").mkdir()
    (tmp_path / "work" / "link").symlink_to(tmp_path / "outside")
    for path in (tmp_path / "work" / ".." / "outside", tmp_path / "work" / "link"):
        with pytest.raises(UsageError, match="is not in a workspace"):
            read(path)


def test_links_in_a_circle_are_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(UsageError):
        read(tmp_path / "a")
