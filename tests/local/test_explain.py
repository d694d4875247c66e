"""`grader explain` without Docker: real checks, run again, and what they looked at."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Grader = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def grader(tmp_path: Path) -> Iterator[Grader]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GRADER_")}
    env |= {"GRADER_STATE_DIR": str(tmp_path / "state"), "GRADER_ENGINE": "local"}
    env |= {"GRADER_DATA_DIR": str(tmp_path / "data"), "COLUMNS": "80"}

    def run(*arguments: str, cwd: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "grader", *arguments]
        return subprocess.run(
            command, cwd=cwd, env=env, capture_output=True, text=True, timeout=120
        )

    yield run
    run("stop")


def test_a_value_that_is_printed_and_not_returned(grader: Grader, tmp_path: Path) -> None:
    """The call is shown with its arguments and what came back, and the near miss is named."""
    grader("start", "python-basics")
    work = tmp_path / "python-basics"
    done = grader("explain", "test_reads_a_tidy_line", "--seed", "7", cwd=work)
    assert done.returncode == 1, done.stderr
    text = " ".join(done.stdout.split())
    assert "It looked at: 1 orders.read_line('" in text
    assert "nearly: orders.read_line() returned (), and your program printed something" in text
    assert "grader check --only test_reads_a_tidy_line --seed 7" in text
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert '"attempts": 0' in (work / ".grader.json").read_text()  # it is no attempt


def test_a_server_at_another_port(grader: Grader, tmp_path: Path) -> None:
    """Where it listens instead is part of what the check says."""
    grader("start", "http-rest")
    work = tmp_path / "http-rest"
    program = work / "bookshelf.py"
    program.write_text(program.read_text().replace('os.environ.get("PORT", "8000")', '"8000"'))
    done = grader("explain", "test_post_creates_a_book", cwd=work)
    assert done.returncode == 1, done.stderr
    text = " ".join(done.stdout.split())
    assert "It looked at: 1 started the program 'bookshelf'" in text
    assert "127.0.0.1 at the port in PORT, which is " in text
    assert ", but on 127.0.0.1:8000." in text


def test_an_unknown_check_names_those_there_are(grader: Grader, tmp_path: Path) -> None:
    grader("start", "python-basics")
    done = grader("explain", "test_nothing", cwd=tmp_path / "python-basics")
    assert done.returncode == 2
    assert "test_reads_a_tidy_line" in done.stderr
