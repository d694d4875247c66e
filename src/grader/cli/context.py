"""What every command shares: the settings and where the exercises lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from grader.making import Maker
    from grader.model.exercise import Exercise
    from grader.model.progress import Listener
    from grader.model.submission import SubmittedFile
    from grader.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Flags:
    """The options that stand before the command."""

    exercises: Path | None = None
    engine: str | None = None


def settings(context: typer.Context) -> Settings:
    """Every setting, the flags of this command line included."""
    from grader.settings import load

    flags: Flags = context.obj
    return load({"exercises": flags.exercises, "engine": flags.engine})


def maker(settings: Settings, exercise: Exercise, listener: Listener) -> Maker | None:
    """Makes workspaces and the reference; None where the exercise holds both as files."""
    if not exercise.made:
        return None
    from grader.engine.registry import engine
    from grader.making import Maker

    kept = settings.state_dir / "made"
    return Maker(exercise, engine(settings), listener, kept=kept)


def first_files(settings: Settings, exercise: Exercise, seed: int) -> Sequence[SubmittedFile]:
    """What a learner with this seed begins with; says on standard error what takes its time."""
    from grader.cli.progress import watching
    from grader.workspace.start import first_files as of_all

    with watching(quiet=False) as listener:
        made = maker(settings, exercise, listener)
        return of_all(exercise) if made is None else made.workspace(seed).files


def catalog_root(settings: Settings) -> Path:
    """The folder of roadmap.yaml and the exercises."""
    from grader import shipped

    return settings.exercises or shipped.exercises()
