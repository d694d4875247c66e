"""Where in an exercise a problem is."""

from __future__ import annotations

from grader.errors import Problem
from grader.model.exercise import Exercise


def at_check(exercise: Exercise, check: str, message: str, fix: str) -> Problem:
    """A problem at the line of the check with this id."""
    name = check.partition("[")[0]
    for one in exercise.checks:
        if one.name == name:
            return Problem(file=one.file, line=one.line, message=message, fix=fix)
    return Problem(file=str(exercise.tests), message=message, fix=fix)
