"""The walls between a learner's code and everything else, attacked from the inside."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.catalog import load_exercise
from grader.engine.base import SessionSpec
from grader.engine.docker.engine import DockerEngine
from grader.grade import GradeOptions, grade
from grader.model.report import CheckResult, Outcome
from grader.workspace.snapshot import snapshot_folder

pytestmark = pytest.mark.docker
ATTACKS = Path(__file__).parent.parent / "data" / "graded" / "attacks"
CHECKS = (
    "test_processes",
    "test_network",
    "test_names_and_sockets",
    "test_rights",
    "test_secrets",
    "test_postgres_statements",
    "test_postgres_accounts",
    "test_postgres_trigger",
    "test_redis_commands",
    "test_plant",
    "test_planted",
)


def _results(engine: DockerEngine, **options: object) -> dict[str, CheckResult]:
    exercise = load_exercise(ATTACKS)
    submission = snapshot_folder(exercise.solution, exercise.submit, exercise.limits)
    made = GradeOptions(seed=5, **options)  # type: ignore[arg-type]  # as they are declared
    report = grade(exercise, submission, engine, made, lambda _: None)
    assert report.error == ""
    return {check.id: check for check in report.checks()}


@pytest.fixture(scope="module")
def results(docker_engine: DockerEngine) -> dict[str, CheckResult]:
    return _results(docker_engine)


@pytest.mark.parametrize("check", CHECKS)
def test_an_attack_gets_nothing(results: dict[str, CheckResult], check: str) -> None:
    """Each function of the attacking program says what it got; the check wants nothing there."""
    told = results[check]
    assert told.outcome is Outcome.PASSED, (told.reason, told.message, told.got, told.log)
    assert set(results) == set(CHECKS)


def test_the_next_run_finds_nothing_of_the_last(
    docker_engine: DockerEngine, tmp_path: Path
) -> None:
    """Two runs of one learner share servers and judge, and nothing that the first one wrote."""
    owner = str(tmp_path)
    first = _results(docker_engine, owner=owner, only=("test_plant",))
    again = _results(docker_engine, owner=owner, only=("test_planted",))
    assert [one.outcome for one in first.values()] == [Outcome.PASSED]
    assert [(one.outcome, one.got) for one in again.values()] == [(Outcome.PASSED, None)]


def test_another_learners_run_has_other_servers_and_passwords(
    docker_engine: DockerEngine, tmp_path: Path
) -> None:
    """Between learners nothing is shared: containers, volumes and passwords are others."""
    exercise = load_exercise(ATTACKS)
    seen: list[set[str]] = []
    for owner in ("one", "two"):
        made = SessionSpec(
            exercise=exercise.slug,
            runner=exercise.runner,
            services=tuple(exercise.services),
            limits=exercise.limits,
            owner=str(tmp_path / owner),
        )
        with docker_engine.session(made, lambda _: None) as session:
            passwords = [
                word for role in session.record.passwords.values() for word in role.values()
            ]
            seen.append({session.record.session, *session.record.containers, *passwords})
            session.spoil()
    assert len(seen[0]) == len(seen[1]) >= 8
    assert not seen[0] & seen[1]
