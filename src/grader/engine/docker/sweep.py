"""Removes what sessions left behind whose owner is gone."""

from __future__ import annotations

import os

import docker

from grader.engine.docker.connect import connect
from grader.engine.docker.containers import LABEL
from grader.engine.docker.errors import translated
from grader.engine.docker.removal import remove
from grader.engine.docker.warm import WarmSessions
from grader.settings import Settings


def sweep(client: docker.DockerClient, settings: Settings) -> int:
    """Remove our sessions that no process owns and nobody waits for; how many."""
    warm = WarmSessions(settings.state_dir)
    waiting = warm.known()
    with translated("looking for what dead sessions left"):
        dead = {
            session
            for session, labels in _sessions(client).items()
            if session not in waiting and _owner_is_gone(labels)
        }
        dead |= _orphan_volumes(client)
        dead = {session for session in dead if session.startswith(f"{warm.home}-")}
    for session in dead:
        remove(client, session)
    return len(dead)


def stop(settings: Settings) -> int:
    """End every session that waits for its owner, and what dead ones left; how many there were."""
    client = connect(settings)
    warm = WarmSessions(settings.state_dir)
    with translated("looking for sessions"):
        alive = set(_sessions(client))
    ended = 0
    for name in warm.names():
        with warm.lock(name) as mine:
            record = warm.load(name)
            if mine and record is not None:  # else a check is using it right now
                remove(client, record.session)
                warm.forget(name)
                ended += record.session in alive
    return ended + sweep(client, settings)


def _sessions(client: docker.DockerClient) -> dict[str, dict[str, str]]:
    """Session id -> the labels of its oldest container."""
    found: dict[str, dict[str, str]] = {}
    for container in client.api.containers(all=True, filters={"label": LABEL}):
        found[container["Labels"][LABEL]] = container["Labels"]
    return found


def _orphan_volumes(client: docker.DockerClient) -> set[str]:
    """Sessions of which nothing is left but volumes."""
    alive = set(_sessions(client))
    listed = client.api.volumes(filters={"label": LABEL, "dangling": "true"})
    volumes = (listed or {}).get("Volumes") or []
    return {volume["Labels"][LABEL] for volume in volumes} - alive


def _owner_is_gone(labels: dict[str, str]) -> bool:
    try:
        os.kill(int(labels["grader.pid"]), 0)
    except (ProcessLookupError, ValueError, KeyError):
        return True
    except PermissionError:
        return False
    return False
