"""`grader explain`: what one check looked at, and what was nearly right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import completion, output
from grader.cli import context as common

if TYPE_CHECKING:
    from rich.console import RenderableType

    from grader.model.progress import Looked, Progress
    from grader.model.report import CheckResult, Report
    from grader.report.marks import Glyphs


def explain(
    context: typer.Context,
    check: Annotated[
        str,
        typer.Argument(help="A check, as --only names it.", autocompletion=completion.checks),
    ],
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Explain the run on these inputs.")
    ] = None,
) -> None:
    """Run one check again and show what it looked at, step by step.

    Exits with 0 when it passed, 1 when it did not, 3 when grader itself failed.
    """
    from grader.catalog import find
    from grader.cli.check import Checking
    from grader.cli.outcome import exit_code
    from grader.report.marks import glyphs
    from grader.workspace import read

    settings = common.settings(context)
    info = read(Path())
    exercise = find(common.catalog_root(settings), str(info.exercise or info.slug))
    work = Checking(settings, exercise, info.root, seed=seed, only=(check,))
    heard = Heard()
    report = work.check(work.snapshot(), fresh=False, quiet=False, explained=heard)
    screen = output.stdout()
    for part in view(report, check, heard.looked, glyphs(screen.options)):
        screen.print(part, crop=False)
    raise typer.Exit(exit_code(report))


class Heard:
    """Keeps what each check looked at."""

    def __init__(self) -> None:
        self.looked: dict[str, Looked] = {}

    def __call__(self, event: Progress) -> None:
        from grader.model.progress import Looked

        if isinstance(event, Looked):
            self.looked[event.id] = event


def view(
    report: Report, name: str, looked: dict[str, Looked], shown: Glyphs
) -> Iterator[RenderableType]:
    """Each check that the name means: its steps, what was near, and how it ended."""
    from rich.text import Text

    from grader.report.prose import graded
    from grader.report.text import one_line

    if not graded(report):
        yield Text(f"Not graded: {one_line(report.error, 500)}", "bold yellow")
        return
    meant = [one for one in report.checks() if name in (one.id, one.id.partition("[")[0])]
    for position, check in enumerate(meant):
        if position:
            yield Text()
        yield from _one(report, check, looked.get(check.id), shown)


def _one(
    report: Report, check: CheckResult, looked: Looked | None, shown: Glyphs
) -> Iterator[RenderableType]:
    from rich.text import Text

    from grader.model.report import Outcome
    from grader.report.details import Commands, failure, whole_line
    from grader.report.marks import STYLES
    from grader.report.prose import hint_of
    from grader.report.text import one_line

    task = next(task for task in report.tasks if task.id == check.task)
    yield Text.assemble(
        (f"{shown.marks[check.outcome]} ", STYLES[check.outcome]), (one_line(check.title), "bold")
    )
    yield Text(f"{task.title}{shown.dot}{check.id}{shown.dot}seed {report.seed}", "dim")
    yield Text()
    if check.outcome is Outcome.SKIPPED:
        waits = f"grader explain {check.reason}"
        yield whole_line(("It waits for another check. That one: ", ""), (waits, "cyan"))
        return
    yield from _steps(looked, shown)
    if check.outcome in (Outcome.FAILED, Outcome.BROKE):
        yield from failure(check, hint_of(check, task), report.seed, Commands(), shown)
    else:
        yield Text("It passes now.", "green")


def _steps(looked: Looked | None, shown: Glyphs) -> Iterator[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    from grader.report.text import one_line

    if looked is not None and looked.lines:
        yield Text("It looked at:", "bold")
        table = Table.grid(padding=(0, 1))
        table.add_column(justify="right", width=3, style="dim")
        table.add_column(overflow="fold")
        for number, line in enumerate(looked.lines, start=1):
            table.add_row(str(number), Text(one_line(line, 400)))
        yield table
    else:
        yield Text("What this check looked at stays with its author.", "dim")
    yield Text()
    for line in looked.near if looked is not None else ():
        yield Text.assemble(
            (f"{shown.ahead} ", "yellow"), ("nearly: ", "bold yellow"), one_line(line, 500)
        )
        yield Text()
