"""`grader doctor`: whether checks can run on this machine, and what to do if not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import context as common
from grader.cli import output
from grader.errors import InfrastructureError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from grader.model.finding import Finding
    from grader.report.marks import Glyphs

LONGEST = 400
"""Characters of one cause or fix."""


def doctor(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Say whether checks can run on this machine, and how to mend what is wrong.

    Exits with 0 when they can, 3 when they cannot.
    """
    from grader.cli.progress import watching
    from grader.engine.machine import python, state_folder
    from grader.engine.registry import examine
    from grader.model.finding import ready

    settings = common.settings(context)
    findings = [python(sys.version_info[:3], sys.executable), state_folder(settings.state_dir)]
    with watching(quiet=json) as listener:
        findings += [*_folder(), *examine(settings, listener)]
    if json:
        _print_json(findings)
    else:
        _show(findings)
    raise typer.Exit(0 if ready(findings) else InfrastructureError.exit_code)


def _folder() -> Iterator[Finding]:
    """The workspace that one is in, if it is one."""
    import platform
    from pathlib import Path

    from grader.errors import UsageError
    from grader.workspace import read
    from grader.workspace.condition import examine

    try:
        root = read(Path()).root
    except UsageError:
        return
    yield examine(root, platform.release())


def _show(findings: list[Finding]) -> None:
    from rich.text import Text

    from grader.model.finding import State, ready
    from grader.report.marks import glyphs

    screen = output.stdout()
    for part in view(findings, glyphs(screen.options)):
        screen.print(part, crop=False)
    if not ready(findings):
        end = Text("Checks cannot run here yet.", "bold red")
    elif any(finding.state is State.WARNS for finding in findings):
        end = Text("Checks can run here, with the warnings above.", "bold")
    else:
        end = Text("Checks can run here.", "bold green")
    screen.print()
    screen.print(end)


def view(findings: list[Finding], shown: Glyphs) -> Iterator[RenderableType]:
    """A line for each finding, and below it the cause and the fix of a problem."""
    from rich.table import Table
    from rich.text import Text

    from grader.model.finding import State
    from grader.model.report import Outcome
    from grader.report.details import whole_line
    from grader.report.text import one_line

    marks = {
        State.WORKS: (shown.marks[Outcome.PASSED], "green"),
        State.WARNS: (shown.marks[Outcome.BROKE], "yellow"),
        State.FAILS: (shown.marks[Outcome.FAILED], "red"),
    }
    for finding in findings:
        table = Table.grid(padding=(0, 1))
        table.add_column(width=1)
        table.add_column(width=8, no_wrap=True)
        table.add_column(overflow="fold")
        name = Text(finding.name.capitalize(), "bold")
        table.add_row(Text(*marks[finding.state]), name, one_line(finding.found, LONGEST))
        if finding.cause:
            table.add_row("", "  cause", one_line(finding.cause, LONGEST))
        yield table
        if finding.fix:  # the terminal breaks it, so that a command can be copied whole
            yield whole_line(("    fix    ", ""), (one_line(finding.fix, LONGEST), "cyan"))


def _print_json(findings: list[Finding]) -> None:
    import msgspec

    from grader.model.finding import FINDINGS_FORMAT, ready

    value = {"format": FINDINGS_FORMAT, "ready": ready(findings), "findings": findings}
    output.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")
