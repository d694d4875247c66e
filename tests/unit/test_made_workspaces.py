"""Workspaces that a program made: started, put back and handed in, without an engine."""

from __future__ import annotations

import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from grader.catalog import load_exercise
from grader.engine.fake import FakeEngine
from grader.errors import ExerciseError, SubmissionError
from grader.grade import GradeOptions, grade
from grader.making import Maker
from grader.model.submission import Submission, SubmittedFile, seed_file
from grader.workspace.reset import reset
from grader.workspace.snapshot import snapshot
from grader.workspace.start import start

DATA = Path(__file__).parent.parent / "data" / "graded" / "repository"
EXERCISE = load_exercise(DATA)
ID = "ab" * 19


def made(seed: int) -> list[SubmittedFile]:
    """As generate.py would have made them."""
    return [
        SubmittedFile(path="README.md", content=b"# x"),
        SubmittedFile(path="run.sh", content=b"#!/bin/sh\n", executable=True),
        SubmittedFile(path="work/.git/HEAD", content=b"ref: refs/heads/main\n"),
        SubmittedFile(path=f"work/.git/objects/0a/{ID}", content=str(seed).encode()),
        SubmittedFile(path="work/.git/refs/tags", folder=True),
        SubmittedFile(path="work/a.txt", content=b"first\n"),
    ]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    start(EXERCISE, tmp_path / "w", seed=7, files=made)
    return tmp_path / "w"


def test_a_workspace_is_made_for_its_seed(work: Path) -> None:
    """The files of that seed, empty folders and executable files included."""
    assert (work / f"work/.git/objects/0a/{ID}").read_bytes() == b"7"
    assert (work / "work/.git/refs/tags").is_dir()
    assert (work / "run.sh").stat().st_mode & 0o100
    assert json.loads((work / ".grader.json").read_text())["seed"] == 7


def test_starting_again_leaves_a_repository_alone(work: Path) -> None:
    """A file of the start that git has removed or renamed does not come back into it."""
    (work / f"work/.git/objects/0a/{ID}").unlink()
    (work / "work/a.txt").unlink()
    assert start(EXERCISE, work, files=made) == [work / "work" / "a.txt"]


def test_a_repository_is_put_back_as_a_whole(work: Path) -> None:
    """What git has left in it is gone, what was there is kept, and other files stay."""
    (work / "work/.git/MERGE_HEAD").write_text("half a merge")
    (work / f"work/.git/objects/0a/{ID}").unlink()
    (work / "work/mine.txt").write_text("mine")
    done = reset(EXERCISE, work, made(7))
    assert done.files == ("work/.git",)
    assert not (work / "work/.git/MERGE_HEAD").exists()
    assert (work / f"work/.git/objects/0a/{ID}").read_bytes() == b"7"
    assert (work / "work/.git/refs/tags").is_dir()
    assert (work / "work/mine.txt").read_text() == "mine"
    assert done.backup is not None
    assert (done.backup / "work/.git/MERGE_HEAD").read_text() == "half a merge"
    assert reset(EXERCISE, work, made(7)).files == ()


def test_a_submission_says_whose_it_is(work: Path, tmp_path: Path) -> None:
    """In a folder and in an archive; how often it was checked makes no difference."""
    handed = snapshot(work, EXERCISE.submit, EXERCISE.limits)
    assert handed.seed == 7
    info = json.loads((work / ".grader.json").read_text())
    (work / ".grader.json").write_text(json.dumps({**info, "attempts": 99}))
    assert snapshot(work, EXERCISE.submit, EXERCISE.limits).digest == handed.digest
    with tarfile.open(tmp_path / "w.tar.gz", "w:gz") as tar:
        tar.add(work, "w")
    archived = snapshot(tmp_path / "w.tar.gz", EXERCISE.submit, EXERCISE.limits)
    assert archived.digest == handed.digest


@pytest.mark.parametrize("content", [None, "", "[]", '{"seed": -1}', '{"seed": "7"}', "[" * 9999])
def test_a_submission_without_a_seed_is_refused(work: Path, content: str | None) -> None:
    """Graded against the material of another learner it would be a wrong zero."""
    (work / ".grader.json").unlink()
    if content is not None:
        (work / ".grader.json").write_text(content)
    with pytest.raises(SubmissionError) as caught:
        snapshot(work, EXERCISE.submit, EXERCISE.limits)
    assert caught.value.problems[0].file == ".grader.json"


def test_the_seed_of_the_submission_counts() -> None:
    """Whatever else grading was told of the learner."""
    engine = FakeEngine(checks=({"id": "test_a", "task": "all", "title": "A.", "points": 1},))
    submission = Submission(files=(seed_file(7),))
    exercise = replace(EXERCISE, generate=None)
    grade(exercise, submission, engine, GradeOptions(seed=1, learner_seed=8), lambda _: None)
    assert engine.sessions[0].sent[0]["learner_seed"] == 7


def test_nothing_is_made_where_nothing_has_to_be() -> None:
    """An exercise of files needs no session for what is handed in."""
    engine = FakeEngine()
    exercise = replace(EXERCISE, generate=None, solve=())
    source = Submission(files=(SubmittedFile(path="a", content=b"a"),))
    assert Maker(exercise, engine, lambda _: None).submission(source, 1) is source
    assert engine.sessions == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("generate: generate.py\n", "", "git: an exercise holds no repository"),
        ("generate.py", "other.py", "the file 'other.py' is missing"),
        ("generate.py", "../generate.py", "must not lead out of its folder"),
        ("{git: work}", "{git: work, path: x}", "wants either path or git"),
        ("{git: work}", "{optional: true}", "wants either path or git"),
        ("{git: work}", "{git: work, optional: true}", "without other options"),
        ("{git: work}", "{git: '*.git'}", "without other options"),
        ("{git: work}", "{git: /work}", "must be a relative path"),
    ],
)
def test_what_an_author_may_get_wrong(tmp_path: Path, old: str, new: str, said: str) -> None:
    import shutil

    folder = tmp_path / "repository"
    shutil.copytree(DATA, folder)
    contract = folder / "exercise.yaml"
    contract.write_text(contract.read_text().replace(old, new))
    with pytest.raises(ExerciseError) as caught:
        load_exercise(folder)
    assert said in " ".join(str(one) for one in caught.value.problems)
