"""The single pipeline behind check, grade, validate, batch and the workers."""

from __future__ import annotations

from dataclasses import dataclass

from grader.engine.base import Engine
from grader.model.exercise import Exercise
from grader.model.progress import Listener
from grader.model.report import Report
from grader.model.submission import Submission


@dataclass(frozen=True, kw_only=True)
class GradeOptions:
    """`seed` None draws one. `only` are check ids or base names. `owner` keeps a session warm."""

    seed: int | None = None
    only: tuple[str, ...] = ()
    learner_seed: int = 0
    attempt: int = 1
    owner: str = ""
    fresh: bool = False


def grade(
    exercise: Exercise,
    submission: Submission,
    engine: Engine,
    options: GradeOptions,
    listener: Listener,
) -> Report:
    """Grade one submission once. Raises InfrastructureError, ExerciseError, UsageError."""
    raise NotImplementedError
