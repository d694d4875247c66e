"""What a run changed against the one before it, and the task to work on: pure, for `--watch`."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from grader.model.report import CheckResult, Outcome, Report, TaskResult
from grader.report.details import Commands, failure
from grader.report.marks import STYLES, Glyphs
from grader.report.prose import graded, hint_of, not_passed, verdict
from grader.report.text import counted, number, one_line


def changed(before: Report | None, now: Report) -> list[CheckResult]:
    """The checks that ended in another way than before; none of a run that has none before it."""
    if before is None or not graded(before) or not graded(now):
        return []
    known = {check.id: check.outcome for check in before.checks()}
    return [check for check in now.checks() if known.get(check.id, check.outcome) != check.outcome]


def change(
    before: Report | None, now: Report, commands: Commands, clock: str, shown: Glyphs
) -> Iterator[RenderableType]:
    """One screen: the verdict, what changed, the current task with its first failure in full."""
    yield Rule(Text(clock, "dim"), style="dim", characters=shown.rule, align="right")
    yield _verdict(before, now, shown)
    if not graded(now):
        yield Text(one_line(now.error, 500), overflow="fold")
        return
    different = changed(before, now)
    if different:
        yield Text(f"\n{counted(len(different), 'check')} changed:", "dim")
        for check in different:
            yield _line(check, shown)
    elif before is not None and graded(before):
        yield Text("No check changed.", "dim")
    wrong = not_passed(now)
    if not wrong:
        return
    first, task = wrong[0]
    yield Text()
    yield _heading(task, now)
    for check in task.checks:
        yield _line(check, shown)
    yield Text()
    yield from failure(first, hint_of(first, task), now.seed, commands, shown)


def _verdict(before: Report | None, now: Report, shown: Glyphs) -> Text:
    if not graded(now):
        return Text(f"{shown.marks[Outcome.ERROR]} {verdict(now)}", "bold yellow")
    good = not not_passed(now)
    mark = shown.marks[Outcome.PASSED if good else Outcome.FAILED]
    said = Text(f"{mark} {verdict(now)}", "bold green" if good else "bold red")
    comparable = before is not None and graded(before) and before.partial == now.partial
    if comparable and before is not None and not now.partial and before.score != now.score:
        said.append(f"  (was {number(before.score or 0)})", "dim")
    return said


def _heading(task: TaskResult, report: Report) -> Text:
    position = report.tasks.index(task) + 1
    text = Text.assemble(
        (f"Task {position} of {len(report.tasks)}: ", "dim"), (one_line(task.title), "bold")
    )
    return text.append(f"  {number(task.earned)} of {number(task.points)} points", "dim")


def _line(check: CheckResult, shown: Glyphs) -> Table:
    row = Table.grid(padding=(0, 1))
    row.add_column(width=1)
    row.add_column(width=1)
    row.add_column(overflow="fold")
    mark = Text(shown.marks[check.outcome], STYLES[check.outcome])
    style = "dim" if check.outcome is Outcome.SKIPPED else ""
    row.add_row("", mark, Text(one_line(check.title), style))
    return row
