"""Starts, watches and ends the containers of one session: all that a session asks of the SDK."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

import docker

from grader.engine.base import Sandbox, SessionSpec
from grader.engine.docker import containers
from grader.engine.docker.errors import translated
from grader.engine.docker.memory import MemoryWatch
from grader.engine.docker.parts import Parts
from grader.engine.docker.removal import remove, remove_role
from grader.engine.docker.terminal import DockerTerminal
from grader.engine.docker.warm import Record
from grader.settings import Settings

STARTING = 60
"""Seconds a container lives at least before there is a lease: starting it may take long."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the containers of one session are made from."""

    settings: Settings
    spec: SessionSpec
    parts: Parts
    record: Record
    reached_from: str
    """The session whose judge reaches the sandboxes: this one, unless it is a reference's."""


class Launcher:
    """The containers of one session. Every method raises InfrastructureError."""

    def __init__(self, client: docker.DockerClient, plan: Plan, since: float) -> None:
        """Containers that run out of memory are known from the epoch time `since` on."""
        self._plan = plan
        self._client = client
        with translated("watching the session"):
            self._memory = MemoryWatch(self._client, plan.record.session, since)

    def make_judge(self, slots: Mapping[str, int]) -> str:
        """Make the judge's container, which holds the session's namespace; not started yet."""
        parts, labels = self._plan.parts, self._labels("judge")
        tag = parts.tags["judge"]
        with translated("making the judge"):
            return self._create(
                containers.judge(self._plan.record.session, tag, parts.judge, slots, labels)
            )

    def attach(self, container: str) -> Any:
        """The connection to the standard streams of a container."""
        with translated("attaching to the judge"):
            return self._client.api.attach_socket(
                container, params={"stdin": 1, "stdout": 1, "stream": 1}
            )

    def start(self, container: str) -> None:
        """Start a container that was made."""
        with translated("starting a session"):
            self._client.api.start(container)

    def start_service(self, name: str) -> None:
        """Make and start one service beside the judge."""
        parts, record = self._plan.parts, self._plan.record
        made = containers.service(
            record.session,
            parts.tags[name],
            parts.services[name],
            record.judge,
            parts.judge.uid,
            record.passwords[name],
            self._labels(name),
        )
        with translated(f"starting the service {name}"):
            self._client.api.start(self._create(made))

    def start_sandbox(self, slot: str) -> Sandbox:
        """Make and start a sandbox whose agent can be reached in `slot`."""
        # A name nobody knows before: nothing that lies in this place already is taken for it.
        address = Sandbox(
            name="", slot=slot, socket=secrets.token_hex(6), key=secrets.token_urlsafe(18)
        )
        plan, language = self._plan, self._plan.parts.language
        made = containers.sandbox(
            plan.record.session,
            plan.parts.tags[language.name],
            language,
            plan.parts.judge.uid,
            containers.slot_mount(
                plan.reached_from, slot, language.uid, containers.SLOT_FOLDER, read_only=False
            ),
            address,
            plan.parts.services,
            plan.spec.limits,
            self._labels("sandbox"),
            plan.settings.runtime,
        )
        with translated("starting a sandbox"):
            container = self._create(made)
            self._client.api.start(container)
        return replace(address, name=container)

    def enter(
        self, container: str, argv: Sequence[str], env: Mapping[str, str], folder: str, *, tty: bool
    ) -> DockerTerminal:
        """Start a program by hand in a container."""
        return DockerTerminal(self._client.api, container, argv, env, folder, tty=tty)

    def start_client(self, name: str, sandbox: str) -> str:
        """A container for a service's client beside a sandbox."""
        parts, record = self._plan.parts, self._plan.record
        made = containers.client(
            record.session,
            parts.tags[name],
            parts.services[name],
            sandbox,
            parts.judge.uid,
            self._labels("client"),
        )
        with translated(f"starting a client of {name}"):
            container = self._create(made)
            self._client.api.start(container)
        return container

    def kill(self, container: str) -> None:
        """End a container; the engine removes it then by itself."""
        with contextlib.suppress(docker.errors.APIError):  # it is gone already
            self._client.api.kill(container)

    def remove(self, role: str) -> None:
        """Remove the session's containers of one role, whatever runs in them."""
        remove_role(self._client, self._plan.record.session, role)

    def remove_all(self) -> None:
        """Remove every container and volume of the session."""
        remove(self._client, self._plan.record.session)

    def out_of_memory(self, names: Set[str], begin: float, end: float) -> bool:
        """See MemoryWatch.met_limit."""
        return self._memory.met_limit(names, begin, end)

    def was_killed(self, name: str) -> bool:
        """See MemoryWatch.was_killed."""
        return self._memory.was_killed(name)

    def close(self) -> None:
        """Let go of the engine; the containers stay."""
        self._memory.close()

    def _create(self, made: containers.Container) -> str:
        values = containers.arguments(self._client.api, made)
        grace = max(self._plan.settings.idle_seconds, STARTING)
        values["environment"]["GRADER_LEASE_GRACE"] = str(grace)
        answer = self._client.api.create_container(**values)
        self._plan.record.containers.append(answer["Id"])
        return str(answer["Id"])

    def _labels(self, role: str) -> dict[str, str]:
        return {
            containers.LABEL: self._plan.record.session,
            "grader.role": role,
            "grader.exercise": self._plan.spec.exercise,
            "grader.owner": self._plan.spec.owner,
            "grader.pid": str(os.getpid()),
            "grader.started": str(int(time.time())),
        }
