"""What grading one submission found. Plain values; the JSON form is versioned (docs/report.md)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

REPORT_FORMAT = 1


class Outcome(StrEnum):
    """One check's result. The five are never mixed."""

    PASSED = "passed"
    FAILED = "failed"
    """The answer is wrong."""
    BROKE = "broke"
    """The learner's program crashed, timed out or met a limit; `reason` says which."""
    SKIPPED = "skipped"
    """A check that it needs did not pass."""
    ERROR = "error"
    """The grader or its infrastructure failed."""


class Status(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    """Graded, below the passing score."""
    ERROR = "error"
    """Not graded: the report has no score."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """A check as the judge collected it. `seconds` is its time limit."""

    id: str
    task: str
    title: str
    points: float
    needs: tuple[str, ...] = ()
    show: str | None = None
    """None: the exercise decides."""
    hint: str = ""
    seconds: float = 10.0
    reveal_after: int | None = None


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """One check's outcome and all that may be told about it. `seconds` is the time it took."""

    id: str
    task: str
    title: str
    outcome: Outcome
    points: float
    earned: float
    reason: str = ""
    """For `broke`: crash, timeout, memory, pids, output, closed, ...; for `skipped`: the check."""
    message: str = ""
    expected: str | None = None
    got: str | None = None
    diff: str | None = None
    given: tuple[tuple[str, str], ...] = ()
    log: str = ""
    hint: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class TaskResult:
    id: str
    title: str
    points: float
    earned: float
    hints: tuple[str, ...]
    checks: tuple[CheckResult, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """The whole result. `score` is 0..100, scaled from points; None when status is `error`.

    `partial` is true when only some checks were asked for: such a report has no verdict on the
    exercise, `status` speaks of the checks that ran.
    """

    format: int = REPORT_FORMAT
    exercise: str
    exercise_title: str
    exercise_version: int
    submission: str
    """SHA-256 of the submitted files."""
    engine: str
    seed: int
    status: Status
    score: float | None
    passing: int
    points: float
    earned: float
    partial: bool
    seconds: float
    """Time the checks took, without building images or starting services."""
    tasks: tuple[TaskResult, ...]
    error: str = ""

    def checks(self) -> tuple[CheckResult, ...]:
        return tuple(check for task in self.tasks for check in task.checks)
