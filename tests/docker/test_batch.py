"""`grader batch` for real: a class in Docker, interrupted and gone on with."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from grader import shipped
from grader.batch.store import Store, Verdict
from grader.catalog import find
from grader.engine.docker.connect import connect
from grader.engine.docker.containers import LABEL
from grader.engine.docker.engine import DockerEngine
from grader.engine.docker.warm import WarmSessions
from grader.settings import Settings

pytestmark = pytest.mark.docker


def _school(folder: Path, slug: str, works: dict[str, str]) -> Path:
    """`works`: for each learner what of the exercise is handed in."""
    exercise = find(shipped.exercises(), slug)
    for learner, work in works.items():
        shutil.copytree(exercise.root / work, folder / "class" / learner)
    return folder / "class"


def _batch(folder: Path, state: Path, slug: str) -> subprocess.Popen[str]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("GRADER_")}
    return subprocess.Popen(
        [sys.executable, "-m", "grader", "batch", "class", "--exercise", slug, "--jobs", "2"],
        cwd=folder,
        env={**environ, "GRADER_STATE_DIR": str(state)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture
def state(tmp_path: Path, settings: Settings, docker_engine: DockerEngine) -> Path:
    """A state folder of its own, so that what is left behind is known to be of this test."""
    docker_engine.gaps()
    shutil.copytree(settings.state_dir / "limits", tmp_path / "state" / "limits")
    return tmp_path / "state"


def test_interrupted_and_gone_on_with(tmp_path: Path, state: Path, settings: Settings) -> None:
    """Ctrl-C says how far it got and leaves nothing; the same command grades the others, once."""
    works = {f"learner{n}": "solution" if n % 3 else "starter" for n in range(6)}
    _school(tmp_path, "python-basics", works)
    first = _batch(tmp_path, state, "python-basics")
    assert first.stderr is not None
    for line in first.stderr:
        if "of 100" in line:
            first.send_signal(signal.SIGINT)
            break
    _, errors = first.communicate(timeout=120)
    assert first.returncode == 130, errors
    assert "of 6 have a result, the same command grades the other" in errors
    before = len(list(Store(str(tmp_path / "results.db")).results()))
    assert 1 <= before < 6

    again = _batch(tmp_path, state, "python-basics")
    said, errors = again.communicate(timeout=300)
    assert again.returncode == 0, errors
    assert f"{before} of them known before" in said
    results = list(Store(str(tmp_path / "results.db")).results())
    assert sorted(one.learner for one in results) == sorted(works)
    assert {one.learner: one.status is Verdict.PASSED for one in results} == {
        learner: work == "solution" for learner, work in works.items()
    }
    client = connect(settings)
    found = client.api.containers(all=True, filters={"label": LABEL})
    client.close()
    home = WarmSessions(state).home
    assert [one["Names"] for one in found if one["Labels"][LABEL].startswith(home)] == []


def test_each_has_servers_of_its_own(tmp_path: Path, state: Path) -> None:
    """With services no learner's work meets another's: right stays right beside wrong."""
    works = {"ann": "solution", "bob": "starter", "cyd": "solution"}
    _school(tmp_path, "relational-sql", works)
    said, errors = _batch(tmp_path, state, "relational-sql").communicate(timeout=300)
    assert "2 passed, 1 did not pass" in said, errors
