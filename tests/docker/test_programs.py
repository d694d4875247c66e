"""Programs in Docker: servers, daemons, replicas, fresh runs, and every way they can end."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.catalog import load_exercise
from grader.engine.docker.engine import DockerEngine
from grader.grade import GradeOptions, grade
from grader.model.report import CheckResult
from grader.workspace.snapshot import snapshot_folder

pytestmark = pytest.mark.docker
PROGRAMS = Path(__file__).parent.parent / "data" / "graded" / "programs"


@pytest.fixture(scope="module")
def results(docker_engine: DockerEngine) -> dict[str, CheckResult]:
    """One run over all of them."""
    exercise = load_exercise(PROGRAMS)
    submission = snapshot_folder(exercise.solution, exercise.submit, exercise.limits)
    report = grade(exercise, submission, docker_engine, GradeOptions(seed=5), lambda _: None)
    assert report.error == ""
    return {check.id: check for check in report.checks()}


def test_every_check_ends_as_its_name_says(results: dict[str, CheckResult]) -> None:
    """test_passed_... passed, test_broke_ready_... broke before it was ready, and so on."""
    wrong = {}
    for name, result in results.items():
        words = name.split("_")
        if result.outcome != words[1] or (words[1] == "broke" and result.reason != words[2]):
            wrong[name] = (result.outcome, result.reason, result.message, result.got, result.log)
    assert wrong == {}
