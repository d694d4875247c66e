"""The five outcomes without Docker: every check of the data exercises ends as it does in Docker."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from grader.catalog import load_exercise
from grader.grade import GradeOptions, grade
from grader.model.progress import Progress, Retrying
from grader.model.report import CheckResult
from grader.workspace.snapshot import snapshot_folder
from tests.docker import test_documents
from tests.docker.test_limits import HOSTILE, OVERLOAD, PASSED, compare

if TYPE_CHECKING:
    from grader.engine.local.engine import LocalEngine

GRADED = Path(__file__).parent.parent / "data" / "graded"
Results = dict[str, CheckResult]

NOT_LIMITED = ("fill_inodes", "fill_inodes_of_tmp", "fill_inodes_of_slot")
"""bubblewrap limits the bytes of a tmpfs, and not its files: time ends these."""
FULL = r"Your code raised {}: could not extend file .*: File too large\nHINT: .*"
HERE = {
    **HOSTILE,
    **dict.fromkeys(NOT_LIMITED, ("broke", "timeout", r"fill_inodes\(\) did not .* within 5 s\.")),
}
THERE = {
    **OVERLOAD,
    # A file of the server has a size here, and its folder has none.
    "postgres_disk": ("broke", "crash", FULL.format("InternalError_")),
    "postgres_many_small_writes": (
        "broke",
        "crash|timeout",
        f"{FULL.format('InternalError_')}|.* did not finish within 5 s.*",
    ),
}


def _results(engine: LocalEngine, name: str, folder: str, retries: int = 0) -> Results:
    exercise = load_exercise(GRADED / name)
    submission = snapshot_folder(exercise.root / folder, exercise.submit, exercise.limits)
    told: list[Progress] = []
    report = grade(exercise, submission, engine, GradeOptions(seed=5, trusted=True), told.append)
    assert report.error == ""
    assert len([event for event in told if isinstance(event, Retrying)]) == retries
    return {check.id: check for check in report.checks()}


def _as_named(results: Results) -> dict[str, tuple[str, ...]]:
    """The checks that do not end as their names say, and how they end."""
    wrong: dict[str, tuple[str, ...]] = {}
    for name, result in results.items():
        words = name.split("_")
        expected = "passed" if name == "test_first" else words[1]
        if result.outcome != expected or (expected == "broke" and result.reason != words[2]):
            wrong[name] = (result.outcome.value, result.reason, result.message, result.log)
    return wrong


@pytest.mark.parametrize("name", ["outcomes", "programs"])
def test_every_check_ends_as_its_name_says(local_engine: LocalEngine, name: str) -> None:
    """test_passed_... passed, test_broke_timeout_... broke by timeout, and so on."""
    results = _results(local_engine, name, "solution")
    assert _as_named(results) == {}
    assert len(results) > 30


def test_hostile_programs_meet_their_limits(local_engine: LocalEngine) -> None:
    """The same outcome, reason and message as in Docker, and an honest check behind each."""
    results = _results(local_engine, "hostile", "solution")
    assert len(results) == 2 * len(HERE)
    for name, expected in HERE.items():
        compare(results[f"test_program[{name}-hostile]"], expected)
        compare(results[f"test_program[{name}-after]"], PASSED)


def test_attacks_on_servers_break_their_own_check(local_engine: LocalEngine) -> None:
    """The same for those who take PostgreSQL or Redis down."""
    results = _results(local_engine, "overload", "hostile", retries=1)
    assert len(results) == 2 * len(THERE)
    for name, expected in THERE.items():
        compare(results[f"test_program[{name}-hostile]"], expected)
        compare(results[f"test_program[{name}-after]"], PASSED)


def test_the_service_mongodb_is_as_in_docker(local_engine: LocalEngine) -> None:
    """Reset, accounts, links, expiry."""
    assert test_documents.as_named(test_documents.results(local_engine, "solution")) == {}


def test_attacks_on_mongodb_break_their_own_check(local_engine: LocalEngine) -> None:
    test_documents.attacked(local_engine)
