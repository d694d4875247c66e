"""Watches the engine's events for containers that met their memory limit.

A container's own flag stays false while it lives, and a killed child can leave exit code 0; the
event says it at once (DESIGN 3).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Set

import docker

from grader.engine.docker.containers import LABEL
from grader.engine.docker.errors import FOREIGN

LATE = 1.0
"""Seconds the engine may take to say what happened."""


class MemoryWatch:
    """Follows one session's events in a thread until closed."""

    def __init__(self, client: docker.DockerClient, session: str, since: float) -> None:
        self._events: list[tuple[str, float]] = []
        self._stream = client.events(
            since=int(since),
            filters={"label": f"{LABEL}={session}", "event": "oom", "type": "container"},
            decode=True,
        )
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        try:
            for event in self._stream:
                self._events.append((event["Actor"]["ID"], event["timeNano"] / 1e9))
        except (*FOREIGN, OSError, ValueError, KeyError, AttributeError):
            return  # closed, or the engine went away: whoever asks next hears of it elsewhere

    def met_limit(self, containers: Set[str], begin: float, end: float) -> bool:
        """Whether one of them ran out of memory between two epoch times; waits a little."""
        deadline = time.monotonic() + 0.3
        while True:
            for name, at in list(self._events):
                if name in containers and begin - 0.1 <= at <= end + LATE:
                    return True
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)

    def close(self) -> None:
        self._stream.close()
