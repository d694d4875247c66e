"""What a session leaves behind in Docker: nothing, however it ended."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest

from grader.catalog import load_exercise
from grader.engine.base import SessionSpec
from grader.engine.docker.connect import connect
from grader.engine.docker.containers import LABEL
from grader.engine.docker.engine import DockerEngine
from grader.engine.docker.session import DockerSession
from grader.engine.docker.sweep import stop, sweep
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


def _small() -> SessionSpec:
    """A session without servers: as few containers as can be."""
    return replace(_spec(), services=())


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
        DockerSession.create(lambda: client, settings, _spec(), broken)
    assert _ours(client, settings) == before
    client.close()


def test_an_interrupted_start_removes_what_comes_late(
    docker_engine: DockerEngine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while the engine makes the first container: it is made, found and removed."""
    client = connect(settings)
    before = _ours(client, settings)
    create, asked = client.api.create_container, Future[None]()
    engine = ThreadPoolExecutor(1)

    def slowly(**arguments: Any) -> Any:
        """As an engine does: it makes what it was asked for, whoever still waits for it."""
        engine.submit(time.sleep, 1.0)
        making = engine.submit(create, **arguments)
        if not asked.done():
            asked.set_result(None)
        return making.result()

    def interrupt() -> None:
        asked.result(20)
        time.sleep(0.2)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    monkeypatch.setattr(client.api, "create_container", slowly)
    person = threading.Thread(target=interrupt)
    person.start()
    with pytest.raises(KeyboardInterrupt):
        DockerSession.create(lambda: client, settings, _spec(), docker_engine._parts(_spec()))
    person.join()
    engine.shutdown()
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


def _until(met: Callable[[], bool]) -> None:
    """Wait for what the engine does by itself."""
    deadline = time.monotonic() + 60
    while not met() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert met()


def _park(engine: DockerEngine, owner: str) -> str:
    with engine.session(replace(_small(), owner=owner), lambda _: None) as session:
        return session.record.session


def test_only_a_few_sessions_stay_warm(
    docker_engine: DockerEngine, settings: Settings, tmp_path: Path
) -> None:
    """The one not used for longest ends when another is parked; using one makes it the newest."""
    client, few = connect(settings), replace(settings, state_dir=tmp_path, warm_sessions=2)
    engine, warm = DockerEngine(few), WarmSessions(tmp_path)
    first, second = _park(engine, "first"), _park(engine, "second")
    assert _park(engine, "first") == first
    third = _park(engine, "third")
    assert warm.known() == {first, third}
    assert _left(client, second) == (0, 0)
    assert _left(client, first) != (0, 0)
    assert stop(few) == 2
    assert _ours(client, few) == set()
    assert list((tmp_path / "sessions").iterdir()) == []
    client.close()


def test_a_session_in_use_is_not_the_one_that_ends(
    docker_engine: DockerEngine, settings: Settings, tmp_path: Path
) -> None:
    """However long ago it began: the cap waits until it is parked, and then another one ends."""
    client, few = connect(settings), replace(settings, state_dir=tmp_path, warm_sessions=1)
    engine, warm = DockerEngine(few), WarmSessions(tmp_path)
    first = _park(engine, "first")
    with DockerEngine(few).session(replace(_small(), owner="first"), lambda _: None) as used:
        assert used.record.session == first
        second = _park(engine, "second")
        assert warm.known() == {first, second}
        used.send({"type": "ping", "id": "alive"})
        assert used.receive(10) == {"type": "pong", "id": "alive"}
    assert warm.known() == {first}
    assert _left(client, second) == (0, 0)
    assert stop(few) == 1
    client.close()


def test_no_session_stays_warm_when_none_may(
    docker_engine: DockerEngine, settings: Settings, tmp_path: Path
) -> None:
    client, none = connect(settings), replace(settings, state_dir=tmp_path, warm_sessions=0)
    name = _park(DockerEngine(none), "me")
    assert _left(client, name) == (0, 0)
    assert list((tmp_path / "sessions").iterdir()) == []
    client.close()


def test_a_session_that_ended_by_its_lease_is_forgotten(
    docker_engine: DockerEngine, settings: Settings, tmp_path: Path
) -> None:
    """Its record, its lock and its volumes go with the next sweep."""
    short = replace(settings, state_dir=tmp_path, idle_seconds=3)
    client, warm = connect(settings), WarmSessions(tmp_path)
    name = _park(DockerEngine(short), "me")
    assert warm.known() == {name}
    sweep(client, short)
    assert warm.known() == {name}
    _until(lambda: _left(client, name)[0] == 0)
    sweep(client, short)
    assert warm.known() == set()
    assert _left(client, name) == (0, 0)
    assert list((tmp_path / "sessions").iterdir()) == []
    client.close()


def test_a_spoilt_session_is_forgotten(
    docker_engine: DockerEngine, settings: Settings, tmp_path: Path
) -> None:
    """It was warm before it was spoilt: nobody finds it afterwards."""
    engine = DockerEngine(replace(settings, state_dir=tmp_path))
    _park(engine, "me")
    with engine.session(replace(_small(), owner="me"), lambda _: None) as session:
        assert session.reused
        session.spoil()
    assert list((tmp_path / "sessions").iterdir()) == []


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
        patch.setattr("grader.engine.docker.launch.os.getpid", lambda: dead.pid)
        parts = docker_engine._parts(_spec())
        session = DockerSession.create(lambda: client, settings, _spec(), parts)
    session.close()
    name = session.record.session
    before = _left(client, name)
    sweep(client, replace(settings, state_dir=tmp_path))
    assert _left(client, name) == before
    sweep(client, settings)
    assert _left(client, name) == (0, 0)
    client.close()
