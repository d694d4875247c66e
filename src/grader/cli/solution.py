"""`grader solution`: the reference, and how it differs from the learner's files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import context as common
from grader.cli import output
from grader.errors import RecordError, UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from grader.model.exercise import Exercise
    from grader.model.submission import SubmittedFile
    from grader.report.marks import Glyphs
    from grader.settings import Settings


def solution(
    context: typer.Context,
    give_up: Annotated[
        bool, typer.Option("--give-up", help="Show it before you have passed. This is recorded.")
    ] = False,
) -> None:
    """Show the author's solution, and how it differs from yours.

    After you have passed, or with --give-up.
    """
    from grader.catalog import find
    from grader.making import sources
    from grader.report.marks import glyphs
    from grader.workspace import read, snapshot_folder

    settings = common.settings(context)
    info = read(Path())
    exercise = find(common.catalog_root(settings), str(info.exercise or info.slug))
    _allow(settings, exercise, give_up=give_up)
    if exercise.solve:
        reference = sources(exercise, exercise.solution)
    else:
        reference = snapshot_folder(exercise.solution, exercise.answer, exercise.limits)
    screen = output.stdout()
    shown = glyphs(screen.options)
    for file in reference.files:
        if not file.folder:
            mine = _read(info.root / file.path, exercise.limits.submission)
            for part in _file(file, mine, shown, compared=not exercise.solve):
                screen.print(part, crop=False, soft_wrap=True)


def _allow(settings: Settings, exercise: Exercise, *, give_up: bool) -> None:
    """Whoever has passed or given up may look; giving up is recorded, once."""
    from grader.progress.entries import GaveUp
    from grader.progress.record import Record
    from grader.progress.standings import standings

    try:
        standing = standings(settings.data_dir).get(exercise.slug)
    except RecordError:
        if not give_up:
            raise
        standing = None
    if standing is not None and (standing.passed or standing.gave_up):
        return
    if not give_up:
        raise UsageError(
            f"you have not passed '{exercise.slug}' yet",
            fix="take a hint: grader hint; or see the solution all the same: "
            "grader solution --give-up",
        )
    with output.warned("that you gave up was not recorded"):
        Record(settings.data_dir).add(GaveUp(exercise=exercise.slug, version=exercise.version))


def _file(
    file: SubmittedFile, mine: str | None, shown: Glyphs, *, compared: bool
) -> Iterator[RenderableType]:
    """The reference's file as it is, then the way from the learner's to it.

    A procedure is `compared` with nothing: learners hand in what came of theirs.
    """
    from rich.rule import Rule
    from rich.text import Text

    from grader.report.text import visible

    yield Rule(Text(f"{file.path}, the solution", "bold"), characters=shown.rule, style="dim")
    try:
        text = file.content.decode("utf-8")
    except UnicodeDecodeError:
        yield Text(f"not text: {len(file.content)} bytes", "dim")
        return
    yield Text(visible(text).rstrip("\n"))
    yield Text()
    if not compared:
        return
    yield Rule(Text(f"{file.path}, from yours to it", "bold"), characters=shown.rule, style="dim")
    yield difference(mine, text, file.path, "solution")
    yield Text()


def _read(path: Path, largest: int) -> str | None:
    """The learner's file; None when there is none that can be compared."""
    try:
        if not path.is_file() or path.stat().st_size > largest:
            return None
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def difference(mine: str | None, theirs: str, path: str, whose: str) -> Text:
    """From the learner's text of a file to that of somebody else."""
    import difflib

    from rich.text import Text

    from grader.report.text import visible

    if mine is None:
        return Text("You have no such file, or it is not text.", "dim")
    lines = difflib.unified_diff(
        visible(mine).splitlines(),
        visible(theirs).splitlines(),
        f"yours/{path}",
        f"{whose}/{path}",
        lineterm="",
    )
    shown = Text()
    for line in lines:
        style = {"-": "red", "+": "green", "@": "dim"}.get(line[:1], "")
        shown.append(f"{line}\n", style)
    shown.rstrip()
    return shown if shown else Text("Yours is the same.", "dim")
