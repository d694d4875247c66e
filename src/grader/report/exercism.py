"""A report as the `results.json` of an Exercism test runner, version 3.

Source: exercism.org/docs/building/tooling/test-runners/interface. A runner exits with 0 when it
ran well, whatever the verdict.
"""

from __future__ import annotations

from typing import Any

from grader.model.report import CheckResult, Outcome, Report, Status, TaskResult
from grader.report.context import Context
from grader.report.jsonform import plain_json
from grader.report.prose import NOT_YOURS, explanation, graded
from grader.report.text import one_line, visible

LONGEST_MESSAGE = 65_535
LONGEST_OUTPUT = 500
_STATUS = {Outcome.PASSED: "pass", Outcome.BROKE: "error"}
_CUT = "... "


def to_exercism(report: Report, context: Context) -> str:
    """The report as JSON. A run that failed on us is an `error` with a message and no tests."""
    if not graded(report):
        reason = one_line(report.error, 500) or "grader or its servers failed"
        return plain_json(
            {"version": 3, "status": "error", "message": f"{reason}\n{NOT_YOURS}", "tests": []}
        )
    tests = [
        _test(number, check, task, report, context)
        for number, task in enumerate(report.tasks, start=1)
        for check in task.checks
    ]
    status = "pass" if report.status is Status.PASSED else "fail"
    return plain_json({"version": 3, "status": status, "message": None, "tests": tests})


def _test(
    number: int, check: CheckResult, task: TaskResult, report: Report, context: Context
) -> dict[str, Any]:
    """`test_code` is how the learner repeats it: the source of hidden tests is never shown."""
    test: dict[str, Any] = {
        "name": one_line(check.title),
        "status": _STATUS.get(check.outcome, "fail"),
        "task_id": number,
        "test_code": context.at_home(check, report),
    }
    if check.outcome is not Outcome.PASSED:
        message = "\n".join(explanation(check, report, task, log=False))
        test["message"] = message[:LONGEST_MESSAGE]
        if check.log.strip():
            test["output"] = _end(visible(check.log).strip("\n"))
    return test


def _end(text: str) -> str:
    """What the program printed last says most about how it ended."""
    if len(text) <= LONGEST_OUTPUT:
        return text
    return _CUT + text[len(_CUT) - LONGEST_OUTPUT :]
