"""What the record holds: one immutable entry for each thing that happened."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

import msgspec

from grader.model.report import Outcome, Report, Status

Name = Annotated[str, msgspec.Meta(min_length=1)]
Slug = Annotated[str, msgspec.Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=100)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
Amount = Annotated[float, msgspec.Meta(ge=0, le=1e9)]


def _id() -> str:
    return uuid4().hex


def _now() -> datetime:
    return datetime.now(UTC)


class _Entry(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """`id` is unique everywhere, so that records of several machines can be put together."""

    id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")] = msgspec.field(default_factory=_id)
    time: Annotated[datetime, msgspec.Meta(tz=True)] = msgspec.field(default_factory=_now)
    exercise: Slug
    version: Count


class CheckOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One check of an attempt."""

    id: Name
    task: Name
    outcome: Outcome
    points: Amount
    earned: Amount


class Attempt(_Entry, frozen=True, kw_only=True, tag="attempt"):
    """One run of `grader check`. The fields are those of the report; `seconds` is the checks'."""

    seed: Count
    status: Status
    score: Annotated[float, msgspec.Meta(ge=0, le=100)] | None
    partial: bool
    seconds: Amount
    submission: str
    checks: tuple[CheckOutcome, ...]


class Started(_Entry, frozen=True, kw_only=True, tag="started"):
    """A workspace was made."""


class Hint(_Entry, frozen=True, kw_only=True, tag="hint"):
    """One step of a task's ladder was read; steps count from 1."""

    task: Name
    step: Count


class GaveUp(_Entry, frozen=True, kw_only=True, tag="gave-up"):
    """The solution was looked at before the exercise was passed."""


Entry = Attempt | Started | Hint | GaveUp


def attempt(report: Report) -> Attempt:
    """What is kept of a report."""
    return Attempt(
        exercise=report.exercise,
        version=report.exercise_version,
        seed=report.seed,
        status=report.status,
        score=report.score,
        partial=report.partial,
        seconds=report.seconds,
        submission=report.submission,
        checks=tuple(
            CheckOutcome(
                id=check.id,
                task=check.task,
                outcome=check.outcome,
                points=check.points,
                earned=check.earned,
            )
            for check in report.checks()
        ),
    )
