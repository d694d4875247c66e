"""How far the learner is with each exercise, asked of the record in one query.

Loaded without any library: most commands only look in here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.progress.database import opened

_QUERY = """
    SELECT exercise, MAX(score), COUNT(score), MAX(CASE WHEN passed THEN version END),
        SUM(kind = 'hint'), MAX(kind = 'gave-up'), MAX(time)
    FROM entries GROUP BY exercise ORDER BY MAX(time) DESC, exercise
"""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One exercise that was begun."""

    exercise: str
    best: float | None
    """The highest score of a whole run, 0 to 100; None when none was graded."""
    tries: int
    """Whole runs that were graded."""
    passed_version: int | None
    """The highest version of the exercise that was passed."""
    hints: int
    gave_up: bool
    """Whether the solution was looked at before passing."""
    last: str
    """When something happened last: ISO 8601, in UTC."""

    @property
    def passed(self) -> bool:
        return self.passed_version is not None

    @property
    def state(self) -> str:
        """`passed` or `started`."""
        return "passed" if self.passed else "started"


def standings(folder: Path) -> dict[str, Standing]:
    """Exercise -> how far it is, the one that was touched last first. Raises RecordError."""
    with opened(folder, write=False) as database:
        rows = [] if database is None else database.execute(_QUERY).fetchall()
    return {
        exercise: Standing(
            exercise=exercise,
            best=best,
            tries=tries,
            passed_version=version,
            hints=hints,
            gave_up=bool(gave_up),
            last=last,
        )
        for exercise, best, tries, version, hints, gave_up, last in rows
    }


def what_next(order: Sequence[str], known: Mapping[str, Standing]) -> str | None:
    """The exercise to work on, of those in `order`; None when all are passed.

    The one that was begun and not finished comes first, then the first that was not begun, then
    what was given up. `known` is in the order of `standings`.
    """
    begun = [name for name, one in known.items() if name in order and not one.passed]
    open_ = [name for name in begun if not known[name].gave_up]
    fresh = [name for name in order if name not in known]
    return next(iter([*open_, *fresh, *begun]), None)
