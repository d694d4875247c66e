"""`grader submit`: checks the work and makes the archive to hand in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader.cli import context as common
from grader.cli import output


def submit(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="FILE",
            help="Where to write the archive.",
            show_default="FOLDER.zip beside this folder",
        ),
    ] = None,
) -> None:
    """Check your work, then write the archive to hand in, with the report inside.

    Exits with 0 when it passed, and with 1 when it did not: it is written all the same. When
    grader itself failed it exits with 3, and writes nothing.
    """
    from grader.catalog import find
    from grader.cli.check import Checking
    from grader.cli.outcome import exit_code, show
    from grader.workspace import read
    from grader.workspace.handin import check_replaceable, pack

    settings = common.settings(context)
    info = read(Path())
    exercise = find(common.catalog_root(settings), str(info.exercise or info.slug))
    target = file or info.root.with_name(f"{info.root.name}.zip")
    check_replaceable(target)
    work = Checking(settings, exercise, info.root)
    submission = work.snapshot()
    report = work.check(submission, fresh=False, quiet=False)

    from rich.text import Text

    from grader.report.details import Commands, whole_line
    from grader.report.jsonform import to_json
    from grader.report.prose import graded
    from grader.report.text import counted, one_line

    show(report, Commands(hint="grader hint"), json=False)
    work.remember(report)
    screen = output.stdout()
    if graded(report):
        content = pack(submission, to_json(report))
        output.write_file(target, content)
        files = counted(sum(not one.folder for one in submission.files), "file")
        screen.print(Text())
        screen.print(Text(f"To hand in, with {files} and this report:"))
        screen.print(whole_line((f"  {one_line(str(target), 1000)}", "cyan")), crop=False)
    else:
        screen.print(Text("\nNothing was written: run grader submit once more.", "yellow"))
    raise typer.Exit(exit_code(report))
