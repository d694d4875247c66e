"""The service `mongodb` in Docker: what it promises to tests and learners, and to their limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.catalog import load_exercise
from grader.engine.base import Engine
from grader.engine.docker.engine import DockerEngine
from grader.grade import GradeOptions, grade
from grader.model.report import CheckResult
from grader.workspace.snapshot import snapshot_folder
from tests.docker.test_limits import CRASH, PASSED, compare

pytestmark = pytest.mark.docker
DOCUMENTS = Path(__file__).parent.parent / "data" / "graded" / "documents"
OVERLOADED = ("broke", "overloaded mongodb", "mongodb stopped answering while your program ran, .*")
ATTACKS = {
    "memory": (
        "broke",
        "overloaded mongodb|timeout|crash",
        f"mongodb stopped answering .*|.* did not finish within 4 s.*|{CRASH}.*",
    ),
    "regex": OVERLOADED,
    "connections": (
        "broke",
        "crash|timeout",
        f"{CRASH}OSError: .* Too many open files|.* did not finish within 4 s.*",
    ),
    "disk": (
        "broke",
        "crash|overloaded mongodb|timeout",
        f"{CRASH}.*|mongodb stopped answering .*|.* did not finish within 4 s.*",
    ),
    "unread": PASSED,
}


def results(engine: Engine, folder: str, *only: str) -> dict[str, CheckResult]:
    exercise = load_exercise(DOCUMENTS)
    submission = snapshot_folder(DOCUMENTS / folder, exercise.submit, exercise.limits)
    options = GradeOptions(seed=5, only=only, trusted=True)
    report = grade(exercise, submission, engine, options, lambda _: None)
    assert report.error == ""
    return {check.id: check for check in report.checks()}


def as_named(found: dict[str, CheckResult]) -> dict[str, tuple[str, ...]]:
    """The checks that do not end as their names say, and how they end."""
    wrong: dict[str, tuple[str, ...]] = {}
    for name, result in found.items():
        words = name.partition("[")[0].split("_")
        expected = words[1] if words[1] in ("failed", "broke") else "passed"
        if result.outcome != expected or (expected == "broke" and result.reason != words[2]):
            wrong[name] = (result.outcome.value, result.reason, result.message, result.log)
    return wrong


def attacked(engine: Engine) -> None:
    """Each attack ends as it should, and behind it an honest check finds the server as new."""
    found = results(engine, "hostile", "test_attack")
    assert len(found) == 2 * len(ATTACKS)
    for name, expected in ATTACKS.items():
        compare(found[f"test_attack[{name}-hostile]"], expected)
        compare(found[f"test_attack[{name}-after]"], PASSED)


def test_every_check_ends_as_its_name_says(docker_engine: DockerEngine) -> None:
    """Reset, accounts, links, expiry: test_passed_... passed, test_failed_... failed."""
    found = results(docker_engine, "solution")
    assert as_named(found) == {}
    assert len(found) > 35


def test_attacks_on_the_server_break_their_own_check(docker_engine: DockerEngine) -> None:
    attacked(docker_engine)
