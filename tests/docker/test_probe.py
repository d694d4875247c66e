"""The probe of an engine's limits, on the real engine, and on containers that lack one of them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import docker
import pytest

from grader.engine.docker import limits, probe
from grader.engine.docker.connect import connect
from grader.engine.docker.containers import LABEL
from grader.engine.docker.engine import DockerEngine
from grader.engine.docker.images import Images
from grader.engine.docker.warm import WarmSessions
from grader.settings import Settings

pytestmark = pytest.mark.docker
Host = dict[str, Any]


def _ours(client: docker.DockerClient, settings: Settings) -> list[str]:
    found = client.api.containers(all=True, filters={"label": [LABEL, "grader.role=probe"]})
    home = WarmSessions(settings.state_dir).home
    return [one["Id"] for one in found if one["Labels"][LABEL].startswith(home)]


def test_this_engine_enforces_every_limit(docker_engine: DockerEngine, settings: Settings) -> None:
    """The engine of these tests is one that `grade` accepts; the probe leaves nothing behind."""
    client = connect(settings)
    found = limits.probe(client, settings)
    assert [limit.name for limit in found if not limit.enforced] == []
    assert docker_engine.gaps() == []
    assert _ours(client, settings) == []
    assert len(list((settings.state_dir / "limits").glob("*.json"))) == 1
    client.close()


def _without_memory(host: Host) -> None:
    host["Memory"] = host["MemorySwap"] = 0


def _without_processes(host: Host) -> None:
    host["PidsLimit"] = 0


def _without_processor(host: Host) -> None:
    host["NanoCpus"] = 0


def _without_disk(host: Host) -> None:
    host["Tmpfs"]["/submission"] = "size=64m,mode=1777"


def _without_inodes(host: Host) -> None:
    host["Tmpfs"]["/tmp"] = "size=4m,mode=1777"


def _without_ulimits(host: Host) -> None:
    host["Ulimits"] = []


def _without_read_only(host: Host) -> None:
    host["ReadonlyRootfs"] = False


def _with_network(host: Host) -> None:
    host["NetworkMode"] = "bridge"


def _with_capabilities(host: Host) -> None:
    host["CapDrop"] = []


def _with_privileges(host: Host) -> None:
    host["SecurityOpt"] = []


def _with_system_calls(host: Host) -> None:
    host["SecurityOpt"] = ["no-new-privileges", "seccomp=unconfined"]


@pytest.mark.parametrize(
    ("lift", "named"),
    [
        (_without_memory, ["memory"]),
        (_without_processes, ["processes"]),
        (_without_processor, ["processor"]),
        (_without_disk, ["disk"]),
        (_without_inodes, ["files"]),
        (_without_ulimits, ["files", "open files"]),
        (_without_read_only, ["read-only root"]),
        (_with_network, ["network"]),
        (_with_capabilities, ["capabilities"]),
        (_with_privileges, ["no new privileges"]),
        (_with_system_calls, ["system calls"]),
    ],
    ids=lambda value: value.__name__[1:] if callable(value) else "",
)
def test_a_limit_that_is_lifted_is_found(
    docker_engine: DockerEngine,
    settings: Settings,
    lift: Callable[[Host], None],
    named: list[str],
) -> None:
    """An engine that takes a flag and does not enforce it is found out, limit by limit."""
    client = connect(settings)
    session = f"{WarmSessions(settings.state_dir).home}-{secrets.token_hex(6)}"
    image = Images(client, settings).tag("judge")
    values = probe.arguments(client.api, settings, image, session)
    lift(values["host_config"])
    found = probe.ask(client, values)
    assert [limit.name for limit in limits.judged(found) if not limit.enforced] == named
    client.close()
