"""`grader status` and `grader history`: what the learner's record holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import completion, output
from grader.cli import context as common
from grader.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from grader.progress.entries import Attempt, Entry
    from grader.progress.standings import Standing
    from grader.report.marks import Glyphs

FORMAT = 1
"""Of both JSON forms. Grows when a key goes or changes its meaning."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON only.")]


def status(context: typer.Context, json: Json = False) -> None:
    """Show every exercise that you began: best score, tries, and when you were there last."""
    from grader.progress.standings import standings

    known = standings(common.settings(context).data_dir)
    if json:
        output.write_json({"format": FORMAT, "exercises": [_plain(one) for one in known.values()]})
        return
    from rich.text import Text

    from grader.report.marks import glyphs

    screen = output.stdout()
    if not known:
        screen.print(Text("Nothing is recorded yet. Begin with: grader next"))
        return
    screen.print(_standings(known, glyphs(screen.options)))
    screen.print(Text.assemble("\nThe attempts at one: ", ("grader history SLUG", "cyan")))


def _plain(one: Standing) -> dict[str, object]:
    return {
        "exercise": one.exercise,
        "state": one.state,
        "best": one.best,
        "tries": one.tries,
        "hints": one.hints,
        "gave_up": one.gave_up,
        "passed_version": one.passed_version,
        "last": one.last,
    }


def _standings(known: Mapping[str, Standing], shown: Glyphs) -> Table:
    from rich.table import Table
    from rich.text import Text

    from grader.report.marks import standing
    from grader.report.text import number, one_line

    table = Table.grid(padding=(0, 2))
    table.add_column(width=1)
    table.add_column(overflow="fold")
    for _ in range(3):
        table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True)
    headings = ("", "exercise", "best", "tries", "hints", "last")
    table.add_row(*(Text(heading, "dim") for heading in headings))
    for one in known.values():
        best = "" if one.best is None else number(one.best)
        when = _local(datetime.fromisoformat(one.last))
        mark = Text(*standing(one.state, shown))
        name = Text(one_line(one.exercise))
        if one.gave_up and not one.passed:
            name.append(" (given up)", "dim")
        table.add_row(mark, name, best, str(one.tries), str(one.hints), when)
    return table


def history(
    context: typer.Context,
    exercise: Annotated[
        str,
        typer.Argument(metavar="SLUG", help="The exercise.", autocompletion=completion.exercises),
    ],
    json: Json = False,
) -> None:
    """Show what you did on one exercise: every attempt, and the hints between them."""
    from grader.progress.record import Record
    from grader.progress.standings import standings

    folder = common.settings(context).data_dir
    entries = Record(folder).entries(exercise)
    if not entries:
        raise _unknown(exercise, list(standings(folder)))
    if json:
        output.write_json({"format": FORMAT, "exercise": exercise, "entries": entries})
        return
    from rich.text import Text

    from grader.report.marks import glyphs
    from grader.report.text import one_line

    screen = output.stdout()
    screen.print(Text(one_line(exercise), "bold"))
    screen.print(_entries(entries, glyphs(screen.options)))


def _unknown(name: str, recorded: Sequence[str]) -> UsageError:
    import difflib

    near = difflib.get_close_matches(name, recorded, n=1)
    listed = "list what is recorded with: grader status"
    return UsageError(
        f"nothing is recorded of an exercise '{name}'",
        fix=f"did you mean '{near[0]}'? {listed}" if near else listed,
    )


def _entries(entries: Sequence[Entry], shown: Glyphs) -> Table:
    from rich.table import Table

    from grader.progress.entries import Attempt, GaveUp, Hint
    from grader.report.text import one_line

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(width=1)
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True, style="dim")
    for entry in entries:
        when = _local(entry.time)
        match entry:
            case Attempt():
                mark, text = _attempt(entry, shown)
                about = f"version {entry.version}, seed {entry.seed}"
                table.add_row(when, mark, text, about)
            case Hint():
                table.add_row(when, "", f"hint {entry.step} of {one_line(entry.task)}")
            case GaveUp():
                table.add_row(when, "", "gave up and saw the solution", f"version {entry.version}")
            case _:
                table.add_row(when, "", "started", f"version {entry.version}")
    return table


def _attempt(entry: Attempt, shown: Glyphs) -> tuple[Text, str]:
    """Its mark, and its score and checks in words."""
    from rich.text import Text

    from grader.model.report import Outcome, Status
    from grader.report.marks import STYLES
    from grader.report.text import counted, number

    outcome = {
        Status.PASSED: Outcome.PASSED,
        Status.FAILED: Outcome.FAILED,
        Status.ERROR: Outcome.ERROR,
    }[entry.status]
    mark = Text(shown.marks[outcome], STYLES[outcome])
    if entry.score is None:
        return mark, "not graded"
    passed = sum(check.outcome is Outcome.PASSED for check in entry.checks)
    checks = f"{passed} of {counted(len(entry.checks), 'check')}"
    if entry.partial:
        return mark, f"{checks} (only those)"
    return mark, f"{number(entry.score)} of 100, {checks}"


def _local(time: datetime) -> str:
    return time.astimezone().strftime("%Y-%m-%d %H:%M")
