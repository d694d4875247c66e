"""`grader attack`: proof that dishonest and hostile submissions get nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import context as common
from grader.cli import output
from grader.errors import ExerciseError, UsageError

if TYPE_CHECKING:
    from grader.authoring.attack import Attacked, Tried

ATTACKS_FORMAT = 1


def attack(
    context: typer.Context,
    exercises: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[EXERCISE]...", help="By name or by folder.", show_default="this folder"
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All exercises of the catalog.")] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", metavar="N", min=1, help="Attacks at a time.", show_default="one a processor"
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Prove that dishonest and hostile submissions get nothing out of an exercise.

    Each attack is appended to the starter and must earn no more than the starter alone, reach
    nothing outside its sandbox, and leave nothing behind for the next submission. What was held
    off and has not changed since is not tried again.

    Exits with 0 when every attack was held off, 5 when one got through.
    """
    from grader.authoring.attack import attack as run
    from grader.authoring.cache import Proofs
    from grader.catalog import find
    from grader.cli.progress import watching
    from grader.engine.registry import engine

    settings = common.settings(context)
    cache = Proofs(settings.state_dir / "proofs")
    cache.tidy()
    results = []
    for name in chosen(context, exercises or [], every=every):
        exercise = find(common.catalog_root(settings), name)
        with watching(quiet=json) as listener:
            one = run(
                exercise,
                lambda: engine(settings),
                cache,
                jobs=jobs or os.cpu_count() or 1,
                listener=listener,
            )
        results.append(one)
        if not json:
            _show(one)
    if json:
        _print_json(results)
    raise typer.Exit(0 if all(one.held for one in results) else ExerciseError.exit_code)


def chosen(context: typer.Context, names: list[str], *, every: bool) -> list[str]:
    """The exercises that a command of authors was asked for. Raises UsageError for none."""
    from grader.catalog.find import slugs

    if every:
        return list(slugs(common.catalog_root(common.settings(context))))
    if names:
        return names
    if not Path("exercise.yaml").is_file():
        raise UsageError("no exercise is named", fix="name one, or all of them: --all")
    return ["."]


def _show(result: Attacked) -> None:
    from rich.text import Text

    from grader.model.report import Outcome
    from grader.report.marks import glyphs
    from grader.report.text import counted, one_line, seconds

    screen = output.stdout()
    marks = glyphs(screen.options).marks
    for one in result.got_through:
        mark = Text(f"{marks[Outcome.FAILED]} ", "red")
        screen.print(mark + Text(one.attack.name, "bold"), soft_wrap=True)
        screen.print(Text(f"  {one.attack.why}"), soft_wrap=True)
        for line in one.got:
            screen.print(Text(f"  {one_line(line, 300)}", "red"), soft_wrap=True)
        screen.print(Text(f"  {one.attack.path}", "dim"), soft_wrap=True)
    for line in result.outside:
        screen.print(Text(f"{marks[Outcome.FAILED]} {one_line(line, 300)}", "red"), soft_wrap=True)
    tried = counted(len(result.tried), "attack")
    if result.only_archives:
        tried += " (archives only: none is written in this language yet)"
    if result.held:
        line, mark_of, style = f"{tried}, none got through", Outcome.PASSED, "bold green"
    else:
        through = len(result.got_through)
        line, mark_of, style = f"{through} of {tried} got through", Outcome.FAILED, "bold red"
    known = sum(one.known for one in result.tried)
    before = f"{'all' if known == len(result.tried) else known} proven before, " if known else ""
    took = Text(f" ({before}{seconds(result.seconds)})", "dim")
    whole = Text(f"{marks[mark_of]} {result.exercise}: {line}", style) + took
    screen.print(whole, soft_wrap=True)


def _print_json(results: list[Attacked]) -> None:
    import msgspec

    value = {
        "format": ATTACKS_FORMAT,
        "held": all(one.held for one in results),
        "exercises": [
            {
                "exercise": one.exercise,
                "attacks": [_as_json(tried) for tried in one.tried],
                "outside": one.outside,
                "seconds": round(one.seconds, 1),
            }
            for one in results
        ],
    }
    output.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


def _as_json(tried: Tried) -> dict[str, object]:
    return {
        "name": tried.attack.name,
        "why": tried.attack.why,
        "file": str(tried.attack.path),
        "got": tried.got,
        "cached": tried.known,
        "seconds": round(tried.seconds, 2),
    }
