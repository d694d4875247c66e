"""`grader try`: any folder against an exercise, with everything shown to the exercise's author."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import context as common
from grader.cli import output

if TYPE_CHECKING:
    from rich.console import RenderableType

    from grader.model.exercise import Exercise
    from grader.model.progress import Listener, Progress
    from grader.model.report import CheckResult, Report
    from grader.report.marks import Glyphs


def try_(
    context: typer.Context,
    exercise: Annotated[str, typer.Argument(help="The exercise, by name or by its folder.")],
    path: Annotated[Path, typer.Argument(help="A folder, or a zip or tar archive.")],
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this check and what it needs. May be repeated."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Repeat a run on the same inputs.")
    ] = None,
) -> None:
    """Run anything against an exercise and see all of it: for its author.

    Beside what a learner sees: the test's source, where it ended, and how long each check took.

    Exits with 0 when it passed, 1 when it did not, 3 when grader itself failed, 5 when a test of
    the exercise fails by itself.
    """
    from grader.catalog import find
    from grader.cli.outcome import exit_code
    from grader.cli.progress import watching
    from grader.engine.registry import engine
    from grader.grade import GradeOptions, grade
    from grader.making import sources
    from grader.model.submission import WORKSPACE_FILE
    from grader.workspace import read, snapshot

    settings = common.settings(context)
    found = find(common.catalog_root(settings), exercise)
    started = found.made and (path / WORKSPACE_FILE).is_file()
    with watching(quiet=False) as listener:
        heard = Heard(listener)
        maker = common.maker(settings, found, listener)
        options = GradeOptions(
            seed=seed,
            only=tuple(only or ()),
            learner_seed=read(path).seed if started else seed or 0,
            owner="grader try",
            trusted=True,
            author=True,
            maker=maker,
        )
        if maker is None or started or not found.solve:
            submission = snapshot(path, found.submit, found.limits)
        else:  # a folder like solution/
            submission = maker.submission(sources(found, path), options.learner_seed)
        report = grade(found, submission, engine(settings), options, heard)
    from grader.report.marks import glyphs

    again = f"grader try {shlex.quote(exercise)} {shlex.quote(str(path))}"
    screen = output.stdout()
    for part in view(found, report, heard, again, glyphs(screen.options)):
        screen.print(part, crop=False)
    raise typer.Exit(exit_code(report))


class Heard:
    """Passes everything on, and keeps what only an author is told."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self.traces: dict[str, str] = {}
        self.limits: dict[str, float] = {}

    def __call__(self, event: Progress) -> None:
        from grader.model.progress import Collected, Traced

        if isinstance(event, Traced):
            self.traces[event.id] = event.text
        elif isinstance(event, Collected):
            self.limits = {check.id: check.seconds for check in event.checks}
        self._listener(event)


def view(
    exercise: Exercise, report: Report, heard: Heard, again: str, shown: Glyphs
) -> Iterator[RenderableType]:
    """A line for each check, then all that is known of those that did not pass."""
    from rich.rule import Rule
    from rich.text import Text

    from grader.model.report import Outcome
    from grader.report.details import Commands, failure
    from grader.report.text import number, one_line, seconds

    yield Text(one_line(report.exercise_title), "bold")
    yield Text(f"seed {report.seed}", "dim")
    yield Text()
    yield _checks(report, heard, shown)
    for check in report.checks():
        if check.outcome in (Outcome.FAILED, Outcome.BROKE):
            yield Text()
            yield Rule(style="dim", characters=shown.rule)
            yield from failure(check, check.hint, report.seed, Commands(again=again), shown)
            yield from _behind(exercise, check, heard, shown)
    yield Text()
    if report.score is None:
        yield Text(f"Not graded: {one_line(report.error, 500)}", "bold yellow")
    else:
        score = f"{number(report.score)} of 100" if not report.partial else "a part of the checks"
        yield Text(f"{score}{shown.dot}checks took {seconds(report.seconds)}", "bold")


def _checks(report: Report, heard: Heard, shown: Glyphs) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    from grader.report.marks import STYLES
    from grader.report.text import one_line

    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=1)
    table.add_column(ratio=1, overflow="fold")
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    for check in report.checks():
        style = STYLES[check.outcome]
        said = f"{check.outcome} {check.reason}".rstrip()
        limit = heard.limits.get(check.id)
        took = f"{check.seconds:.2f} s" + (f" of {limit:g} s" if limit else "")
        mark = Text(shown.marks[check.outcome], style)
        table.add_row(mark, one_line(check.id), Text(one_line(said, 60), style), Text(took, "dim"))
    return table


def _behind(
    exercise: Exercise, check: CheckResult, heard: Heard, shown: Glyphs
) -> Iterator[RenderableType]:
    """The test's own source, and its traceback."""
    from rich.text import Text

    from grader.authoring.source import declaration, source_of
    from grader.report.text import visible

    found = declaration(exercise, check.id)
    first, lines = source_of(found) if found else (0, [])
    if found and lines:
        file = Path(found.file)
        name = file.relative_to(exercise.root) if file.is_relative_to(exercise.root) else file
        yield Text(f"\n  {name}", "dim")
        numbers = [f"{number}" for number in range(first, first + len(lines))]
        yield _quoted(numbers, [visible(line) for line in lines], shown)
    trace = visible(heard.traces.get(check.id, "")).rstrip().splitlines()
    if trace:
        yield Text("\n  where it ended", "dim")
        yield _quoted([""] * len(trace), trace, shown)


def _quoted(numbers: list[str], lines: list[str], shown: Glyphs) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    table.add_column(width=5, justify="right")
    table.add_column(width=1)
    table.add_column(overflow="fold")
    for number, line in zip(numbers, lines, strict=True):
        table.add_row(Text(number, "dim"), Text(shown.bar, "dim"), Text(line))
    return table
