"""Every exercise is proven: the hidden tests accept right solutions and reject each wrong one."""

from __future__ import annotations

import pytest

from grader import shipped
from grader.authoring import variants
from grader.catalog import load_catalog
from grader.engine.docker.engine import DockerEngine
from grader.grade import GradeOptions, grade
from grader.model.exercise import Exercise, Mutant
from grader.model.report import Outcome, Report, Status
from grader.model.submission import Submission

pytestmark = pytest.mark.docker
EXERCISES = list(load_catalog(shipped.exercises()).exercises.values())
SEEDS = (1, 20_260, 777_777)


def _grade(engine: DockerEngine, exercise: Exercise, submission: Submission, seed: int) -> Report:
    options = GradeOptions(seed=seed, owner=f"proofs of {exercise.slug}", trusted=True)
    return grade(exercise, submission, engine, options, lambda _: None)


def _told(report: Report) -> str:
    lines = [f"{report.status} {report.score} {report.error}"]
    lines += [
        f"{check.id} {check.outcome} {check.reason}: {check.message} | {check.log}"
        for check in report.checks()
        if check.outcome is not Outcome.PASSED
    ]
    return "\n".join(lines)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.slug)
def test_the_reference_scores_100(
    docker_engine: DockerEngine, exercise: Exercise, seed: int
) -> None:
    """The author's solution passes whatever the seed."""
    report = _grade(docker_engine, exercise, variants.solution(exercise), seed)
    assert report.score == 100, _told(report)


@pytest.mark.parametrize(
    ("exercise", "name"),
    [(e, name) for e in EXERCISES for name in variants.alternatives(e)],
    ids=lambda value: value if isinstance(value, str) else value.slug,
)
def test_alternatives_score_100(docker_engine: DockerEngine, exercise: Exercise, name: str) -> None:
    """Another right approach is accepted, too."""
    for seed in SEEDS[:2]:
        report = _grade(docker_engine, exercise, variants.alternatives(exercise)[name], seed)
        assert report.score == 100, _told(report)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.slug)
def test_the_starter_fails_politely(docker_engine: DockerEngine, exercise: Exercise) -> None:
    """The starter runs, fails by wrong answers with a message each, and is not graded as passed."""
    report = _grade(docker_engine, exercise, variants.starter(exercise), 1)
    assert report.status is Status.FAILED, _told(report)
    for check in report.checks():
        assert check.outcome in (Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED), _told(report)
        assert check.outcome is not Outcome.FAILED or check.message, check.id


@pytest.mark.parametrize(
    ("exercise", "wrong"),
    [(e, wrong) for e in EXERCISES for wrong in e.mutants],
    ids=lambda value: value.name if isinstance(value, Mutant) else value.slug,
)
def test_mutants_are_rejected(
    docker_engine: DockerEngine, exercise: Exercise, wrong: Mutant
) -> None:
    """A wrong solution is rejected by the checks that name its mistake."""
    report = _grade(docker_engine, exercise, variants.mutant(exercise, wrong), 1)
    assert report.status is Status.FAILED, _told(report)
    assert not variants.not_rejected(wrong, report), _told(report)
