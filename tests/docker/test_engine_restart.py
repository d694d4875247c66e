"""The engine itself is stopped, killed and started in the middle of a check."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grader.catalog import load_exercise
from grader.engine.docker.connect import connect
from grader.engine.docker.containers import LABEL
from grader.engine.docker.engine import DockerEngine
from grader.engine.docker.images import Images
from grader.errors import EngineUnavailable
from grader.grade import GradeOptions, grade
from grader.model.progress import CheckStarted, Progress, Retrying
from grader.model.report import Report, Status
from grader.model.submission import Submission, SubmittedFile
from grader.settings import Settings
from tests.docker.private_engine import PrivateEngine

pytestmark = [
    pytest.mark.docker,
    # The SDK leaves its socket open when nobody listens at the other end.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]
SUM = Path(__file__).parent.parent / "data" / "graded" / "sum"
SLOWLY = b"import time\n\n\ndef add(a, b):\n    time.sleep(3)\n    return a + b\n"


@pytest.fixture(scope="module")
def private(
    docker_engine: DockerEngine, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrivateEngine]:
    """An engine with the images of an exercise that has no service."""
    if not PrivateEngine.possible():
        told = "a private engine needs root and dockerd"
        if os.environ.get("GRADER_REQUIRE_DOCKER"):
            pytest.fail(told)
        pytest.skip(told)
    client = connect(settings)
    tags = [Images(client, settings).tag(name) for name in ("judge", "python")]
    client.close()
    engine = PrivateEngine(tmp_path_factory.mktemp("engine"))
    try:
        engine.start()
        engine.copy_images(tags)
        yield engine
    finally:
        engine.remove()


@pytest.fixture
def engine(private: PrivateEngine, settings: Settings, tmp_path: Path) -> Iterator[DockerEngine]:
    made = DockerEngine(_settings(private, settings, tmp_path))
    yield made
    gc.collect()  # here, where what the SDK leaves open is no surprise


def _settings(private: PrivateEngine, settings: Settings, folder: Path) -> Settings:
    return replace(settings, docker_environment={"DOCKER_HOST": private.host}, state_dir=folder)


def _grade(engine: DockerEngine, disturb: Callable[[], None]) -> tuple[Report, list[Progress]]:
    """Grade a right but slow solution; `disturb` comes while its first check runs."""
    exercise = load_exercise(SUM)
    submission = Submission(files=(SubmittedFile(path="adding.py", content=SLOWLY),))
    told: list[Progress] = []
    disturbing: list[threading.Timer] = []

    def listener(event: Progress) -> None:
        told.append(event)
        if isinstance(event, CheckStarted) and not disturbing:
            disturbing.append(threading.Timer(0.7, disturb))
            disturbing[0].start()

    report = grade(exercise, submission, engine, GradeOptions(trusted=True), listener)
    disturbing[0].join()
    return report, told


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_an_engine_that_comes_back_costs_nothing(
    private: PrivateEngine, engine: DockerEngine, settings: Settings, tmp_path: Path, how: str
) -> None:
    """It is waited for, and the submission gets its verdict; nothing is left on the engine."""

    def restart() -> None:
        getattr(private, how)()
        private.start()

    report, told = _grade(engine, restart)
    assert (report.status, report.score, report.error) == (Status.PASSED, 100, "")
    assert len([event for event in told if isinstance(event, Retrying)]) == 1
    client = connect(_settings(private, settings, tmp_path))
    assert client.api.containers(all=True, filters={"label": LABEL}) == []
    client.close()


def test_an_engine_that_stays_away_is_an_error_and_no_score(
    private: PrivateEngine, engine: DockerEngine, settings: Settings, tmp_path: Path
) -> None:
    """Not graded; the next command says that no engine answers, and once it does, grades."""
    report, _ = _grade(engine, private.kill)
    assert (report.status, report.score) == (Status.ERROR, None)
    assert "no Docker engine answers" in report.error
    later = DockerEngine(_settings(private, settings, tmp_path))
    with pytest.raises(EngineUnavailable, match="it is not running"):
        _grade(later, lambda: None)
    private.start()
    report, _ = _grade(later, lambda: None)
    assert (report.status, report.score) == (Status.PASSED, 100)
