"""A collection that decides about red and green without looking at an answer."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from grader import shipped
from grader.authoring import variants
from grader.catalog import load_exercise
from grader.engine.docker.engine import DockerEngine
from grader.grade import GradeOptions, grade
from grader.model.report import Outcome
from grader.model.submission import Submission

pytestmark = pytest.mark.docker
EXERCISE = load_exercise(shipped.exercises() / "api-testing")
COIN = "pm.test('a coin', () => pm.expect(Math.random()).to.be.above(0.02));"
FAULTS = ("test_answers", "test_effects", "test_rules")


def _scripts_become(source: str, item: dict[str, Any]) -> None:
    """Every test of the reference is replaced; all of its requests stay."""
    for inner in item.get("item", ()):
        _scripts_become(source, inner)
    for event in item.get("event", ()):
        if event["listen"] == "test":
            event["script"]["exec"] = source.splitlines()


@pytest.mark.parametrize("seed", [1, 2])
def test_chance_finds_no_fault(docker_engine: DockerEngine, seed: int) -> None:
    """It falls equally in every run, so that no coin is green on a right API and red on others."""
    (file,) = variants.solution(EXERCISE).files
    collection = json.loads(file.content)
    _scripts_become(COIN, collection)
    changed = dataclasses.replace(file, content=json.dumps(collection).encode())
    submission = Submission(files=(changed,))
    report = grade(EXERCISE, submission, docker_engine, GradeOptions(seed=seed), lambda _: None)
    assert report.error == ""
    outcomes = [one.outcome for one in report.checks() if one.id.startswith(FAULTS)]
    assert len(outcomes) == 11
    assert Outcome.PASSED not in outcomes
