"""`grader logs`: what the learner's programs printed in the last check."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from grader.cli import context as common
from grader.cli import output

if TYPE_CHECKING:
    from rich.console import RenderableType

    from grader.model.report import Report
    from grader.report.marks import Glyphs


def logs(context: typer.Context) -> None:
    """Show what your programs printed in the checks that did not pass last time."""
    from grader.cli.last import last_report
    from grader.report.marks import glyphs
    from grader.workspace import read

    report = last_report(common.settings(context), read(Path()).root)
    screen = output.stdout()
    for part in printed(report, glyphs(screen.options)):
        screen.print(part, crop=False)


def printed(report: Report, shown: Glyphs) -> Iterator[RenderableType]:
    """The output that each check which did not pass has told of, under its title."""
    from rich.padding import Padding
    from rich.text import Text

    from grader.report.marks import STYLES
    from grader.report.prose import not_passed
    from grader.report.text import one_line, visible

    found = [check for check, _ in not_passed(report) if check.log.strip()]
    if not found:
        yield Text("Your programs printed nothing in the checks that did not pass.", "dim")
    for position, check in enumerate(found):
        if position:
            yield Text()
        mark = Text(f"{shown.marks[check.outcome]} ", STYLES[check.outcome])
        yield mark + Text(one_line(check.title), "bold")
        yield Padding(Text(visible(check.log).strip("\n")), (0, 0, 0, 2), expand=False)
