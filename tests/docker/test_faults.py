"""Faults that are nobody's fault but ours: tried again, never a zero, never a dodged verdict."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import docker.errors
import pytest

from grader.catalog import load_exercise
from grader.engine.docker.connect import connect
from grader.engine.docker.containers import LABEL
from grader.engine.docker.engine import DockerEngine
from grader.engine.docker.warm import WarmSessions
from grader.grade import GradeOptions, grade
from grader.model.progress import CheckStarted, Progress, Retrying
from grader.model.report import Outcome, Report, Status
from grader.settings import Settings
from grader.workspace.snapshot import snapshot_folder

pytestmark = pytest.mark.docker
SLOW = Path(__file__).parent.parent / "data" / "graded" / "slow"
INTO_THE_CHECK = 0.7
"""Seconds after its start at which the check of four seconds is disturbed."""


class Containers:
    """The containers of the sessions that these tests made, on the engine itself."""

    def __init__(self, settings: Settings) -> None:
        self.client = connect(settings)
        self._home = WarmSessions(settings.state_dir).home

    def ids(self, role: str = "") -> list[str]:
        chosen = [LABEL, "grader.exercise=slow", *([f"grader.role={role}"] if role else [])]
        found = self.client.api.containers(filters={"label": chosen})
        return [one["Id"] for one in found if one["Labels"][LABEL].startswith(self._home)]

    def kill(self, role: str) -> None:
        for one in self.ids(role):
            try:
                self.client.api.kill(one)
            except docker.errors.APIError:
                continue  # it ended by itself meanwhile

    def hold(self, seconds: float) -> None:
        """What a sleeping machine does to all of them."""
        held = self.ids()
        for one in held:
            self.client.api.pause(one)
        time.sleep(seconds)
        for one in held:
            self.client.api.unpause(one)


@pytest.fixture
def containers(settings: Settings) -> Iterator[Containers]:
    made = Containers(settings)
    yield made
    assert made.ids() == []  # whatever happened, the end of the run removed all
    made.client.close()


def _run(
    engine: DockerEngine, disturb: Callable[[], None], times: int = 1
) -> tuple[Report, list[Progress]]:
    """Grade the solution; `disturb` comes in the middle of the long check, so many times."""
    exercise = load_exercise(SLOW)
    submission = snapshot_folder(exercise.solution, exercise.submit, exercise.limits)
    told: list[Progress] = []
    disturbing: list[threading.Timer] = []

    def listener(event: Progress) -> None:
        told.append(event)
        if isinstance(event, CheckStarted) and event.id == "test_long" and len(disturbing) < times:
            disturbing.append(threading.Timer(INTO_THE_CHECK, disturb))
            disturbing[-1].start()

    report = grade(exercise, submission, engine, GradeOptions(seed=5), listener)
    for timer in disturbing:
        timer.join()
    assert len(disturbing) == times
    return report, told


def _why(told: list[Progress]) -> list[str]:
    return [event.reason for event in told if isinstance(event, Retrying)]


@pytest.mark.parametrize(
    ("role", "reason"),
    [
        ("judge", "judge"),
        ("sandbox", "test_long: the sandbox was ended from outside while this check ran"),
        ("postgres", "test_long: postgres stopped answering while this check ran"),
        ("redis", "test_long: redis stopped answering while this check ran"),
    ],
)
def test_a_killed_container_costs_nobody_a_point(
    docker_engine: DockerEngine, containers: Containers, role: str, reason: str
) -> None:
    """kill -9 of any part in the middle of a check: tried again on a fresh session, and passed."""
    report, told = _run(docker_engine, lambda: containers.kill(role))
    assert (report.status, report.score, report.error) == (Status.PASSED, 100, "")
    (why,) = _why(told)
    assert reason in why


def test_time_that_stood_still_is_no_timeout(
    docker_engine: DockerEngine, containers: Containers
) -> None:
    """Everything is stopped for longer than the check may take, as when a laptop sleeps."""
    report, told = _run(docker_engine, lambda: containers.hold(30))
    assert (report.status, report.score) == (Status.PASSED, 100)
    (why,) = _why(told)
    assert why.startswith("test_long: everything stood still for ")


def test_a_fault_that_stays_is_an_error_and_no_score(
    docker_engine: DockerEngine, containers: Containers
) -> None:
    """The judge is killed in every session, the reference's, too: not graded, exit code 3."""
    over = threading.Event()

    def keep_killing() -> None:
        while not over.wait(0.2):
            containers.kill("judge")

    killer = threading.Thread(target=keep_killing)
    try:
        report, told = _run(docker_engine, killer.start)
    finally:
        over.set()
        killer.join()
    assert (report.status, report.score) == (Status.ERROR, None)
    assert report.error != ""
    assert len(_why(told)) == 1
    assert not [one for one in report.checks() if one.outcome in (Outcome.FAILED, Outcome.BROKE)]


def test_a_fault_that_only_the_submission_meets_counts(
    docker_engine: DockerEngine, containers: Containers
) -> None:
    """The server is gone twice in the same check, and stays with the reference: no dodging."""
    report, _ = _run(docker_engine, lambda: containers.kill("postgres"), times=2)
    told = {one.id: (one.outcome, one.reason) for one in report.checks()}
    assert told == {
        "test_quick": (Outcome.PASSED, ""),
        "test_long": (Outcome.BROKE, "overloaded postgres"),
        "test_behind": (Outcome.PASSED, ""),
    }
    assert (report.status, report.error) == (Status.FAILED, "")
