"""The learner's record as its owner meets it: real processes, without an engine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.progress.entries import Started
from grader.progress.record import Record

Grader = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def record(data: Path) -> Record:
    return Record(data)


@pytest.fixture
def grader(tmp_path: Path, data: Path) -> Grader:
    """Runs grader in an empty folder, with an empty record."""

    def run(
        *arguments: str, cwd: Path = tmp_path, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        own = {"HOME": str(tmp_path), "COLUMNS": "80", "PYTHONUTF8": "1"}
        return subprocess.run(
            [sys.executable, "-m", "grader", *arguments],
            cwd=cwd,
            env={**kept, **own, "GRADER_DATA_DIR": str(data), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )

    return run


def test_a_start_is_recorded_with_its_folder(
    grader: Grader, record: Record, tmp_path: Path
) -> None:
    done = grader("start", "python-basics", "mine")
    assert (done.returncode, done.stderr) == (0, "")
    (begun,) = record.entries()
    assert isinstance(begun, Started)
    assert begun.exercise == "python-basics"
    assert record.workspaces() == {"python-basics": tmp_path.resolve() / "mine"}


def test_a_record_that_cannot_be_written_keeps_nothing_from_starting(
    grader: Grader, data: Path
) -> None:
    data.touch()
    done = grader("start", "python-basics")
    assert done.returncode == 0
    assert done.stderr.startswith("warning: this start was not recorded: ")
    assert done.stderr.count("\n") == 1
    assert "Made in python-basics" in done.stdout
