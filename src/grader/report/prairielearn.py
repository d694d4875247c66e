"""A report as the `results.json` of an external grader of PrairieLearn.

Source: prairielearn.readthedocs.io, "External grading".
"""

from __future__ import annotations

from typing import Any

from grader.model.report import CheckResult, Outcome, Report, TaskResult
from grader.report.context import Context
from grader.report.jsonform import plain_json
from grader.report.prose import (
    NOT_YOURS,
    explanation,
    facts,
    graded,
    identity,
    summary_line,
    verdict,
)
from grader.report.text import one_line

LARGEST_OUTPUT = 400_000
"""Bytes of all messages and outputs; PrairieLearn takes no file of more than 1 MB."""


def to_prairielearn(report: Report, context: Context) -> str:
    """The report as JSON. One without a score is not gradable: it costs the learner no attempt."""
    if not graded(report):
        reason = one_line(report.error, 500) or "grader or its servers failed"
        told = f"{reason}\n{NOT_YOURS}"
        return plain_json({"gradable": False, "message": told, "format_errors": [told]})
    tests = [_test(check, task, report, context) for task in report.tasks for check in task.checks]
    _fit(tests)
    return plain_json(
        {
            "gradable": True,
            "score": (report.score or 0) / 100,
            "message": f"{one_line(report.exercise_title)}: {verdict(report)}",
            "output": "\n".join([", ".join(facts(report)), ", ".join(identity(report))]),
            "tests": tests,
        }
    )


def _test(check: CheckResult, task: TaskResult, report: Report, context: Context) -> dict[str, Any]:
    lines = explanation(check, report, task)
    if check.outcome in (Outcome.FAILED, Outcome.BROKE):
        lines.append(f"again: {context.at_home(check, report)}")
    return {
        "name": one_line(check.title),
        "description": one_line(task.title),
        "points": check.earned,
        "max_points": check.points,
        "message": summary_line(check, report),
        "output": "\n".join(lines),
    }


def _fit(tests: list[dict[str, Any]]) -> None:
    """Leave out the last messages and outputs when all are too long."""
    left = LARGEST_OUTPUT
    for test in tests:
        left -= len(plain_json([test["message"], test["output"]]).encode())
        if left < 0:
            test["message"] = ""
            test["output"] = "Left out: all outputs together would be too long."
