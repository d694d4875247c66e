"""Watches the engine's events for containers that met their memory limit.

A container's own flag stays false while it lives, and a killed child can leave exit code 0; the
event says it at once (DESIGN 3).
"""

from __future__ import annotations

import threading
import time

import docker

from grader.engine.docker.containers import LABEL
from grader.engine.docker.errors import FOREIGN

LATE = 0.15
"""Seconds the engine may take to say what happened: it does so before the process is gone."""


class MemoryWatch:
    """Follows one session's events in a thread until closed."""

    def __init__(self, client: docker.DockerClient, session: str) -> None:
        self._events: list[tuple[str, float]] = []
        self._stream = client.events(
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

    def met_limit(self, container: str, begin: float, end: float) -> bool:
        """Whether the container ran out of memory between two epoch times.

        Waits until the engine had its time to say so, counted from `end`: asked about one check
        after the other while they run, the waits do not add up.
        """
        patience = max(0.0, min(LATE, end + LATE - time.time()))  # never long if clocks differ
        deadline = time.monotonic() + patience
        while True:
            for name, at in list(self._events):
                if name == container and begin - 0.1 <= at <= end + LATE:
                    return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)

    def close(self) -> None:
        self._stream.close()
