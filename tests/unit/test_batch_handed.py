"""What was handed in is found, whatever the platform that it comes from."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from grader.batch.handed import discover
from grader.errors import UsageError


def _folder(path: Path) -> Path:
    path.mkdir(parents=True)
    (path / "answer.py").write_text("x = 1\n")
    return path


def _zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("answer.py", "x = 1\n")
    return path


def test_folders_and_archives(tmp_path: Path) -> None:
    """Each is one learner's; what is neither is named, hidden files are not."""
    _folder(tmp_path / "cyd")
    _zip(tmp_path / "ann.zip")
    _zip(tmp_path / "bob.v2.TAR.GZ")
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".DS_Store").touch()
    found = discover(tmp_path)
    assert [one.learner for one in found.submissions] == ["ann", "bob.v2", "cyd"]
    assert found.ignored == ["notes.txt"]
    assert all(one.time is not None for one in found.submissions)


def test_gradescope(tmp_path: Path) -> None:
    """Members of a group are graded one by one, each with the group's files."""
    _folder(tmp_path / "submission_1")
    _folder(tmp_path / "submission_2")
    (tmp_path / "submission_metadata.yml").write_text(
        """---
submission_1:
  :submitters:
  - :name: Ann Lee
    :sid: '0042'
    :email: ann@example.org
  - :name: Bob Roe
    :email: bob@example.org
  :created_at: 2026-03-01 17:59:00.5 +0100
  :score: 0.0
submission_2:
  :submitters:
  - :name: Cyd Poe
    :sid: ''
    :email: cyd@example.org
  :created_at: 2026-03-01 18:00:00 Z
submission_3:
  :submitters:
  - :sid: '7'
"""
    )
    found = discover(tmp_path)
    assert [(one.learner, one.name, one.path.name) for one in found.submissions] == [
        ("0042", "Ann Lee", "submission_1"),
        ("bob@example.org", "Bob Roe", "submission_1"),
        ("cyd@example.org", "Cyd Poe", "submission_2"),
    ]
    assert found.submissions[0].time == datetime(2026, 3, 1, 16, 59, 0, 500_000, tzinfo=UTC)
    assert (found.layout, found.ignored) == ("Gradescope", ["submission_3"])


def test_moodle(tmp_path: Path) -> None:
    """A folder with one archive in it means the archive."""
    _folder(tmp_path / "Ann Lee_101_assignsubmission_file_")
    (tmp_path / "Bob van Roe_102_assignsubmission_file").mkdir()
    _zip(tmp_path / "Bob van Roe_102_assignsubmission_file" / "work.zip")
    _folder(tmp_path / "Ann Lee_101_assignsubmission_onlinetext_")
    found = discover(tmp_path)
    assert [(one.learner, one.name, one.path.name) for one in found.submissions] == [
        ("101", "Ann Lee", "Ann Lee_101_assignsubmission_file_"),
        ("102", "Bob van Roe", "work.zip"),
    ]
    assert found.ignored == ["Ann Lee_101_assignsubmission_onlinetext_"]


def test_canvas(tmp_path: Path) -> None:
    """The number that follows the name is the learner's."""
    _zip(tmp_path / "leeann_501_9001_work.zip")
    _zip(tmp_path / "roebob_LATE_502_9002_work-1.zip")
    (tmp_path / "poecyd_503_9003_answer.py").touch()
    found = discover(tmp_path)
    assert [(one.learner, one.name) for one in found.submissions] == [
        ("501", "leeann"),
        ("502", "roebob"),
    ]
    assert found.ignored == ["poecyd_503_9003_answer.py"]


def test_a_list(tmp_path: Path) -> None:
    """Paths start at the list; columns nobody knows are left alone."""
    _folder(tmp_path / "work" / "a")
    _zip(tmp_path / "b.zip")
    file = tmp_path / "class.csv"
    file.write_text(
        "﻿group,learner,path,time,name\r\n"
        '1,bob,b.zip,2026-03-01T17:59:00+01:00,"Roe, Bob"\r\n'
        "1,ann,work/a,,\r\n"
    )
    ann, bob = discover(file).submissions
    assert (ann.learner, ann.path, bob.name) == ("ann", tmp_path / "work" / "a", "Roe, Bob")
    assert bob.time == datetime(2026, 3, 1, 16, 59, tzinfo=UTC)
    assert ann.time is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column 'learner'"),
        ("learner\nann\n", ":1: there is no column 'path'"),
        ("learner,path\nann,\n", ":2: the path is empty"),
        ("learner,path\n,b.zip\n", ":2: the learner is empty"),
        ("learner,path\nann,b.zip\nbob,gone.zip\n", ":3: "),
        ("learner,path,time\nann,b.zip,yesterday\n", ":2: 'yesterday' is no time"),
        ("learner,path\n" + "a" * 201 + ",b.zip\n", ":2: the learner has more than 200"),
        ("learner,path\n", "there is no submission in"),
        ('learner,path\n"ann,b.zip\n', "is no CSV in UTF-8"),
        ("learner,path\n\xff", "is no CSV in UTF-8"),
    ],
)
def test_a_wrong_list(tmp_path: Path, text: str, said: str) -> None:
    """The line at fault is named."""
    _zip(tmp_path / "b.zip")
    file = tmp_path / "class.csv"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError) as raised:
        discover(file)
    assert said in raised.value.message
    assert raised.value.fix


@pytest.mark.parametrize(
    "content", ["a: [", "- 1\n", "", "\x00", "a: !!python/object:os.system {}"]
)
def test_wrong_metadata(tmp_path: Path, content: str) -> None:
    """It ends with a sentence, not with what the YAML library raises."""
    (tmp_path / "submission_metadata.yml").write_text(content)
    with pytest.raises(UsageError):
        discover(tmp_path)


def test_no_submissions(tmp_path: Path) -> None:
    """An empty folder, a single archive and nothing at all are told apart."""
    with pytest.raises(UsageError, match="there is no submission in"):
        discover(tmp_path)
    with pytest.raises(UsageError, match=r"neither a folder nor a \.csv list"):
        discover(_zip(tmp_path / "a.zip"))
    with pytest.raises(UsageError, match="does not exist"):
        discover(tmp_path / "gone")
