"""What a session leaves behind in Docker: nothing, however it ended."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from grader.catalog import load_exercise
from grader.engine.base import SessionSpec
from grader.engine.docker.connect import connect
from grader.engine.docker.containers import LABEL
from grader.engine.docker.engine import DockerEngine
from grader.engine.docker.session import DockerSession
from grader.engine.docker.sweep import sweep
from grader.engine.docker.warm import WarmSessions
from grader.errors import GraderError
from grader.settings import Settings

pytestmark = pytest.mark.docker
OUTCOMES = Path(__file__).parent.parent / "data" / "graded" / "outcomes"


def _spec() -> SessionSpec:
    exercise = load_exercise(OUTCOMES)
    return SessionSpec(
        exercise="leaves-nothing",
        runner=exercise.runner,
        services=tuple(exercise.services),
        limits=exercise.limits,
    )


def _left(client: docker.DockerClient, session: str) -> tuple[int, int]:
    chosen: dict[str, str | list[str] | bool] = {"label": f"{LABEL}={session}"}
    containers = client.containers.list(all=True, filters=chosen, ignore_removed=True)
    return len(containers), len(client.volumes.list(filters=chosen))


def _ours(client: docker.DockerClient, settings: Settings) -> set[str]:
    """The containers of all sessions that this test's folder of state has made."""
    home = WarmSessions(settings.state_dir).home
    found = client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True)
    return {one.id for one in found if one.id and one.labels[LABEL].startswith(home)}


def test_the_end_of_a_session_removes_all(docker_engine: DockerEngine, settings: Settings) -> None:
    """Containers and volumes exist while the session lasts, and none of them afterwards."""
    client = connect(settings)
    with docker_engine.session(_spec(), lambda _: None) as session:
        session.sandbox()
        name = session.record.session
        assert _left(client, name) == (4, 9)  # a volume for the session, one for each slot
    assert _left(client, name) == (0, 0)
    client.close()


def test_a_half_failed_start_removes_all(docker_engine: DockerEngine, settings: Settings) -> None:
    """When one service cannot start, what was started beside it goes, too."""
    client = connect(settings)
    before = _ours(client, settings)
    parts = docker_engine._parts(_spec())
    broken = replace(parts, tags={**parts.tags, "redis": "grader-redis:there-is-no-such-tag"})
    with pytest.raises(GraderError, match="no-such-tag"):
        DockerSession.create(client, settings, _spec(), broken)
    assert _ours(client, settings) == before
    client.close()


def test_containers_say_whose_they_are(docker_engine: DockerEngine, settings: Settings) -> None:
    """Session, role, owner's process and start time are labels; no port, no host folder."""
    client = connect(settings)
    with docker_engine.session(_spec(), lambda _: None) as session:
        session.sandbox()
        chosen: dict[str, str | list[str] | bool] = {"label": f"{LABEL}={session.record.session}"}
        found = client.containers.list(filters=chosen)
        roles = {container.labels["grader.role"] for container in found}
        assert roles == {"judge", "postgres", "redis", "sandbox"}
        for container in found:
            assert container.labels["grader.pid"].isdigit()
            assert container.labels["grader.started"].isdigit()
            assert not container.attrs["HostConfig"]["PortBindings"]
            assert {mount["Type"] for mount in container.attrs["Mounts"]} == {"volume"}
    client.close()


def test_everybody_sweeps_their_own(
    docker_engine: DockerEngine,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One engine serves many: what a dead owner left goes, what is somebody else's stays."""
    client = connect(settings)
    dead = subprocess.Popen(["true"])
    dead.wait()
    with monkeypatch.context() as patch:
        patch.setattr("grader.engine.docker.session.os.getpid", lambda: dead.pid)
        parts = docker_engine._parts(_spec())
        session = DockerSession.create(client, settings, _spec(), parts)
    session.close()
    name = session.record.session
    before = _left(client, name)
    sweep(client, replace(settings, state_dir=tmp_path))
    assert _left(client, name) == before
    sweep(client, settings)
    assert _left(client, name) == (0, 0)
    client.close()
