"""One suite over all engines: what a session promises, whoever makes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader.catalog import load_exercise
from grader.engine.base import FURTHER, Engine, SessionSpec
from grader.engine.fake import FakeEngine
from grader.errors import SessionLost
from grader.grade import GradeOptions, grade
from grader.model.exercise import Exercise
from grader.model.report import Outcome, Report, Status
from grader.workspace.snapshot import snapshot_folder

if TYPE_CHECKING:
    from grader.engine.docker.engine import DockerEngine
    from grader.engine.local.engine import LocalEngine

SUM = Path(__file__).parent.parent / "data" / "graded" / "sum"
CHECKS: tuple[dict[str, Any], ...] = (
    {"id": "test_adds", "task": "add", "title": "Two numbers are added.", "points": 3},
    {"id": "test_adds_nothing", "task": "add", "title": "Zero changes nothing.", "points": 1},
)
WRONG = {
    "test_adds": {"outcome": "failed", "ratio": 0.0, "message": "the sum is wrong"},
    "test_adds_nothing": {"outcome": "skipped", "reason": "test_adds"},
}
Make = Callable[[dict[str, Any]], Engine]


@pytest.fixture(
    params=["fake", "local", "local-plain", pytest.param("docker", marks=pytest.mark.docker)]
)
def make(request: pytest.FixtureRequest) -> Make:
    """Makes an engine; the argument is what the fake one is to answer."""
    if request.param == "fake":
        return lambda outcomes: FakeEngine(checks=CHECKS, outcomes=outcomes)
    if request.param == "local-plain":
        request.getfixturevalue("without_bubblewrap")
    name = "docker_engine" if request.param == "docker" else "local_engine"
    engine: DockerEngine | LocalEngine = request.getfixturevalue(name)
    return lambda _: engine


@pytest.fixture
def exercise() -> Exercise:
    return load_exercise(SUM)


def _spec(exercise: Exercise, owner: str) -> SessionSpec:
    return SessionSpec(
        exercise=exercise.slug, runner="python", services=(), limits=exercise.limits, owner=owner
    )


def _grade(engine: Engine, exercise: Exercise, folder: str, **options: Any) -> Report:
    submission = snapshot_folder(exercise.root / folder, exercise.submit, exercise.limits)
    return grade(
        exercise, submission, engine, GradeOptions(trusted=True, **options), lambda _: None
    )


def test_a_right_submission_passes(make: Make, exercise: Exercise) -> None:
    """The reference scores 100, and every check is in the report."""
    report = _grade(make({}), exercise, "solution", seed=1)
    assert (report.status, report.score, report.error) == (Status.PASSED, 100, "")
    assert [check.id for check in report.checks()] == ["test_adds", "test_adds_nothing"]


def test_a_wrong_submission_fails(make: Make, exercise: Exercise) -> None:
    """The starter fails with the author's sentence; what depends on the failed check is skipped."""
    report = _grade(make(WRONG), exercise, "starter", seed=1)
    first, second = report.checks()
    assert (report.status, report.score) == (Status.FAILED, 0)
    assert (first.outcome, first.message) == (Outcome.FAILED, "the sum is wrong")
    assert (second.outcome, second.reason) == (Outcome.SKIPPED, "test_adds")


def test_only_one_check(make: Make, exercise: Exercise) -> None:
    """A run of some checks is marked as partial and counts their points alone."""
    report = _grade(make({}), exercise, "solution", seed=1, only=("test_adds",))
    assert (report.partial, report.points) == (True, 3)


def test_every_sandbox_is_new(make: Make, exercise: Exercise) -> None:
    """A session never gives the same sandbox twice."""
    with make({}).session(_spec(exercise, ""), lambda _: None) as session:
        first = session.sandbox()
        session.discard(first)
        second = session.sandbox()
        assert first.name != second.name
        session.discard(second)


def test_replicas_are_sandboxes_of_their_own(make: Make, exercise: Exercise) -> None:
    """As many as FURTHER beside the main one, each new; a place is free again when one ends."""
    with make({}).session(_spec(exercise, ""), lambda _: None) as session:
        main = session.sandbox()
        made = [*session.replicas(1), *session.replicas(FURTHER - 1)]
        assert len({one.name for one in (main, *made)}) == FURTHER + 1
        assert len({one.slot for one in (main, *made)}) == FURTHER + 1
        with pytest.raises(SessionLost):
            session.replicas(1)
        session.discard(made[0])
        (another,) = session.replicas(1)
        assert another.name not in {one.name for one in made}


def test_an_owner_finds_the_session_warm(make: Make, exercise: Exercise, tmp_path: Path) -> None:
    """The second session of an owner is the first one, with another sandbox."""
    engine, spec = make({}), _spec(exercise, str(tmp_path))
    with engine.session(spec, lambda _: None) as session:
        assert not session.reused
        first = session.sandbox()
    with engine.session(spec, lambda _: None) as session:
        assert session.reused
        assert session.sandbox().name != first.name
        session.spoil()


def test_others_do_not_find_it(make: Make, exercise: Exercise, tmp_path: Path) -> None:
    """Another owner, `fresh`, a spoilt session or an exception in it: each gets a new one."""
    engine, spec = make({}), _spec(exercise, str(tmp_path))
    with engine.session(spec, lambda _: None):
        pass
    with engine.session(replace(spec, owner=spec.owner + "2"), lambda _: None) as session:
        assert not session.reused
        session.spoil()
    with engine.session(spec, lambda _: None, fresh=True) as session:
        assert not session.reused
        session.spoil()
    with pytest.raises(ZeroDivisionError), engine.session(spec, lambda _: None):
        raise ZeroDivisionError
    with engine.session(spec, lambda _: None) as session:
        assert not session.reused
        session.spoil()


def test_a_quiet_sandbox_has_memory(make: Make, exercise: Exercise) -> None:
    """Nothing happened, so nothing is reported."""
    with make({}).session(_spec(exercise, ""), lambda _: None) as session:
        assert not session.out_of_memory([session.sandbox(), *session.replicas(1)], 0.0, 1.0)


def test_the_version_is_that_of_what_is_made(make: Make, exercise: Exercise) -> None:
    """Equal for every owner; another one with other limits or servers."""
    engine, spec = make({}), _spec(exercise, "")
    other = [
        replace(spec, limits=replace(exercise.limits, pids=exercise.limits.pids + 1)),
        replace(spec, services=("redis",)),
    ]
    assert engine.version(spec) == engine.version(replace(spec, owner="somebody"))
    assert len({engine.version(one) for one in (spec, *other)}) == 3
