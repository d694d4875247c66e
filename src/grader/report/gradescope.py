"""A report as the `results.json` of a Gradescope autograder.

Source: gradescope-autograders.readthedocs.io, "Autograder Specifications". The assignment is to be
worth 100 points: the score at the top counts, the tests show where it comes from.
"""

from __future__ import annotations

from typing import Any

from grader.model.report import CheckResult, Outcome, Report, TaskResult
from grader.report.context import Context
from grader.report.forms import Audience
from grader.report.jsonform import plain_json
from grader.report.prose import NOT_YOURS, explanation, facts, graded, identity, verdict
from grader.report.text import one_line


def to_gradescope(report: Report, context: Context) -> str:
    """The report as JSON. Without a score it has no tests either.

    Gradescope asks for a score, at the top or with each test; where there is none it takes the run
    for one that failed and gives no points. A zero, or tests that add up to one, would count.
    """
    for_learner = context.audience is Audience.LEARNER
    result: dict[str, Any] = {
        "output": "\n".join(_words(report)),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible" if for_learner else "hidden",
        "stdout_visibility": "hidden",
        "extra_data": {
            "exercise": one_line(report.exercise),
            "exercise_version": report.exercise_version,
            "submission": one_line(report.submission),
            "engine": one_line(report.engine),
            "seed": report.seed,
            "status": report.status.value,
        },
        "execution_time": round(report.seconds, 3),
    }
    if graded(report):
        result["score"] = report.score
        result["tests"] = [
            _test(f"{number}.{position}", check, task, report, context)
            for number, task in enumerate(report.tasks, start=1)
            for position, check in enumerate(task.checks, start=1)
        ]
    return plain_json(result)


def _words(report: Report) -> list[str]:
    lines = [f"{one_line(report.exercise_title)}: {verdict(report)}"]
    if graded(report):
        lines.append(", ".join(facts(report)))
    else:
        lines += [one_line(report.error, 500) or "grader or its servers failed", NOT_YOURS]
    return [*lines, ", ".join(identity(report))]


def _test(
    number: str, check: CheckResult, task: TaskResult, report: Report, context: Context
) -> dict[str, Any]:
    passed = check.outcome is Outcome.PASSED
    lines = explanation(check, report, task)
    if check.outcome in (Outcome.FAILED, Outcome.BROKE):
        lines.append(f"again: {context.at_home(check, report)}")
    return {
        "name": one_line(check.title),
        "number": number,
        "score": check.earned,
        "max_score": check.points,
        "status": "passed" if passed else "failed",
        "output": "\n".join(lines),
        "extra_data": {"check": one_line(check.id), "outcome": check.outcome.value},
    }
