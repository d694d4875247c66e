"""Whether the time that an exercise gives is enough on a slower machine, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.authoring.places import at_check
from grader.catalog.load import CONTRACT
from grader.errors import Problem
from grader.model.exercise import Exercise
from grader.model.report import Report

TIGHT = 0.5
"""The part of its time that the reference may take before the time counts as tight."""


@dataclass(frozen=True)
class Ran:
    """One run of a proof. `limits` are the seconds that each check may take."""

    report: Report
    limits: Mapping[str, float]


def tight(exercise: Exercise, runs: Sequence[Ran]) -> Iterator[Problem]:
    """Times of the reference that a slower machine would not keep.

    The quickest of several runs counts: this machine may be busy with something else.
    """
    limit = exercise.limits.seconds
    whole = min(run.report.seconds for run in runs)
    if whole > TIGHT * limit:
        message = f"the reference takes {whole:.1f} s of the {limit:g} s for all checks"
        fix = "give limits.seconds twice what the reference needs, at least"
        yield Problem(file=str(exercise.root / CONTRACT), message=message, fix=fix)
    for check, seconds in _quickest(runs).items():
        allowed = runs[0].limits[check]
        if seconds > TIGHT * allowed:
            message = f"{check} takes {seconds:.1f} s of its {allowed:g} s on the reference"
            fix = "give its mark seconds= twice as much, at least, or let it do less"
            yield at_check(exercise, check, message, fix)


def _quickest(runs: Sequence[Ran]) -> dict[str, float]:
    found: dict[str, float] = {}
    for run in runs:
        for check in run.report.checks():
            found[check.id] = min(check.seconds, found.get(check.id, check.seconds))
    return found
