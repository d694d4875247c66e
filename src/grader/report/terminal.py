"""A report for a person at a terminal: pure, from a Report to rich renderables."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from grader.model.report import CheckResult, Outcome, Report, Status, TaskResult
from grader.report.details import Commands, failure, whole_line
from grader.report.marks import STYLES, Glyphs, glyphs
from grader.report.prose import facts, graded, hint_of, identity, not_passed, title_of, verdict
from grader.report.text import counted, number, one_line

IN_FULL = 3
"""So many failures are shown with everything known; one at a time is how people mend them."""


@dataclass(frozen=True)
class ReportView:
    """The whole report. `commands` is how the reader repeats the run.

    Print it with `crop=False`: a command stays on one line, however long, to be copied.
    """

    report: Report
    commands: Commands = field(default_factory=Commands)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        shown = glyphs(options)
        yield from _header(self.report, shown)
        for number_, task in enumerate(self.report.tasks, start=1):
            if task.checks:
                yield Text()
                yield _task(number_, task, self.report, shown)
        yield from _failures(self.report, self.commands, shown)
        yield from _errors(self.report, shown)
        yield Text()
        yield Rule(style="dim", characters=shown.rule)
        yield from _summary(self.report, self.commands, shown)


def to_text(report: Report, commands: Commands | None = None, width: int = 80) -> str:
    """The report as plain text for a file: no colour, no trailing blanks."""
    console = Console(
        file=io.StringIO(),
        width=width,
        color_system=None,
        force_terminal=False,
        legacy_windows=False,
    )
    with console.capture() as captured:
        console.print(ReportView(report, commands or Commands()), crop=False)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def _header(report: Report, shown: Glyphs) -> Iterator[RenderableType]:
    yield Text(one_line(report.exercise_title), "bold", overflow="fold")
    yield Text(shown.dot.join(identity(report)), "dim", overflow="fold")


def _task(position: int, task: TaskResult, report: Report, shown: Glyphs) -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=2, justify="right")
    table.add_column(ratio=1, overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    points = f"{number(task.earned)} of {number(task.points)}"
    if report.status is Status.ERROR:
        points = number(task.points)
    table.add_row(
        Text(f"{position}.", "bold"), Text(one_line(task.title), "bold"), Text(points, "bold")
    )
    for check in task.checks:
        table.add_row("", _check(check, report, shown), _points(check, report))
    return table


def _check(check: CheckResult, report: Report, shown: Glyphs) -> Table:
    line = Table.grid(padding=(0, 1))
    line.add_column(width=1)
    line.add_column(overflow="fold")
    style = STYLES[check.outcome]
    title = Text(one_line(check.title), "dim" if check.outcome is Outcome.SKIPPED else "")
    if check.outcome is Outcome.SKIPPED and check.reason:
        title.append(f" (waits for: {title_of(check.reason, report)})", "dim")
    line.add_row(Text(shown.marks[check.outcome], style), title)
    return line


def _points(check: CheckResult, report: Report) -> Text:
    if report.status is Status.ERROR:
        return Text(f" {number(check.points)}", "dim")
    points = f" {number(check.earned)} of {number(check.points)}"
    if 0 < check.earned < check.points:
        return Text(points, "yellow")
    return Text(points, "green" if check.outcome is Outcome.PASSED else "dim")


def _failures(report: Report, commands: Commands, shown: Glyphs) -> Iterator[RenderableType]:
    failures = not_passed(report)
    for check, task in failures[:IN_FULL]:
        yield Text()
        yield Rule(style="dim", characters=shown.rule)
        yield from failure(check, hint_of(check, task), report.seed, commands, shown)
    others = failures[IN_FULL:]
    if not others:
        return
    yield Text()
    yield Rule(style="dim", characters=shown.rule)
    how = ". To see one" if commands.only else ", with the same marks above"
    yield Text(f"{counted(len(others), 'more check')} did not pass{how}:", "bold")
    for check, _ in others:
        mark = Text(f"{shown.marks[check.outcome]} ", STYLES[check.outcome])
        row = Table.grid()
        row.add_column(width=2)
        row.add_column(overflow="fold")
        row.add_row(mark, Text(one_line(check.title)))
        yield row
        if commands.only:
            yield whole_line((f"  {commands.one(check.id)}", "cyan"))


def _errors(report: Report, shown: Glyphs) -> Iterator[RenderableType]:
    for check in report.checks():
        if check.outcome is Outcome.ERROR and check.message:
            yield Text()
            yield Text(f"{shown.marks[check.outcome]} {one_line(check.title)}", "yellow")
            yield Padding(Text(one_line(check.message, 500)), (0, 0, 0, 2))


def _summary(report: Report, commands: Commands, shown: Glyphs) -> Iterator[RenderableType]:
    words, style = _verdict(report, shown)
    yield Text(words, f"bold {style}", overflow="fold")
    if report.score is not None:
        yield Text(shown.dot.join(facts(report)), "dim", overflow="fold")
    elif report.error:
        yield Text(one_line(report.error, 500), overflow="fold")
    yield Text.assemble(("Next: ", "bold"), next_step(report, commands))


def _verdict(report: Report, shown: Glyphs) -> tuple[str, str]:
    if not graded(report):
        return f"{shown.marks[Outcome.ERROR]} {verdict(report)}", "yellow"
    good = report.status is Status.PASSED
    mark = shown.marks[Outcome.PASSED if good else Outcome.FAILED]
    return f"{mark} {verdict(report)}", "green" if good else "red"


def next_step(report: Report, commands: Commands) -> str:
    """What to do now, in one sentence."""
    if report.status is Status.ERROR:
        return f"run {commands.again} once more; the fault is not in your work."
    failures = not_passed(report)
    if failures:
        first = one_line(failures[0][0].title, 80).rstrip(".")
        stuck = f" Stuck: {commands.hint}." if commands.hint else ""
        return f'work on "{first}", then run {commands.again}.{stuck}'
    if report.partial:
        return f"run {commands.again} for the whole exercise."
    if report.status is Status.PASSED:
        return "go on with grader next."
    return f"see which checks were skipped above, then run {commands.again}."
