"""`grader next`: what to do now, as commands to be copied."""

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

    from grader.cli.roadmap import Way
    from grader.model.exercise import Exercise
    from grader.progress.standings import Standing
    from grader.report.marks import Glyphs
    from grader.settings import Settings


def next_(context: typer.Context) -> None:
    """Say what to do now, and with which commands.

    It is the exercise that you began and did not finish, or else the next one of the roadmap that
    can run on this machine.
    """
    from grader.catalog import load_catalog
    from grader.cli.roadmap import way_of
    from grader.report.marks import glyphs

    settings = common.settings(context)
    way = way_of(load_catalog(common.catalog_root(settings)), settings)
    screen = output.stdout()
    for part in lead(way, settings, glyphs(screen.options)):
        screen.print(part, crop=False)


def lead(way: Way, settings: Settings, shown: Glyphs) -> Iterator[RenderableType]:
    """The way on, with the commands to be typed."""
    from rich.text import Text

    from grader.progress.record import Record

    name = way.next
    if name is None:
        passed = "You have passed every exercise there is."
        yield Text(passed if way.catalog.exercises else "There are no exercises.", "bold")
        return
    folder = None
    with output.warned("where you work is not known"):
        folder = Record(settings.data_dir).workspaces().get(name)
    yield from _view(way.catalog.exercises[name], way.known.get(name), folder, shown)
    if name in way.lacks:
        yield Text(f"\nThis machine lacks {way.lacks[name]} for it: grader doctor", "yellow")


def _view(
    exercise: Exercise, standing: Standing | None, folder: Path | None, shown: Glyphs
) -> Iterator[RenderableType]:
    from rich.text import Text

    from grader.report.details import whole_line
    from grader.report.text import counted, number

    begun = standing is not None and folder is not None and _holds(folder, exercise.slug)
    yield Text.assemble("Go on with: " if standing else "Next: ", (exercise.title, "bold"))
    facts = [exercise.slug]
    if standing is None:
        facts += [f"about {exercise.minutes} minutes", f"difficulty {exercise.difficulty} of 5"]
    elif standing.best is None:
        facts.append("no check yet")
    else:
        facts += [f"best {number(standing.best)} of 100", counted_tries(standing.tries)]
    if standing is not None and standing.hints:
        facts.append(counted(standing.hints, "hint"))
    yield Text(shown.dot.join(facts), "dim")
    yield Text()
    if folder is None or not begun:
        yield whole_line((f"  grader start {exercise.slug}", "cyan"))
        return
    if not Path.cwd().is_relative_to(folder):
        yield whole_line((f"  cd {shlex.quote(str(folder))}", "cyan"))
    yield whole_line(("  grader check", "cyan"))


def counted_tries(tries: int) -> str:
    """`1 try`, `3 tries`."""
    return "1 try" if tries == 1 else f"{tries} tries"


def _holds(folder: Path, slug: str) -> bool:
    """Whether the folder is still the workspace that it was."""
    from grader.errors import UsageError
    from grader.workspace import read

    try:
        return folder.is_dir() and read(folder).slug == slug
    except (OSError, UsageError):
        return False
