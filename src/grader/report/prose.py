"""What a report and its checks say, as plain lines: the same words in every form."""

from __future__ import annotations

from grader.model.report import CheckResult, Outcome, Report, Status, TaskResult
from grader.report.text import counted, first_lines, last_lines, number, one_line, seconds

MESSAGE_LINES = 12
VALUE_LINES = 12
DIFF_LINES = 30
LOG_LINES = 12
HINT_LINES = 6
GIVEN = 12
NOT_YOURS = "The fault is not in your work, and it is not a zero: it has to be graded once more."
"""Said wherever a report has no score."""


def verdict(report: Report) -> str:
    """The result in a few words, with the score if there is one."""
    if not graded(report):
        return "Not graded"
    if report.partial:
        checks = report.checks()
        passed = sum(check.outcome is Outcome.PASSED for check in checks)
        return f"{passed} of {counted(len(checks), 'check')} passed"
    word = "Passed" if report.status is Status.PASSED else "Not passed yet"
    return f"{word}: {number(report.score or 0)} of 100"


def graded(report: Report) -> bool:
    """Whether there is a score. Without one no form may show points that look like one."""
    return report.score is not None and report.status is not Status.ERROR


def facts(report: Report) -> list[str]:
    """Points, what passes and the time, of a report that has a score."""
    told = [f"{number(report.earned)} of {number(report.points)} points"]
    if not report.partial:
        told.append(f"passing is {report.passing}")
    return [*told, f"checks took {seconds(report.seconds)}"]


def identity(report: Report) -> list[str]:
    """What was graded, where, and on which inputs."""
    return [
        f"{one_line(report.exercise)} version {report.exercise_version}",
        f"engine {one_line(report.engine)}",
        f"seed {report.seed}",
    ]


def not_passed(report: Report) -> list[tuple[CheckResult, TaskResult]]:
    """The checks whose answer was wrong or whose program broke, in order."""
    wrong = (Outcome.FAILED, Outcome.BROKE)
    return [(c, task) for task in report.tasks for c in task.checks if c.outcome in wrong]


def title_of(name: str, report: Report) -> str:
    """The title of the check with this id or base name; the name itself when there is none."""
    for check in report.checks():
        if check.id == name or check.id.startswith(f"{name}["):
            return one_line(check.title, 80).rstrip(".")
    return one_line(name)


def hint_of(check: CheckResult, task: TaskResult) -> str:
    """The check's own hint, or the first of its task."""
    return check.hint or (task.hints[0] if task.hints else "")


def message_lines(check: CheckResult) -> list[str]:
    """What the check says went wrong; never empty."""
    if check.message:
        return first_lines(check.message, MESSAGE_LINES, 500)
    if check.outcome is Outcome.BROKE:
        return [
            f"Your program did not survive this: {one_line(check.reason) or 'no reason known'}."
        ]
    return ["This check says no more than its title."]


def given_lines(check: CheckResult) -> list[str]:
    """The inputs that the author chose to show."""
    given = [f"{one_line(label, 60)} = {one_line(value)}" for label, value in check.given]
    if len(given) > GIVEN:
        given[GIVEN:] = [f"... ({len(given) - GIVEN} more)"]
    return given


def summary_line(check: CheckResult, report: Report) -> str:
    """One sentence on a check that did not pass; "" for one that did."""
    if check.outcome is Outcome.PASSED:
        return ""
    if check.outcome is Outcome.SKIPPED:
        return f"Skipped: it waits for: {title_of(check.reason, report)}."
    if check.outcome is Outcome.ERROR:
        return f"Not graded: {one_line(check.message, 500) or 'grader or its servers failed'}"
    return " ".join(message_lines(check)[0].split())


def explanation(
    check: CheckResult, report: Report, task: TaskResult, *, log: bool = True
) -> list[str]:
    """Everything a check that did not pass tells, safe to show; [] for one that passed."""
    if check.outcome not in (Outcome.FAILED, Outcome.BROKE):
        line = summary_line(check, report)
        return [line] if line else []
    lines = message_lines(check)
    blocks = [("given", given_lines(check))]
    if check.diff:
        head = [] if check.diff.startswith("---") else ["- expected", "+ got"]
        blocks.append(("", [*head, *first_lines(check.diff, DIFF_LINES)]))
    else:
        for label, value in (("expected", check.expected), ("got", check.got)):
            if value is not None:
                blocks.append((label, first_lines(value, VALUE_LINES)))
    if log and check.log.strip():
        shown = [f"| {line}" for line in last_lines(check.log, LOG_LINES)]
        blocks.append(("your program printed", shown))
    if hint := hint_of(check, task):
        blocks.append(("hint", first_lines(hint, HINT_LINES, 500)))
    for label, block in blocks:
        lines += _block(label, block)
    return lines


def _block(label: str, lines: list[str]) -> list[str]:
    """`label: value`, with more lines below the label."""
    if not lines:
        return []
    if not label:
        return ["", *lines, ""]
    if len(lines) == 1 and not lines[0].startswith("|"):
        return [f"{label}: {lines[0]}"]
    return [f"{label}:", *(f"  {line}" for line in lines)]
