"""The sandboxes that a run has beside its main one, for replicas and fresh runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from grader.judge.client import AgentClient
from grader.judge.clock import Clock
from grader.judge.errors import AuthorFault, SandboxLost

Ask = Callable[[int, list[str]], list[AgentClient]]
"""So many new sandboxes, and the slots of those that are of no use any more."""


class Sandboxes:
    """Made when they are first needed, reset like the main one, kept until the run ends.

    Each is clean (nothing ran in it since its reset), taken, or released.
    """

    def __init__(
        self, ask: Ask, greet: Callable[[AgentClient], None], clock: Clock, most: int
    ) -> None:
        """`greet` is told of each one before it is used; `clock` stops while they are made."""
        self._ask = ask
        self._greet = greet
        self._clock = clock
        self._most = most
        self._clean: list[AgentClient] = []
        self._taken: list[AgentClient] = []
        self._released: list[AgentClient] = []
        self._lost: list[str] = []
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[AgentClient]:
        """All that answer."""
        every = [*self._clean, *self._taken, *self._released]
        return iter([client for client in every if not client.lost])

    def take(self, count: int) -> list[AgentClient]:
        """So many clean ones, until `release` or the check's end. Raises AuthorFault, Fault."""
        with self._lock, self._clock.stopped():
            if len(self._taken) + count > self._most:
                raise AuthorFault(f"a check has {self._most} sandboxes beside the first at most")
            for client in [one for one in self._clean if one.lost]:
                self._clean.remove(client)
                self._lost.append(client.slot)
            while self._released and len(self._clean) < count:
                self._wash(self._released.pop())
            missing = count - len(self._clean)
            if missing > 0:
                lost, self._lost = self._lost, []
                self._clean += self._ask(missing, lost)
            taken = [self._clean.pop() for _ in range(count)]
            self._taken += taken
            for client in taken:
                self._greet(client)
            return taken

    def release(self, client: AgentClient) -> None:
        """Nobody needs it any more: it is reset before it is taken again."""
        with self._lock:
            self._taken.remove(client)
            self._released.append(client)

    def reset(self) -> None:
        """A check's beginning: all of them are clean."""
        with self._lock:
            used, self._taken, self._released = [*self._taken, *self._released], [], []
            with ThreadPoolExecutor(max_workers=self._most) as pool:
                list(pool.map(self._wash, used))

    def _wash(self, client: AgentClient) -> None:
        try:
            client.request("reset")
            self._clean.append(client)
        except SandboxLost:  # its last program took it down
            client.close()
            self._lost.append(client.slot)
