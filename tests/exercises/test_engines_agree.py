"""A submission's verdict does not depend on the engine, although the servers' versions differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader import shipped
from grader.authoring import variants
from grader.catalog import load_catalog
from grader.engine.base import Engine
from grader.engine.docker.engine import DockerEngine
from grader.engine.local.doctor import missing
from grader.engine.local.engine import LocalEngine
from grader.grade import GradeOptions, grade
from grader.making import Maker
from grader.model.exercise import Exercise, Mutant
from grader.model.submission import Submission
from grader.settings import Settings

pytestmark = pytest.mark.docker
EXERCISES = list(load_catalog(shipped.exercises()).exercises.values())
MOST = 1
"""Mutants of each exercise: the proofs run all of them in Docker. Each costs two runs."""


def _verdict(engine: Engine, exercise: Exercise, submission: Submission, owner: Path) -> list[str]:
    maker = Maker(exercise, engine, lambda _: None, kept=owner / engine.name)
    options = GradeOptions(seed=20_260, owner=str(owner), trusted=True, maker=maker)
    made = maker.submission(submission, 20_260, ends=False)
    report = grade(exercise, made, engine, options, lambda _: None)
    assert report.error == ""
    return [f"{one.id} {one.outcome.value} {one.reason} {one.earned}" for one in report.checks()]


def _mutants(exercise: Exercise) -> list[Mutant]:
    listed = list(exercise.mutants)
    return listed[:: max(1, len(listed) // MOST)][:MOST]


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.slug)
def test_the_engines_agree(
    docker_engine: DockerEngine,
    local_engine: LocalEngine,
    settings: Settings,
    exercise: Exercise,
    tmp_path: Path,
) -> None:
    """Check by check: the reference, the starter and a mutant."""
    if lacks := missing(settings, exercise.runner, exercise.services):
        pytest.skip(f"without Docker this machine lacks {lacks}")
    submissions = {
        "solution": variants.solution(exercise),
        "starter": variants.starter(exercise),
        **{wrong.name: variants.mutant(exercise, wrong) for wrong in _mutants(exercise)},
    }
    for name, submission in submissions.items():
        docker = _verdict(docker_engine, exercise, submission, tmp_path)
        local = _verdict(local_engine, exercise, submission, tmp_path)
        assert local == docker, name
