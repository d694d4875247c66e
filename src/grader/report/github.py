"""A report for the log of a GitHub Actions step, with annotations.

GitHub obeys lines that begin with `::`. Whatever a learner's program may have written stands
between `::stop-commands::` and its end, which names a random token, and in annotations it is
escaped to one line.
"""

from __future__ import annotations

from grader.model.report import CheckResult, Outcome, Report, Status
from grader.report.context import Context
from grader.report.prose import NOT_YOURS, graded, message_lines, not_passed, verdict
from grader.report.terminal import to_text
from grader.report.text import counted, one_line, shorten

MOST = 10
"""GitHub shows so many errors of a step."""
LONGEST = 2000


def to_github(report: Report, context: Context) -> str:
    """The text report, then one annotation for each of the most useful checks."""
    lines = [
        f"::stop-commands::{context.token}",
        to_text(report, context.commands).rstrip("\n"),
        f"::{context.token}::",
        *_annotations(report),
    ]
    return "\n".join(lines) + "\n"


def _annotations(report: Report) -> list[str]:
    name = one_line(report.exercise_title)
    if not graded(report):
        reason = one_line(report.error, 500) or "grader or its servers failed"
        return [_command("error", f"{name}: not graded", f"{reason}\n{NOT_YOURS}")]
    found = [
        _command("error", one_line(check.title), "\n".join(_short(check)))
        for check in _most_useful(report)
    ]
    kind = "notice" if report.status is Status.PASSED else "warning"
    more = len(not_passed(report)) - len(found)
    text = verdict(report) + (f"\n{counted(more, 'more check')} did not pass" if more else "")
    return [*found, _command(kind, name, text)]


def _short(check: CheckResult) -> list[str]:
    """The author's words and the two sides; what the program printed is in the text above."""
    sides = (("expected", check.expected), ("got", check.got))
    return message_lines(check) + [
        f"{label}: {one_line(value)}" for label, value in sides if value is not None
    ]


def _most_useful(report: Report) -> list[CheckResult]:
    """Those that most others wait for come first, then those worth most, each in its order."""
    waiting = [check.reason for check in report.checks() if check.outcome is Outcome.SKIPPED]

    def use(check: CheckResult) -> tuple[int, float]:
        names = (check.id, check.id.partition("[")[0])
        return (-sum(reason in names for reason in waiting), check.earned - check.points)

    return sorted((check for check, _ in not_passed(report)), key=use)[:MOST]


def _command(kind: str, title: str, message: str) -> str:
    """A workflow command on one line.

    Source: docs.github.com, "Workflow commands for GitHub Actions".
    """
    return f"::{kind} title={_property(title)}::{_data(shorten(message, LONGEST))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
