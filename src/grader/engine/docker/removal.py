"""Removes all that a session is made of."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

import docker

from grader.engine.docker.containers import LABEL
from grader.engine.docker.errors import translated


def remove(client: docker.DockerClient, session: str) -> None:
    """Remove a session's containers, then its volumes. Raises InfrastructureError."""
    chosen = {"label": f"{LABEL}={session}"}
    with translated("removing a session"):
        _remove_containers(client, [chosen["label"]])
        for volume in (client.api.volumes(filters=chosen) or {}).get("Volumes") or []:
            with contextlib.suppress(docker.errors.APIError):
                client.api.remove_volume(volume["Name"])


def remove_role(client: docker.DockerClient, session: str, role: str) -> None:
    """Remove a session's containers of one role, running or not. Raises InfrastructureError."""
    with translated(f"removing containers of the role {role}"):
        _remove_containers(client, [f"{LABEL}={session}", f"grader.role={role}"])


def _remove_containers(client: docker.DockerClient, labels: list[str]) -> None:
    found = client.api.containers(all=True, filters={"label": labels})
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(lambda one: _remove_container(client, one["Id"]), found))


def _remove_container(client: docker.DockerClient, container: str) -> None:
    with contextlib.suppress(docker.errors.APIError):  # it may be removing itself
        client.api.remove_container(container, force=True, v=True)
