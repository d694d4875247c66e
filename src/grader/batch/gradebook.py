"""What a class achieved: results and a course's rules in, grades out. Pure, but for the reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import msgspec

from grader.batch.course import Counted, Course
from grader.batch.store import Result, Verdict
from grader.model.report import CheckResult, Outcome, Report

BANDS = 10
"""Bars of a distribution: each is as many points of 100 wide."""


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class _Kept:
    """A result without its report, and the outcomes that were in it."""

    result: Result
    checks: tuple[tuple[str, Outcome], ...]


@dataclass(frozen=True, kw_only=True)
class Grade:
    """One learner's grade in one exercise.

    `score` is what counts, after lateness: 0 when nothing was handed in or it cannot be graded,
    None while something of ours keeps it from being graded. `result` is the one that counts.
    """

    score: float | None
    raw: float | None = None
    days_late: int = 0
    submissions: int = 0
    result: Result | None = None
    checks: tuple[tuple[str, Outcome], ...] = ()
    passed_after: int | None = None
    """How many submissions it took to pass; None when none did."""


@dataclass(kw_only=True)
class Line:
    """One learner. `total` is the weighted mean of 100; None while a grade is None."""

    learner: str
    name: str
    grades: dict[str, Grade] = field(default_factory=dict)
    total: float | None = 0.0


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A check, and how many of the counted submissions did not pass it."""

    id: str
    title: str
    task: str
    failed: int
    of: int


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One exercise over the whole class. `bands[n]` counts scores from 10 n up, 100 in the last."""

    counted: Counted
    handed_in: int
    passed: int
    refused: int
    pending: int
    mean: float | None
    bands: tuple[int, ...]
    most_failed: tuple[Failed, ...]
    passed_after: tuple[tuple[int, int], ...]
    """How many learners passed with their first submission, their second, ..."""


@dataclass(frozen=True, kw_only=True)
class Gradebook:
    course: Course
    lines: list[Line]
    summaries: list[Summary]


def gradebook(results: Iterable[Result], course: Course | None = None) -> Gradebook:
    """Grades of everybody who has a result or is listed in the course.

    Without a course every exercise that has results counts alike. Reports are read and let go one
    by one: a class may be large.
    """
    titles: dict[str, dict[str, CheckResult]] = {}
    kept: dict[tuple[str, str], dict[str, _Kept]] = {}
    names: dict[str, str] = dict(course.learners) if course else {}
    wanted = {one.exercise for one in course.exercises} if course else None
    for result in results:
        if wanted is not None and result.exercise not in wanted:
            continue
        if course and course.learners and result.learner not in course.learners:
            continue
        # A later result of the same files, from a regrade, takes the place of the earlier one.
        of = kept.setdefault((result.learner, result.exercise), {})
        of.pop(result.submission, None)
        checks = _checks(result, titles.setdefault(result.exercise, {}))
        of[result.submission] = _Kept(replace(result, report=""), checks)
        names[result.learner] = names.get(result.learner) or result.name
    if course is None:
        exercises = sorted({exercise for _, exercise in kept})
        course = Course(title="", exercises=tuple(Counted(exercise=one) for one in exercises))
    lines = [Line(learner=learner, name=names[learner]) for learner in sorted(names)]
    for line in lines:
        for counted in course.exercises:
            found = list(kept.get((line.learner, counted.exercise), {}).values())
            line.grades[counted.exercise] = _grade(found, counted)
        line.total = _total(line, course.exercises)
    summaries = [_summary(one, lines, titles.get(one.exercise, {})) for one in course.exercises]
    return Gradebook(course=course, lines=lines, summaries=summaries)


def _grade(found: list[_Kept], counted: Counted) -> Grade:
    found.sort(key=lambda one: (handed_in(one.result) or _LONG_AGO, one.result.id))
    if counted.attempts:
        found = found[: counted.attempts]
    if not found:
        return Grade(score=0.0)
    tried = len(found)
    passed = next(
        (n for n, one in enumerate(found, 1) if one.result.status is Verdict.PASSED), None
    )
    if not counted.best:
        found = found[-1:]
    scored = [(_score(one.result, counted), one) for one in found]
    score, chosen = max(scored, key=lambda pair: -1.0 if pair[0] is None else pair[0])
    # One that could not be graded might be the best: until it is, there is no grade.
    pending = [one for value, one in scored if value is None]
    if pending and score != 100.0:
        score, chosen = None, pending[-1]
    return Grade(
        score=score,
        raw=chosen.result.score,
        days_late=counted.days_late(handed_in(chosen.result)),
        submissions=tried,
        result=chosen.result,
        checks=chosen.checks,
        passed_after=passed,
    )


def _score(result: Result, counted: Counted) -> float | None:
    match result.status:
        case Verdict.ERROR:
            return None
        case Verdict.REFUSED:
            return 0.0
        case _:
            return round((result.score or 0.0) * counted.kept(handed_in(result)), 2)


def handed_in(result: Result) -> datetime | None:
    """When it was handed in, as far as anybody knows."""
    return datetime.fromisoformat(result.handed_in) if result.handed_in else None


def _checks(result: Result, known: dict[str, CheckResult]) -> tuple[tuple[str, Outcome], ...]:
    if not result.report:
        return ()
    checks = report_of(result).checks()
    for check in checks:
        known.setdefault(check.id, check)
    return tuple((check.id, check.outcome) for check in checks)


def report_of(result: Result) -> Report:
    """The report that a result keeps as JSON."""
    return msgspec.json.decode(result.report.encode(), type=Report)


def _total(line: Line, exercises: Sequence[Counted]) -> float | None:
    weights = sum(one.weight for one in exercises)
    total = 0.0
    for one in exercises:
        score = line.grades[one.exercise].score
        if score is None and one.weight:
            return None
        total += (score or 0.0) * one.weight
    return round(total / weights, 2) if weights else 0.0


def _summary(counted: Counted, lines: list[Line], titles: dict[str, CheckResult]) -> Summary:
    grades = [line.grades[counted.exercise] for line in lines]
    handed = [one for one in grades if one.result is not None]
    scores = [one.score for one in handed if one.score is not None]
    bands = Counter(min(int(score // (100 / BANDS)), BANDS - 1) for score in scores)
    after = Counter(one.passed_after for one in handed if one.passed_after)
    return Summary(
        counted=counted,
        handed_in=len(handed),
        passed=sum(one.passed_after is not None for one in handed),
        refused=sum(_is(one, Verdict.REFUSED) for one in handed),
        pending=sum(one.score is None for one in handed),
        mean=round(sum(scores) / len(scores), 1) if scores else None,
        bands=tuple(bands[n] for n in range(BANDS)),
        most_failed=tuple(_most_failed(handed, titles)),
        passed_after=tuple(sorted((number, many) for number, many in after.items() if number)),
    )


def _is(grade: Grade, verdict: Verdict) -> bool:
    return grade.result is not None and grade.result.status is verdict


def _most_failed(grades: list[Grade], titles: dict[str, CheckResult]) -> Iterator[Failed]:
    failed: Counter[str] = Counter()
    graded: Counter[str] = Counter()
    for grade in grades:
        for check, outcome in grade.checks:
            graded[check] += outcome is not Outcome.ERROR
            # Skipped: another check is why.
            failed[check] += outcome in (Outcome.FAILED, Outcome.BROKE)
    for check, many in sorted(failed.items(), key=lambda pair: (-pair[1], pair[0])):
        if many:
            one = titles[check]
            yield Failed(id=check, title=one.title, task=one.task, failed=many, of=graded[check])
