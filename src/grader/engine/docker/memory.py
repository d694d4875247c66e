"""Watches the engine's events for containers that met their memory limit, or were killed.

A container's own flag stays false while it lives, and a killed child can leave exit code 0; the
event says it at once (DESIGN 3).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Set

import docker

from grader.engine.docker.containers import LABEL
from grader.engine.docker.errors import FOREIGN

LATE = 0.15
"""Seconds the engine may take to say that memory ran out: it does so before the process is gone."""
ENDING = 1.0
"""Seconds it may take until it says that a container ended."""
KILLED = "137"
"""Exit code when process 1 was ended by SIGKILL: nobody inside can do that (session-init)."""


class MemoryWatch:
    """Follows one session's events in a thread until closed."""

    def __init__(self, client: docker.DockerClient, session: str, since: float) -> None:
        self._events: list[tuple[str, float]] = []
        self._ended: dict[str, str] = {}
        self._stream = client.events(
            since=int(since),
            filters={
                "label": f"{LABEL}={session}",
                "event": ["oom", "die"],
                "type": "container",
            },
            decode=True,
        )
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        try:
            for event in self._stream:
                who = event["Actor"]
                if event["Action"] == "oom":
                    self._events.append((who["ID"], event["timeNano"] / 1e9))
                else:
                    self._ended[who["ID"]] = str(who["Attributes"].get("exitCode"))
        except (*FOREIGN, OSError, ValueError, KeyError, AttributeError):
            return  # closed, or the engine went away: whoever asks next hears of it elsewhere

    def met_limit(self, containers: Set[str], begin: float, end: float) -> bool:
        """Whether one of them ran out of memory between two epoch times (of the engine's machine).

        Waits until the engine had its time to say so, counted from `end`: asked about one check
        after the other while they run, the waits do not add up. What was told once is forgotten:
        it belongs to one check, and not to the next that begins while the engine still speaks.
        """
        patience = max(0.0, min(LATE, end + LATE - time.time()))  # never long if clocks differ

        def seen() -> list[tuple[str, float]]:
            return [
                (name, at)
                for name, at in list(self._events)
                if name in containers and begin <= at <= end + LATE
            ]

        met = _within(patience, seen)
        for event in seen():
            self._events.remove(event)
        return met

    def was_killed(self, container: str) -> bool:
        """Whether the container ended because somebody outside of it killed its process 1."""
        _within(ENDING, lambda: container in self._ended)
        return self._ended.get(container) == KILLED

    def close(self) -> None:
        self._stream.close()


def _within(seconds: float, seen: Callable[[], object]) -> bool:
    deadline = time.monotonic() + seconds
    while not seen():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.01)
    return True
