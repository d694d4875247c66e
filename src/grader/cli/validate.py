"""`grader validate`: proof that an exercise's hidden tests are right."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import context as common
from grader.cli import output
from grader.errors import ExerciseError, InfrastructureError, UsageError

if TYPE_CHECKING:
    from grader.authoring.validate import Validation
    from grader.settings import Settings


def validate(
    context: typer.Context,
    exercises: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[EXERCISE]...",
            help="By name or by folder.",
            show_default="this folder",
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All exercises of the catalog.")] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", metavar="N", min=1, help="Proofs at a time.", show_default="one a processor"
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Prove that the hidden tests of an exercise accept what is right and reject what is wrong.

    What was proven and has not changed since is not run again.

    Exits with 0 when all is proven, 5 when an exercise is not right, 3 when grader itself failed.
    """
    from grader.catalog import slugs

    settings = common.settings(context)
    names = list(exercises or ())
    if every:
        names = [*slugs(common.catalog_root(settings))]
    elif not names:
        if not Path("exercise.yaml").is_file():
            raise UsageError("no exercise is named", fix="name one, or all of them: --all")
        names = ["."]
    found = [_one(settings, name, jobs, json=json) for name in names]
    if json:
        from grader.cli.validation import as_json

        output.write_bytes(as_json(found))
    elif len(found) > 1:
        proven = sum(one.proven for one in found)
        output.say(f"{proven} of {len(found)} exercises are proven.")
    raise typer.Exit(_exit_code(found))


def _exit_code(found: list[Validation]) -> int:
    if any(one.problems for one in found):
        return ExerciseError.exit_code
    return 0 if all(one.proven for one in found) else InfrastructureError.exit_code


def _one(settings: Settings, name: str, jobs: int | None, *, json: bool) -> Validation:
    """Prove one exercise, show what goes on, and what came of it unless `json`."""
    from grader.authoring.cache import Proofs
    from grader.authoring.validate import Validator, examine
    from grader.cli.validation import Proving, show
    from grader.engine.registry import engine

    validation = examine(common.catalog_root(settings), name)
    if validation.exercise is not None:
        cache = Proofs(settings.state_dir / "proofs")
        cache.tidy()
        at_once = jobs or os.cpu_count() or 1
        # Its sessions wait beside those of the user, and must not end them.
        roomy = replace(settings, warm_sessions=settings.warm_sessions + at_once)
        kept = settings.state_dir / "made"
        validator = Validator(validation.exercise, lambda: engine(roomy), cache, at_once, kept=kept)
        with Proving(validation, quiet=json) as shown:
            validator.prove(validation, shown.proof, shown.progress)
    if not json:
        show(validation)
    return validation
