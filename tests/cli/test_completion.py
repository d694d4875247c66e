"""What a shell is answered, asked as the scripts of `grader completion` ask."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader import shipped
from grader.catalog import load_exercise, slugs


def grader(folder: Path, *arguments: str, **environment: str) -> str:
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "grader", *arguments],
        cwd=folder,
        env={**kept, "HOME": str(folder), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def completed(folder: Path, line: str) -> list[str]:
    """What bash is offered for the last word of a line."""
    words = line.split(" ")
    asked = {
        "_GRADER_COMPLETE": "complete_bash",
        "COMP_WORDS": "\n".join(words) if words[-1] else "\n".join(words[:-1]),
        "COMP_CWORD": str(len(words) - 1),
    }
    return grader(folder, **asked).split()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    grader(tmp_path, "start", "python-basics")
    return tmp_path / "python-basics"


@pytest.mark.parametrize("line", ["grader start ", "grader history ", "grader grade . --exercise "])
def test_exercises(tmp_path: Path, line: str) -> None:
    assert completed(tmp_path, line) == list(slugs(shipped.exercises()))
    assert completed(tmp_path, f"{line}python-b") == ["python-basics"]


def test_exercises_of_another_catalog(tmp_path: Path) -> None:
    (tmp_path / "mine" / "word-count").mkdir(parents=True)
    (tmp_path / "mine" / "word-count" / "exercise.yaml").touch()
    assert completed(tmp_path, "grader --exercises mine start ") == ["word-count"]


def test_tasks_and_checks_of_where_one_is(work: Path) -> None:
    exercise = load_exercise(shipped.exercises() / "python-basics")
    assert completed(work, "grader hint ") == [task.id for task in exercise.tasks]
    names = [check.name for check in exercise.checks]
    assert sorted(completed(work, "grader check --only ")) == sorted(names)
    assert completed(work, "grader hint tot") == ["total-per-customer"]


def test_where_there_is_nothing_nothing_is_said(tmp_path: Path) -> None:
    """No error in the middle of a line that somebody types."""
    assert completed(tmp_path, "grader hint ") == []
    assert completed(tmp_path, "grader --exercises nowhere start ") == []


def test_commands(tmp_path: Path) -> None:
    assert completed(tmp_path, "grader hi") == ["hint", "history"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_the_script_asks_grader(tmp_path: Path, shell: str) -> None:
    script = grader(tmp_path, "completion", shell)
    assert "_GRADER_COMPLETE" in script
    assert f"complete_{shell}" in script


def test_bash_completes(tmp_path: Path) -> None:
    """The script in a real shell, with the grader of this test."""
    command = tmp_path / "grader"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m grader "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    typed = (
        "source <(grader completion bash); COMP_WORDS=(grader start python-b); COMP_CWORD=2; "
        '_grader_completion grader; echo "${COMPREPLY[@]}"'
    )
    path = f"{tmp_path}:{os.environ['PATH']}"
    kept = {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}
    done = subprocess.run(
        ["bash", "-c", typed],
        env={**kept, "PATH": path, "HOME": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("python-basics\n", "")
