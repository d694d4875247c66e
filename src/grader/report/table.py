"""A report as CSV, one row for each check, for spreadsheets and scripts."""

from __future__ import annotations

import csv
import io
from typing import Any

from grader.model.report import CheckResult, Report
from grader.report.prose import graded, summary_line
from grader.report.text import one_line

COLUMNS = (
    "exercise",
    "exercise_version",
    "submission",
    "seed",
    "status",
    "score",
    "task",
    "check",
    "title",
    "outcome",
    "points",
    "earned",
    "seconds",
    "message",
)
_FORMULA = ("=", "+", "-", "@")


def to_csv(report: Report) -> str:
    """The report as CSV (RFC 4180, lines end with a line feed). No score: empty, not 0."""
    written = io.StringIO()
    writer = csv.DictWriter(written, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    whole = {
        "exercise": report.exercise,
        "exercise_version": report.exercise_version,
        "submission": report.submission,
        "seed": report.seed,
        "status": report.status.value,
        "score": report.score if graded(report) else "",
    }
    rows = [{**whole, **_cells(check, report)} for check in report.checks()]
    for row in rows or [{**whole, "message": report.error}]:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return written.getvalue()


def _cells(check: CheckResult, report: Report) -> dict[str, Any]:
    return {
        "task": check.task,
        "check": check.id,
        "title": check.title,
        "outcome": check.outcome.value,
        "points": check.points,
        "earned": check.earned if graded(report) else "",
        "seconds": round(check.seconds, 3),
        "message": summary_line(check, report),
    }


def _cell(value: object) -> object:
    """One line that no spreadsheet takes for a formula."""
    if not isinstance(value, str):
        return value
    text = one_line(value, 500)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
