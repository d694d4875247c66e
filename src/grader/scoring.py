"""From check results to a report: points, partial credit, the score out of 100. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grader.judging import shown
from grader.model.report import Check, CheckResult, Outcome, Report, Status, TaskResult
from grader.supply import Work


def make_report(work: Work, engine: str, results: list[CheckResult], fault: str) -> Report:
    """The report on one run. With a fault of ours it has no score, whatever passed."""
    exercise = work.exercise
    tasks = tuple(
        TaskResult(
            id=task.id,
            title=task.title,
            points=sum(result.points for result in results if result.task == task.id),
            earned=sum(result.earned for result in results if result.task == task.id),
            hints=task.hints,
            checks=tuple(result for result in results if result.task == task.id),
        )
        for task in exercise.tasks
        if not work.only or any(result.task == task.id for result in results)
    )
    points = sum(task.points for task in tasks)
    earned = sum(task.earned for task in tasks)
    score = None if fault or not points else 100 * earned / points
    return Report(
        exercise=exercise.slug,
        exercise_title=exercise.title,
        exercise_version=exercise.version,
        submission=work.submission.digest,
        engine=engine,
        seed=work.seed,
        status=_status(score, exercise.passing, results),
        score=None if score is None else round(score, 2),
        passing=exercise.passing,
        points=points,
        earned=earned,
        partial=bool(work.only),
        seconds=sum(result.seconds for result in results),
        tasks=tasks,
        error=fault,
    )


def _status(score: float | None, passing: int, results: Sequence[CheckResult]) -> Status:
    """100 asked for means that every check passed: credit for all points does not stand for it."""
    if score is None:
        return Status.ERROR
    every = all(result.outcome is Outcome.PASSED for result in results)
    return Status.PASSED if score >= passing - 1e-9 and (every or passing < 100) else Status.FAILED


def overloaded(
    work: Work, results: Sequence[CheckResult], unfinished: Sequence[Check]
) -> list[CheckResult]:
    """What a submission gets that made a server or the judge fail twice: those checks broke."""
    text = "{} stopped answering while your program ran, twice; without it, it is well."
    known = [
        replace(
            result,
            outcome=Outcome.BROKE,
            reason=f"overloaded {result.reason}".rstrip(),
            message=text.format(result.reason or "A server"),
        )
        if result.outcome is Outcome.ERROR
        else result
        for result in results
    ]
    lost = [
        CheckResult(
            id=check.id,
            task=check.task,
            title=check.title,
            outcome=Outcome.BROKE,
            points=check.points,
            earned=0.0,
            reason="overloaded",
            message=text.format("A server"),
        )
        for check in unfinished
    ]
    return known + [
        shown(result, check, work) for result, check in zip(lost, unfinished, strict=True)
    ]
