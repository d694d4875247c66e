"""Doctor on an engine that works: what it says is so."""

from __future__ import annotations

import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from grader.engine.base import SessionSpec
from grader.engine.docker import doctor
from grader.engine.docker.connect import connect
from grader.engine.docker.containers import LABEL
from grader.engine.docker.engine import DockerEngine
from grader.engine.docker.images import Images
from grader.engine.docker.warm import WarmSessions
from grader.model.exercise import Limits
from grader.model.finding import Finding, State, ready
from grader.settings import Settings

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("docker_engine")]


def examined(settings: Settings) -> dict[str, Finding]:
    return {finding.name: finding for finding in doctor.examine(settings, lambda _: None)}


def test_a_machine_that_works(settings: Settings, tmp_path: Path) -> None:
    """Everything is found: the engine's version, memory and disk, and every image."""
    found = examined(replace(settings, state_dir=tmp_path))
    assert {"docker", "memory", "disk", "images", "sessions"} <= set(found)
    assert "builds" not in found
    assert ready(list(found.values()))
    client = connect(settings)
    assert found["docker"].facts["version"] == client.version()["Version"]
    assert found["memory"].facts["total_bytes"] == client.info()["MemTotal"]
    client.close()
    assert found["images"].facts["missing"] == []
    assert found["sessions"].facts == {"warm": 0, "swept": 0}


def test_missing_images_come_with_where_they_are_built_from(settings: Settings) -> None:
    """Another base image makes other tags: none of them is here."""
    found = examined(replace(settings, base_image="grader-test:no-such-base"))
    assert found["images"].state is State.WARNS
    assert found["images"].facts["present"] == 0
    assert found["builds"].facts["base_image_present"] is False
    assert "grader-test:no-such-base (will be pulled)" in found["builds"].found


def test_a_runtime_that_is_not_there(settings: Settings) -> None:
    found = examined(replace(settings, runtime="no-such-runtime"))
    assert found["runtime"].state is State.FAILS
    assert not ready(list(found.values()))


def test_the_disk_seen_from_inside(settings: Settings, tmp_path: Path) -> None:
    """A container sees the room that the engine's machine has, and does not stay."""
    client = connect(settings)
    base = next(one.tag for one in Images(client, settings).list() if one.name == "base")
    session = f"{WarmSessions(tmp_path).home}-doctor"
    inside = doctor.free_inside(client, base, session)
    outside = shutil.disk_usage("/").free
    if client.info()["Name"] == socket.gethostname():
        outside = shutil.disk_usage(client.info()["DockerRootDir"]).free
        assert abs(inside - outside) < 2 * 1000**3  # others write at the same time
    assert inside > 0
    left = client.containers.list(all=True, filters={"label": f"{LABEL}={session}"})
    assert left == []
    client.close()


def test_the_sessions_are_counted(settings: Settings, tmp_path: Path) -> None:
    """`warm` counts those that wait; nothing of a healthy one is swept, a dead one is."""
    mine = replace(settings, state_dir=tmp_path)
    engine, spec = (
        DockerEngine(mine),
        SessionSpec(
            exercise="doctor", runner="python", services=(), limits=Limits(), owner="doctor"
        ),
    )
    with engine.session(spec, lambda _: None):
        pass
    assert examined(mine)["sessions"].facts == {"warm": 1, "swept": 0}
    with engine.session(spec, lambda _: None) as session:
        session.spoil()
    assert examined(mine)["sessions"].facts == {"warm": 0, "swept": 0}
    client = connect(mine)
    volume = f"{WarmSessions(tmp_path).home}-dead"
    client.volumes.create(volume, labels={LABEL: volume})
    assert examined(mine)["sessions"].facts == {"warm": 0, "swept": 1}
    assert not client.volumes.list(filters={"label": f"{LABEL}={volume}"})
    client.close()


def test_a_certificate_that_cannot_be_read(settings: Settings, tmp_path: Path) -> None:
    """A setting that keeps images from being made is named, after what works."""
    found = examined(replace(settings, ca_bundle=tmp_path / "none.pem"))
    assert found["docker"].state is State.WORKS
    assert found["images"].state is State.FAILS
    assert "none.pem" in found["images"].cause
    assert found["images"].fix
