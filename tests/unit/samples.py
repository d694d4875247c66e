"""Values that many unit tests need: a small exercise on disk, a submission, a listener."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from grader.model.exercise import CheckDeclaration, Exercise, Limits, SubmitRule, Task
from grader.model.progress import Progress
from grader.model.submission import Submission, SubmittedFile

SUBMISSION = Submission(files=(SubmittedFile(path="answer.py", content=b"def answer(): ...\n"),))


def check(name: str, **values: Any) -> dict[str, Any]:
    """A check as the judge collects it."""
    return {"id": name, "task": "first", "title": f"Title of {name}", "points": 1.0, **values}


def exercise(root: Path, *checks: Mapping[str, Any], **values: Any) -> Exercise:
    """An exercise with these checks, its hidden tests and its solution under `root`."""
    (root / "tests").mkdir()
    (root / "solution").mkdir()
    (root / "tests" / "test_answer.py").write_text("def test_a(solution): ...\n")
    (root / "solution" / "answer.py").write_text("def answer():\n    return 42\n")
    names = dict.fromkeys(str(one["id"]).partition("[")[0] for one in checks)
    made = Exercise(
        root=root,
        slug="sample",
        title="A sample",
        topic="http-rest",
        version=3,
        difficulty=1,
        minutes=10,
        runner="python",
        services={},
        env={},
        submit=(SubmitRule(path="answer.py"),),
        limits=Limits(),
        passing=100,
        show="full",
        tasks=(Task(id="first", title="First", hints=("a", "b", "c")),),
        mutants=(),
        checks=tuple(
            CheckDeclaration(name=name, task="first", title=name, file="test_answer.py", line=1)
            for name in names
        ),
    )
    return replace(made, **values)


class Recorder:
    """A listener that keeps what it was told."""

    def __init__(self) -> None:
        self.events: list[Progress] = []

    def __call__(self, event: Progress) -> None:
        self.events.append(event)
