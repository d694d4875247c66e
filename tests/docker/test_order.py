"""Checks in an order that the seed gives, and what their author is told, in Docker."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.catalog import load_exercise
from grader.engine.docker.engine import DockerEngine
from grader.grade import GradeOptions, grade
from grader.model.progress import CheckFinished, Progress, Traced
from grader.workspace.snapshot import snapshot_folder

pytestmark = pytest.mark.docker
EXERCISE = Path(__file__).parent.parent / "data" / "graded" / "order"
FILE_ORDER = [*(f"test_free_{n}" for n in (1, 2, 3)), *(f"test_kept_{n}" for n in (1, 2, 3))]


def _run(
    engine: DockerEngine, seed: int, *, shuffled: bool = False, author: bool = False
) -> list[Progress]:
    """What a listener hears of a wrong submission."""
    exercise, heard = load_exercise(EXERCISE), list[Progress]()
    submission = snapshot_folder(exercise.starter, exercise.submit, exercise.limits)
    options = GradeOptions(seed=seed, owner="order", trusted=True, shuffled=shuffled, author=author)
    grade(exercise, submission, engine, options, heard.append)
    return heard


def _order(heard: list[Progress]) -> list[str]:
    return [event.result.id for event in heard if isinstance(event, CheckFinished)]


def test_the_order_is_the_seeds(docker_engine: DockerEngine) -> None:
    """File order unless asked otherwise; then each seed's own, where `keep` allows it."""
    assert _order(_run(docker_engine, 1)) == FILE_ORDER
    orders = [_order(_run(docker_engine, seed, shuffled=True)) for seed in range(1, 7)]
    assert _order(_run(docker_engine, 1, shuffled=True)) == orders[0]
    assert len({tuple(one) for one in orders}) > 1
    for found in orders:
        assert sorted(found) == FILE_ORDER
        kept = [name for name in found if "kept" in name]
        assert kept == FILE_ORDER[3:]
        assert found.index("test_kept_3") > found.index("test_free_3")


def test_only_the_author_hears_where_a_check_ended(docker_engine: DockerEngine) -> None:
    """A traceback through the hidden tests, and never in a learner's run."""
    assert not [event for event in _run(docker_engine, 1) if isinstance(event, Traced)]
    told = [event for event in _run(docker_engine, 1, author=True) if isinstance(event, Traced)]
    assert [event.id for event in told] == [n for n in FILE_ORDER if n != "test_kept_3"]
    assert 'File "tests/test_order.py", line 7, in check' in told[0].text
