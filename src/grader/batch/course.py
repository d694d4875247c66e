"""`course.yaml`: which exercises count, how much and until when.

Applied to results in the gradebook, never to a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from grader.catalog.shape import shape_problems
from grader.catalog.yamldoc import Document, read_yaml
from grader.errors import Problem, UsageError

Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class _Late(msgspec.Struct, forbid_unknown_fields=True):
    per_day: Percent
    most: Percent = 100.0


class _Exercise(msgspec.Struct, forbid_unknown_fields=True):
    exercise: Text
    weight: Annotated[float, msgspec.Meta(ge=0, le=1000)] = 1.0
    deadline: str | None = None
    late: _Late | None = None
    attempts: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] | None = None
    counts: Literal["best", "last"] | None = None


class _Learner(msgspec.Struct, forbid_unknown_fields=True):
    id: Text
    name: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    format: Literal[1]
    title: Text
    exercises: Annotated[list[_Exercise], msgspec.Meta(min_length=1)]
    late: _Late | None = None
    attempts: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    counts: Literal["best", "last"] = "best"
    learners: list[_Learner] = msgspec.field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How an exercise counts. `attempts` 0: as many as one likes; `deadline` None: never late.

    `per_day`: percent of the score that each begun day after the deadline takes away, `most` of
    them at most; None: what is handed in late does not count.
    """

    exercise: str
    weight: float = 1.0
    deadline: datetime | None = None
    per_day: float | None = None
    most: float = 100.0
    attempts: int = 0
    best: bool = True

    def kept(self, handed_in: datetime | None) -> float:
        """The part of a score that counts, 0 to 1. A time that nobody knows is not late."""
        days = self.days_late(handed_in)
        if not days:
            return 1.0
        if self.per_day is None:
            return 0.0
        return 1.0 - min(days * self.per_day, self.most) / 100

    def days_late(self, handed_in: datetime | None) -> int:
        """Begun days after the deadline."""
        if self.deadline is None or handed_in is None or handed_in <= self.deadline:
            return 0
        return -((self.deadline - handed_in) // timedelta(days=1))


@dataclass(frozen=True, kw_only=True)
class Course:
    """`learners` maps those who belong to it to their names; empty: whoever has a result."""

    title: str
    exercises: tuple[Counted, ...]
    learners: dict[str, str] = field(default_factory=dict)


def read_course(file: Path) -> Course:
    """The course in a file. Raises UsageError with every problem and its line."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise UsageError(f"{file}: {said}", fix="name a course.yaml (docs/class.md)") from None
    document = read_yaml(text, str(file))
    problems = list(document.problems)
    data: _File | None = None
    if document.value is not None:
        try:
            data = msgspec.convert(document.value, _File)
        except msgspec.ValidationError as error:
            problems += [problem for _, problem in shape_problems(document, _File, error)]
    if data is None or problems:
        raise _wrong(file, problems)
    exercises = [
        _counted(data, number, document, problems) for number in range(len(data.exercises))
    ]
    for kind, names in (
        ("exercises", [one.exercise for one in data.exercises]),
        ("learners", [one.id for one in data.learners]),
    ):
        problems += _twice(kind, names, document)
    if problems:
        raise _wrong(file, problems)
    return Course(
        title=data.title,
        exercises=tuple(exercises),
        learners={one.id: one.name for one in data.learners},
    )


def _counted(data: _File, number: int, document: Document, problems: list[Problem]) -> Counted:
    one = data.exercises[number]
    late = one.late or data.late
    deadline = None
    if one.deadline is not None:
        try:
            deadline = datetime.fromisoformat(one.deadline)
        except ValueError:
            deadline = None
        if deadline is None or deadline.tzinfo is None:
            where = ("exercises", number, "deadline")
            said = f"'{one.deadline}' is no time with an offset"
            problems.append(document.problem(where, said, "write it so: 2026-03-01T18:00:00+01:00"))
            deadline = None
    return Counted(
        exercise=one.exercise,
        weight=one.weight,
        deadline=deadline.astimezone(UTC) if deadline else None,
        per_day=late.per_day if late else None,
        most=late.most if late else 100.0,
        attempts=data.attempts if one.attempts is None else one.attempts,
        best=(one.counts or data.counts) == "best",
    )


def _twice(kind: str, names: list[str], document: Document) -> list[Problem]:
    return [
        document.problem((kind, number), f"'{name}' is listed twice", "remove one of them")
        for number, name in enumerate(names)
        if name in names[:number]
    ]


def _wrong(file: Path, problems: list[Problem]) -> UsageError:
    listed = "\n".join(f"  {problem}" for problem in sorted(set(problems)))
    return UsageError(f"{file} is no course:\n{listed}", fix="docs/class.md shows one")
