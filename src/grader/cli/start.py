"""`grader start`: a folder of the learner's own for one exercise."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import completion, output
from grader.cli import context as common

if TYPE_CHECKING:
    from grader.model.exercise import Exercise
    from grader.settings import Settings


def start(
    context: typer.Context,
    exercise: Annotated[
        str,
        typer.Argument(
            help="The exercise, by name or by its folder.", autocompletion=completion.exercises
        ),
    ],
    folder: Annotated[
        Path | None, typer.Argument(help="Where to put it.", show_default="./EXERCISE")
    ] = None,
) -> None:
    """Make a folder of your own for one exercise."""
    from rich.text import Text

    from grader.catalog import find, is_path
    from grader.report.details import whole_line
    from grader.report.text import one_line
    from grader.workspace import start as make

    settings = common.settings(context)
    found = find(common.catalog_root(settings), exercise)
    target = Path(found.slug) if folder is None else folder
    created = make(
        found,
        target,
        folder=found.root if is_path(exercise) else None,
        files=(lambda seed: common.first_files(settings, found, seed)) if found.made else None,
    )
    _remember(settings, found, target)
    screen = output.stdout()
    screen.print(Text(found.title, "bold"))
    screen.print(Text(f"about {found.minutes} minutes, difficulty {found.difficulty} of 5", "dim"))
    what = "Made in" if created else "Everything is there already in"
    screen.print(Text(f"\n{what} {one_line(str(target))}{':' if created else ''}"))
    for name in _told(found, target, created):
        screen.print(Text(f"  {one_line(name)}"))
    screen.print(Text("\nNext:", "bold"))
    if target.resolve() != Path.cwd():
        screen.print(whole_line((f"  cd {shlex.quote(str(target))}", "cyan")), crop=False)
    screen.print(Text.assemble(("  open README.md", "cyan"), ("    the tasks", "dim")))
    screen.print(Text.assemble(("  grader check", "cyan"), ("      as often as you like", "dim")))


def _told(exercise: Exercise, target: Path, created: list[Path]) -> list[str]:
    """The names of what was created; a git repository counts as one."""
    names: dict[str, None] = {}
    for path in created:
        name = (path.relative_to(target) if path.is_relative_to(target) else path).as_posix()
        whole = (f"{one}/" for one in exercise.repositories if name.startswith(f"{one}/"))
        names[next(whole, name)] = None
    return list(names)


def _remember(settings: Settings, exercise: Exercise, folder: Path) -> None:
    from grader.progress.entries import Started
    from grader.progress.record import Record

    with output.warned("this start was not recorded"):
        begun = Started(exercise=exercise.slug, version=exercise.version)
        Record(settings.data_dir).add(begun, folder=folder.resolve())
