"""What is handed in is what was checked."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.model.exercise import Limits, SubmitRule
from grader.model.submission import Submission, SubmittedFile
from grader.workspace.handin import check_replaceable, pack
from grader.workspace.snapshot import snapshot_archive

MADE = Submission(
    files=(
        SubmittedFile(path="run.sh", content=b"echo 1\n", executable=True),
        SubmittedFile(path="data", folder=True),
        SubmittedFile(path="src/a.py", content=b"x = 1\n"),
    )
)


def test_it_is_graded_as_the_same_submission(tmp_path: Path) -> None:
    """Modes and empty folders included; the report inside is no file of it."""
    path = tmp_path / "work.zip"
    path.write_bytes(pack(MADE, b"{}\n"))
    everything = (SubmitRule(path="**"),)
    assert snapshot_archive(path, everything, Limits()).digest == MADE.digest
    with zipfile.ZipFile(path) as archive:
        assert archive.read(".grader-report.json") == b"{}\n"


def test_the_same_files_make_the_same_archive() -> None:
    again = Submission(files=MADE.files[::-1])
    assert pack(MADE, b"{}") == pack(again, b"{}")


def test_only_an_earlier_hand_in_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "work.zip"
    check_replaceable(path)
    path.write_bytes(pack(MADE, b"{}"))
    check_replaceable(path)
    for content in (b"", b"my own", b"PK\x05\x06" + b"\0" * 18):
        path.write_bytes(content)
        with pytest.raises(UsageError, match="no archive of grader submit"):
            check_replaceable(path)
