"""`grader check`: the learner's command."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import completion, output
from grader.cli import context as common
from grader.errors import UsageError

if TYPE_CHECKING:
    from grader.model.report import Report
    from grader.settings import Settings


def check(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="The folder that grader start made.")] = Path(),
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only this check and what it needs. May be repeated.",
            autocompletion=completion.checks,
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Repeat a run on the same inputs.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Use new servers, not warm ones.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON only.")] = False,
) -> None:
    """Grade your work and see what to do next.

    Exits with 0 when it passed, 1 when it did not, 3 when grader itself failed.
    """
    from grader.catalog import find
    from grader.cli.outcome import Run, exit_code, show
    from grader.workspace import count_attempt, read, snapshot

    settings = common.settings(context)
    if not path.is_dir():
        raise UsageError(f"{path} is not a folder", fix="name the folder that grader start made")
    info = read(path.resolve())
    exercise = find(common.catalog_root(settings), str(info.exercise or info.slug))
    submission = snapshot(info.root, exercise.submit, exercise.limits)
    run = Run(
        exercise=exercise,
        submission=submission,
        seed=seed,
        only=tuple(only or ()),
        learner_seed=info.seed,
        attempt=info.attempts + 1,
        owner=str(info.root.resolve()),
        fresh=fresh,
        trusted=True,
    )
    report = run.grade(settings, quiet=json)
    if report.score is not None and not report.partial:
        count_attempt(info.root)
    from grader.report.details import Commands  # after the checks: it loads what draws

    where = "" if path == Path() else f" {shlex.quote(str(path))}"
    hint = "" if where else "grader hint"  # which is of the folder that one is in
    show(report, Commands(again=f"grader check{where}", hint=hint), json=json)
    _remember(settings, report, info.root)
    raise typer.Exit(exit_code(report))


def _remember(settings: Settings, report: Report, folder: Path) -> None:
    """Put the attempt into the learner's record. What is graded stays graded without it, too."""
    from grader.progress.entries import attempt
    from grader.progress.record import Record

    with output.warned("this attempt was not recorded"):
        Record(settings.data_dir).add(attempt(report), folder=folder)
