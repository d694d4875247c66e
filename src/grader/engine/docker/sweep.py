"""Removes what sessions left behind whose owner is gone."""

from __future__ import annotations

import contextlib
import os

import docker

from grader.engine.docker.connect import connect
from grader.engine.docker.containers import LABEL
from grader.engine.docker.errors import translated
from grader.engine.docker.removal import remove
from grader.engine.docker.warm import WarmSessions
from grader.errors import InfrastructureError
from grader.settings import Settings


def sweep(client: docker.DockerClient, settings: Settings) -> int:
    """Remove our sessions that no process owns and nobody waits for; how many."""
    warm = WarmSessions(settings.state_dir)
    before = warm.records()
    with translated("looking for what dead sessions left"):
        found = _sessions(client)
        gone = {session for session, labels in found.items() if _owner_is_gone(labels)}
        gone |= _volumes(client) - set(found)  # nothing is left of these but volumes
    warm.tidy(before, found)
    # Read only now: a process that has ended since may have left its session to the next one.
    dead = {one for one in gone - warm.known() if one.startswith(f"{warm.home}-")}
    for session in dead:
        remove(client, session)
    return len(dead)


def stop(settings: Settings) -> int:
    """End every session that waits for its owner, and what dead ones left; how many there were."""
    client = connect(settings)
    warm = WarmSessions(settings.state_dir)
    with translated("looking for sessions"):
        alive = set(_sessions(client))
    ended = _end(client, warm, keep=0)
    return len(ended & alive) + sweep(client, settings)


def end_oldest(client: docker.DockerClient, settings: Settings) -> None:
    """End the warm sessions that are too many. One that cannot be ended stays until next time."""
    with contextlib.suppress(InfrastructureError):
        _end(client, WarmSessions(settings.state_dir), keep=settings.warm_sessions)


def _end(client: docker.DockerClient, warm: WarmSessions, *, keep: int) -> set[str]:
    """End all warm sessions but the `keep` used last, and none that a process is using."""
    ended = set()
    for name in warm.beyond(keep):
        with warm.lock(name) as mine:
            record = warm.load(name)
            # Asked again: it may have been used, and left, since.
            if mine and record is not None and name in warm.beyond(keep):
                remove(client, record.session)
                warm.forget(name)
                ended.add(record.session)
    return ended


def _sessions(client: docker.DockerClient) -> dict[str, dict[str, str]]:
    """Session id -> the labels of its oldest container."""
    found: dict[str, dict[str, str]] = {}
    for container in client.api.containers(all=True, filters={"label": LABEL}):
        found[container["Labels"][LABEL]] = container["Labels"]
    return found


def _volumes(client: docker.DockerClient) -> set[str]:
    """Sessions with a volume that no container uses."""
    listed = client.api.volumes(filters={"label": LABEL, "dangling": "true"})
    return {volume["Labels"][LABEL] for volume in (listed or {}).get("Volumes") or []}


def _owner_is_gone(labels: dict[str, str]) -> bool:
    try:
        os.kill(int(labels["grader.pid"]), 0)
    except (ProcessLookupError, ValueError, KeyError):
        return True
    except PermissionError:
        return False
    return False
