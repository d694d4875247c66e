"""What a shell completes: exercises, tasks and checks; and the script that lets it ask."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import output
from grader.errors import GraderError

if TYPE_CHECKING:
    from grader.model.exercise import Exercise

VARIABLE = "_GRADER_COMPLETE"
"""Set by the script of `grader completion` when it asks."""


class Shell(StrEnum):
    """The shells that there is a script for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


def completion(
    shell: Annotated[Shell, typer.Argument(help="Your shell.")],
) -> None:
    """Print the script that lets your shell complete commands, exercises, tasks and checks.

    For this shell: source <(grader completion bash). For every one, put that line into ~/.bashrc;
    zsh likewise. In fish: grader completion fish | source
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined]  # it is there

    output.say(get_completion_script(prog_name="grader", complete_var=VARIABLE, shell=shell.value))


def exercises(context: typer.Context, incomplete: str) -> list[str]:
    """Slugs of the catalog that begin so."""
    from grader.catalog import slugs

    with contextlib.suppress(GraderError):  # whoever presses a key is not told what is wrong
        return [slug for slug in slugs(_root(context)) if slug.startswith(incomplete)]
    return []


def tasks(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Tasks of the exercise whose workspace one is in, with their titles."""
    found = [(task.id, task.title) for one in _here(context) for task in one.tasks]
    return [(name, title) for name, title in found if name.startswith(incomplete)]


def checks(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Checks of the exercise whose workspace one is in, with their titles."""
    found = [(check.name, check.title) for one in _here(context) for check in one.checks]
    return [(name, title) for name, title in found if name.startswith(incomplete)]


def _root(context: typer.Context) -> Path:
    from grader import shipped
    from grader.settings import load

    # The callback that makes our context does not run while a shell asks.
    given = context.find_root().params.get("exercises")
    return load({"exercises": Path(given) if given else None}).exercises or shipped.exercises()


def _here(context: typer.Context) -> Iterator[Exercise]:
    from grader.catalog import find
    from grader.workspace import read

    with contextlib.suppress(GraderError):
        info = read(Path())
        yield find(_root(context), str(info.exercise or info.slug))
