"""`grader grade`: one submission, as a course or a pipeline grades it."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import context as common
from grader.cli.output import write_file
from grader.errors import UsageError

if TYPE_CHECKING:
    from grader.model.report import Report
    from grader.report.details import Commands


class Format(StrEnum):
    """The forms that a report can take."""

    TEXT = "text"
    JSON = "json"


def grade(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="A folder, or a zip or tar archive.")],
    exercise: Annotated[
        str, typer.Option(metavar="SLUG|DIR", help="The exercise, by name or by its folder.")
    ],
    form: Annotated[Format, typer.Option("--format", help="Form of the report.")] = Format.TEXT,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the report to this file instead of the screen."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Repeat a run on the same inputs.")
    ] = None,
    trusted: Annotated[
        bool,
        typer.Option(
            "--trust-submissions", help="Also on an engine that does not hold programs back."
        ),
    ] = False,
) -> None:
    """Grade one submission on servers that nobody else has used.

    Exits with 0 when it passed, 1 when it did not, 3 when grader itself failed (never a zero),
    4 when the submission cannot be graded as handed in.
    """
    from grader.catalog import find
    from grader.cli.outcome import Run, exit_code, show
    from grader.workspace import snapshot

    settings = common.settings(context)
    if output is not None:
        _check_writable(output)
    found = find(common.catalog_root(settings), exercise)
    submission = snapshot(path, found.submit, found.limits)
    json = form is Format.JSON
    run = Run(exercise=found, submission=submission, seed=seed, trusted=trusted)
    report = run.grade(settings, quiet=json)
    from grader.report.details import Commands  # after the checks: it loads what draws

    again = f"grader grade {shlex.quote(str(path))} --exercise {shlex.quote(exercise)}"
    again += " --trust-submissions" if trusted else ""
    commands = Commands(again=again, only=False)
    if output is None:
        show(report, commands, json=json)
    else:
        write_file(output, _rendered(report, commands, json=json))
    raise typer.Exit(exit_code(report))


def _rendered(report: Report, commands: Commands, *, json: bool) -> bytes:
    if json:
        from grader.report.jsonform import to_json

        return to_json(report)
    from grader.report.terminal import to_text

    return to_text(report, commands).encode("utf-8", "backslashreplace")


def _check_writable(path: Path) -> None:
    """Find out before grading what would be found out after it."""
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path}: its folder does not exist", fix="make the folder first")
    if path.is_dir():
        raise UsageError(f"{path} is a folder", fix="name a file with --output")
