"""`grader update`: a new version of the exercise in the workspace."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from grader.cli import context as common
from grader.cli import output

if TYPE_CHECKING:
    from rich.console import RenderableType

    from grader.model.exercise import Exercise
    from grader.report.marks import Glyphs
    from grader.workspace import Update, WorkspaceInfo


def update(context: typer.Context) -> None:
    """Bring in what changed in the exercise since you started; your files stay as they are.

    Files that you did not change are brought up to date. Where both sides changed one, yours stays
    and the difference is shown.
    """
    from grader.catalog import find
    from grader.report.marks import glyphs
    from grader.workspace import read
    from grader.workspace import update as bring

    info = read(Path())
    root = common.catalog_root(common.settings(context))
    exercise = find(root, str(info.exercise or info.slug))
    done = bring(exercise, info)
    screen = output.stdout()
    for part in _view(exercise, info, done, glyphs(screen.options)):
        screen.print(part, crop=False)


def _view(
    exercise: Exercise, info: WorkspaceInfo, done: Update, shown: Glyphs
) -> Iterator[RenderableType]:
    from rich.text import Text

    from grader.report.text import one_line

    if info.version == exercise.version:
        yield Text(f"{exercise.slug} is at version {exercise.version}.", "bold")
    else:
        versions = f"from version {info.version} to version {exercise.version}"
        yield Text(f"{exercise.slug}: {versions}.", "bold")
    if not done:
        yield Text("Nothing in this folder had to change.")
    for heading, names in (
        ("New:", done.added),
        ("Brought up to date, you had not changed them:", done.replaced),
    ):
        if names:
            yield Text(heading)
            yield Text("\n".join(f"  {one_line(name)}" for name in names))
    if done.aside is not None:
        yield from _conflicts(info, done, done.aside, shown)


def _conflicts(
    info: WorkspaceInfo, done: Update, aside: Path, shown: Glyphs
) -> Iterator[RenderableType]:
    from rich.rule import Rule
    from rich.text import Text

    from grader.cli.solution import difference
    from grader.report.details import whole_line
    from grader.report.text import one_line

    yield Text("Changed by you and by the exercise; yours are as they were:", "yellow")
    yield Text("\n".join(f"  {one_line(name)}" for name in done.conflicts))
    for name in done.conflicts:
        yield Text()
        title = Text(f"{one_line(name)}, from yours to the exercise's", "bold")
        yield Rule(title, characters=shown.rule, style="dim")
        yield difference(_text(info.root / name), _text(aside / name) or "", name, "exercise")
    yield whole_line((f"\nThe exercise's are in {one_line(str(aside), 1000)}. To take one:", ""))
    first = done.conflicts[0]
    mine = shlex.quote(str(info.root / first))
    yield whole_line((f"  cp {shlex.quote(str(aside / first))} {mine}", "cyan"))


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
