"""`grader export` and `grader import`: the record as a file to keep or to take elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader.cli import context as common
from grader.cli import output


def export(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to write it.")],
) -> None:
    """Write your record to a file of JSON lines, one for each thing that happened.

    Files of several machines can be put together line by line, and imported anywhere.
    """
    from grader.progress.exchange import to_lines
    from grader.progress.record import Record
    from grader.report.text import one_line

    entries = Record(common.settings(context).data_dir).entries()
    output.write_file(file, to_lines(entries))
    output.say(f"{_counted(len(entries))} written to {one_line(str(file))}.")


def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="What grader export wrote.")],
) -> None:
    """Put what another record holds into yours. What is there already is not put in twice."""
    from grader.progress.exchange import read_lines
    from grader.progress.record import Record

    entries = read_lines(file)
    new = Record(common.settings(context).data_dir).add(*entries)
    output.say(f"{_counted(len(entries))} read, {new} of them new.")


def _counted(entries: int) -> str:
    return "1 entry" if entries == 1 else f"{entries} entries"
