"""What every command shares: the settings and where the exercises lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
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


def catalog_root(settings: Settings) -> Path:
    """The folder of roadmap.yaml and the exercises."""
    from grader import shipped

    return settings.exercises or shipped.exercises()
