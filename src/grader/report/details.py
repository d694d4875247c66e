"""What one check that did not pass tells its reader."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.model.report import CheckResult
from grader.report.marks import STYLES, Glyphs
from grader.report.prose import (
    DIFF_LINES,
    HINT_LINES,
    LOG_LINES,
    VALUE_LINES,
    given_lines,
    message_lines,
)
from grader.report.text import first_lines, last_lines, one_line


@dataclass(frozen=True, kw_only=True)
class Commands:
    """How the reader repeats this run. `only` is whether the command takes `--only NAME`.

    `hint` is the command that gives one, "" where there is none.
    """

    again: str = "grader check"
    only: bool = True
    hint: str = ""

    def repeat(self, check: str, seed: int) -> str:
        """The exact command that runs one check again on the same inputs."""
        return f"{self.one(check)} --seed {seed}"

    def whole(self, seed: int) -> str:
        """The exact command that runs all checks again on the same inputs."""
        return f"{self.again} --seed {seed}"

    def one(self, check: str) -> str:
        """The command that shows one check, on new inputs."""
        return f"{self.again} --only {shlex.quote(one_line(check))}" if self.only else self.again


def failure(
    check: CheckResult, hint: str, seed: int, commands: Commands, glyphs: Glyphs
) -> Iterator[RenderableType]:
    """One failed or broken check, in full, with the hint that its reader gets."""
    style = STYLES[check.outcome]
    heading = Text.assemble(
        (f"{glyphs.marks[check.outcome]} ", style), (one_line(check.title), f"bold {style}")
    )
    yield _hanging(heading)
    yield _indented(_lines(message_lines(check)))
    values = _values(check)
    if values.row_count:
        yield Text()
        yield _indented(values)
    if check.diff:
        yield Text()
        yield _indented(_diff(check.diff))
    if check.log.strip():
        yield Text()
        yield _indented(_log(check.log, glyphs))
    yield Text()
    if hint:
        table = _grid()
        table.add_row(Text("hint", "dim"), _lines(first_lines(hint, HINT_LINES, 500)))
        yield _indented(table)
    yield whole_line(("  again     ", "dim"), (commands.repeat(check.id, seed), "cyan"))


def whole_line(*parts: tuple[str, str]) -> Group:
    """A line that is never broken, so that it can be copied. Print it with `crop=False`."""
    # A bare Text would lose its `no_wrap`: Console.print joins those into a new one.
    return Group(Text.assemble(*parts, no_wrap=True, overflow="ignore"))


def _values(check: CheckResult) -> Table:
    """given, expected and got in two columns; a diff stands for the latter two."""
    table = _grid()
    if given := given_lines(check):
        table.add_row(Text("given", "dim"), _lines(given))
    if check.diff:
        return table
    if check.expected is not None:
        table.add_row(
            Text("expected", "dim"), _lines(first_lines(check.expected, VALUE_LINES), "green")
        )
    if check.got is not None:
        table.add_row(Text("got", "dim"), _lines(first_lines(check.got, VALUE_LINES), "red"))
    return table


def _diff(diff: str) -> Text:
    shown = Text()
    if not diff.startswith("---"):
        shown.append("- expected\n", "green")
        shown.append("+ got\n", "red")
    for line in first_lines(diff, DIFF_LINES):
        style = {"-": "green", "+": "red", "@": "dim"}.get(line[:1], "")
        shown.append(line + "\n", style)
    shown.rstrip()
    return shown


def _log(log: str, glyphs: Glyphs) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column(overflow="fold")
    for line in last_lines(log, LOG_LINES):
        table.add_row(Text(glyphs.bar, "dim"), Text(line))
    titled = Table.grid()
    titled.add_column()
    titled.add_row(Text("your program printed:", "dim"))
    titled.add_row(table)
    return titled


def _grid() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(width=8, no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _lines(lines: Iterable[str], style: str = "") -> Text:
    return Text("\n".join(lines), style, overflow="fold")


def _hanging(text: Text) -> Table:
    """A mark, and beside it a title that wraps under itself."""
    table = Table.grid()
    table.add_column(width=2)
    table.add_column(overflow="fold")
    table.add_row(text[:2], text[2:])
    return table


def _indented(inner: RenderableType) -> Padding:
    return Padding(inner, (0, 0, 0, 2), expand=False)
