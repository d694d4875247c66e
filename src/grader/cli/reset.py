"""`grader reset`: back to the files of the start."""

from __future__ import annotations

import shlex
from pathlib import Path

import typer

from grader.cli import context as common
from grader.cli import output


def reset(context: typer.Context) -> None:
    """Put the files of the start back; what you had is kept beside the folder.

    Files that you added stay, and so do your record and your seed.
    """
    from rich.text import Text

    from grader.catalog import find
    from grader.report.details import whole_line
    from grader.report.text import one_line
    from grader.workspace import read
    from grader.workspace import reset as put_back

    info = read(Path())
    settings = common.settings(context)
    exercise = find(common.catalog_root(settings), str(info.exercise or info.slug))
    files = common.first_files(settings, exercise, info.seed) if exercise.made else None
    done = put_back(exercise, info.root, files)
    screen = output.stdout()
    if not done.files:
        screen.print(Text("Everything is as it was at the start."))
        return
    screen.print(Text("As at the start again:"))
    for name in done.files:
        screen.print(Text(f"  {one_line(name)}"))
    if done.backup is None:
        return
    undo = f"  cp -R {shlex.quote(f'{done.backup}/.')} {shlex.quote(str(info.root))}"
    screen.print(whole_line((f"\nWhat you had is in {one_line(str(done.backup), 1000)}", "")))
    screen.print(Text("Undo with:"))
    screen.print(whole_line((undo, "cyan")), crop=False)
