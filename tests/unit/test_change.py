"""What `--watch` shows of a run: the verdict, what changed, the current task."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from grader.model.report import CheckResult, Outcome, Report, Status, TaskResult
from grader.report.change import change, changed
from grader.report.details import Commands
from grader.report.marks import UNICODE
from tests.unit.reports import FAILED as STORED
from tests.unit.reports import stored


def shown(before: Report | None, now: Report) -> str:
    console = Console(file=io.StringIO(), width=80, color_system=None)
    with console.capture() as captured:
        for part in change(before, now, Commands(), "12:00:00", UNICODE):
            console.print(part)
    return captured.get()


def with_outcomes(*outcomes: Outcome) -> Report:
    """Two tasks of two checks each."""
    checks = tuple(
        CheckResult(
            id=f"test_{number}",
            task=f"t{number // 2}",
            title=f"Title {number}",
            outcome=outcome,
            points=1,
            earned=float(outcome is Outcome.PASSED),
        )
        for number, outcome in enumerate(outcomes)
    )
    tasks = tuple(
        TaskResult(id=f"t{n}", title=f"T{n}", points=2, earned=1, hints=(), checks=part)
        for n, part in enumerate((checks[:2], checks[2:]))
    )
    passed = all(one is Outcome.PASSED for one in outcomes)
    status = Status.PASSED if passed else Status.FAILED
    return replace(stored(STORED), tasks=tasks, status=status)


PASSED, FAILED, BROKE = Outcome.PASSED, Outcome.FAILED, Outcome.BROKE


def test_a_first_run_shows_the_first_task_that_is_not_done_and_no_other() -> None:
    text = shown(None, with_outcomes(PASSED, PASSED, FAILED, BROKE))
    assert "Task 2 of 2" in text
    assert "Task 1" not in text
    assert "changed" not in text


def test_what_changed_is_named_in_both_directions() -> None:
    before = with_outcomes(PASSED, FAILED, FAILED, PASSED)
    now = with_outcomes(FAILED, PASSED, FAILED, PASSED)
    assert [one.id for one in changed(before, now)] == ["test_0", "test_1"]
    assert "2 checks changed:" in shown(before, now)
    assert "No check changed." in shown(now, now)


@pytest.mark.parametrize("order", [1, -1])
def test_a_run_without_a_score_changes_nothing(order: int) -> None:
    """An error of ours is no progress and no setback."""
    good = with_outcomes(PASSED, PASSED, PASSED, FAILED)
    lost = replace(good, status=Status.ERROR, score=None, error="postgres is gone")
    assert changed(*(good, lost)[::order]) == []
    text = shown(good, lost)
    assert "Not graded" in text
    assert "postgres is gone" in text
    assert "Task" not in text


def test_all_passed_shows_no_task() -> None:
    text = shown(with_outcomes(PASSED, PASSED, PASSED, FAILED), with_outcomes(*[PASSED] * 4))
    assert "1 check changed:" in text
    assert "Task" not in text
