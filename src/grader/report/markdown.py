"""A report as Markdown, for a pull request, an issue or the summary of a CI job.

Titles are escaped; whatever else came from the learner's program stands in fenced blocks, where
Markdown knows no links, no mentions and no HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.model.report import CheckResult, Outcome, Report, Status, TaskResult
from grader.report.context import Context
from grader.report.marks import UNICODE
from grader.report.prose import (
    NOT_YOURS,
    explanation,
    facts,
    graded,
    identity,
    not_passed,
    title_of,
    verdict,
)
from grader.report.text import number, one_line

LARGEST = 1024 * 1024
"""Bytes; GitHub shows no summary of a step that is larger."""
_SPECIAL = re.compile(r"([\\`*_\[\]<>&|~#$:])")
_CUT = "\n*The rest is left out: it would be too long.*\n"


def to_markdown(report: Report, context: Context, limit: int = LARGEST) -> str:
    """The report in at most `limit` bytes of UTF-8; what does not fit is left out at the end."""
    whole = ""
    left = limit - len(_CUT)
    for part in _parts(report, context):
        left -= len(part.encode("utf-8", "backslashreplace"))
        if left < 0:
            return whole + (_CUT if limit >= len(_CUT) else "")
        whole += part
    return whole


def _parts(report: Report, context: Context) -> Iterator[str]:
    title = escaped(report.exercise_title)
    yield f"## {_verdict_mark(report)} {title}: {verdict(report)}\n\n"
    if graded(report):
        yield f"{escaped(UNICODE.dot.join(facts(report)))}\n\n"
    else:
        reason = one_line(report.error, 500) or "grader or its servers failed"
        yield f"{escaped(reason)}\n\n{NOT_YOURS}\n\n"
    yield f"{escaped(UNICODE.dot.join(identity(report)))}\n\n"
    yield "| | Check | Points |\n|---|---|---|\n"
    for place, task in enumerate(report.tasks, start=1):
        yield from _rows(place, task, report)
    for check, task in not_passed(report):
        lines = explanation(check, report, task)
        yield f"\n### {UNICODE.marks[check.outcome]} {escaped(check.title)}\n\n{fenced(lines)}"
    again = context.commands.whole(report.seed)
    yield f"\nThe same verdict on another machine:\n\n{fenced([one_line(again, 2000)], 'sh')}"


def _rows(place: int, task: TaskResult, report: Report) -> Iterator[str]:
    yield f"| | **{place}\\. {escaped(task.title)}** | {_points(task, report)} |\n"
    for check in task.checks:
        title = escaped(check.title)
        if check.outcome is Outcome.SKIPPED and check.reason:
            title += f" (waits for: {escaped(title_of(check.reason, report))})"
        yield f"| {UNICODE.marks[check.outcome]} | {title} | {_points(check, report)} |\n"


def _points(part: CheckResult | TaskResult, report: Report) -> str:
    if not graded(report):
        return number(part.points)
    return f"{number(part.earned)} of {number(part.points)}"


def _verdict_mark(report: Report) -> str:
    if not graded(report):
        return UNICODE.marks[Outcome.ERROR]
    good = report.status is Status.PASSED
    return UNICODE.marks[Outcome.PASSED if good else Outcome.FAILED]


def escaped(text: str) -> str:
    """One line of text that Markdown shows as it is, inside a heading, a cell or a sentence."""
    line = _SPECIAL.sub(r"\\\1", one_line(text, 500))
    return line.replace("@", "@<!-- -->")  # GitHub looks for mentions after Markdown is done


def fenced(lines: list[str], language: str = "text") -> str:
    """Lines in a block that none of them can end."""
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}{language}", *lines, fence]) + "\n"
