"""`grader mutate`: which small mistakes the hidden tests of an exercise do not see."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import context as common
from grader.cli import output
from grader.errors import ExerciseError

if TYPE_CHECKING:
    from grader.authoring.mutate import Made, Mutated

MUTANTS_FORMAT = 1


def mutate(
    context: typer.Context,
    exercise: Annotated[
        str, typer.Argument(metavar="EXERCISE", help="By name or by folder.")
    ] = ".",
    budget: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=1, help="Begin no mutant after so many seconds."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", metavar="N", min=1, help="Mutants at a time.", show_default="one a processor"
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Change the reference in many small ways, and see which changes no check rejects.

    What was found out is kept: the same command goes on where it was ended. A change that makes
    no difference is marked in exercise.yaml, under `equivalent`, with the reason.

    Exits with 0 when 90 % of the mutants are rejected, 5 when fewer are.
    """
    from grader.authoring.mutate import WANTED
    from grader.authoring.mutate import mutate as run
    from grader.catalog import find
    from grader.cli.progress import watching
    from grader.engine.registry import engine

    settings = common.settings(context)
    found = find(common.catalog_root(settings), exercise)
    with watching(quiet=json) as listener:
        result = run(
            found,
            lambda: engine(settings),
            state=settings.state_dir,
            jobs=jobs or os.cpu_count() or 1,
            budget=budget,
            listener=listener,
        )
    if json:
        _print_json(result)
    else:
        _show(result)
    good = result.score >= WANTED and not result.unused
    raise typer.Exit(0 if good else ExerciseError.exit_code)


def _show(result: Mutated) -> None:
    from rich.text import Text

    from grader.authoring.mutate import WANTED
    from grader.model.report import Outcome
    from grader.report.marks import glyphs
    from grader.report.text import counted, one_line, seconds

    screen = output.stdout()
    marks = glyphs(screen.options).marks
    for one in result.survivors:
        screen.print(Text(f"solution/{one.file}:{one.line}: no check rejects this", "bold"))
        for line in one.diff.splitlines():
            style = {"-": "green", "+": "red", "@": "dim"}.get(line[:1], "")
            screen.print(Text(f"  {one_line(line)}", style), soft_wrap=True)
        screen.print()
    for mark in result.unused:
        screen.print(
            Text(f"exercise.yaml: equivalent: no mutant of {mark.file} becomes", "red"),
            Text(one_line(mark.becomes)),
            soft_wrap=True,
        )
    if result.left:
        left = counted(result.left, "mutant")
        screen.print(Text(f"{left} left: the same command goes on with them.", "yellow"))
    judged = len(result.rejected) + len(result.survivors)
    good = result.score >= WANTED and not result.unused
    line = f"{result.exercise}: {len(result.rejected)} of {counted(judged, 'mutant')} rejected"
    facts = f" ({result.score:g} %, {len(result.equivalent)} equivalent, "
    screen.print(
        Text(f"{marks[Outcome.PASSED if good else Outcome.FAILED]} {line}", _style(good))
        + Text(f"{facts}{seconds(result.seconds)})", "dim"),
        soft_wrap=True,
    )


def _style(good: bool) -> str:
    return "bold green" if good else "bold red"


def _print_json(result: Mutated) -> None:
    import msgspec

    value = {
        "format": MUTANTS_FORMAT,
        "exercise": result.exercise,
        "score": result.score,
        "survivors": [_as_json(one) for one in result.survivors],
        "rejected": [{**_as_json(one), "by": by} for one, by in result.rejected],
        "equivalent": [{**_as_json(one), "why": why} for one, why in result.equivalent],
        "left": result.left,
        "unused": result.unused,
        "seconds": round(result.seconds, 1),
    }
    output.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


def _as_json(one: Made) -> dict[str, object]:
    return {
        "file": one.file,
        "line": one.line,
        "was": one.was,
        "becomes": one.becomes,
        "diff": one.diff,
    }
