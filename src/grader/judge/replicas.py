"""The same program several times, each in a sandbox of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar, overload

from grader.judge.client import AgentClient
from grader.judge.forward import Forward
from grader.judge.programs import Process
from grader.judge.servers import Server

if TYPE_CHECKING:
    from grader.judge import web

P = TypeVar("P", bound=Process)


class Replicas(Sequence[P], Generic[P]):
    """The same program several times, each in a sandbox of its own: nothing on disk is shared."""

    def __init__(self, members: Sequence[P]) -> None:
        self._members = list(members)
        self._turn = itertools.count()
        self._http: web.Sync | None = None

    @overload
    def __getitem__(self, index: int) -> P: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[P]: ...
    def __getitem__(self, index: int | slice) -> P | Sequence[P]:
        return self._members[index]

    def __len__(self) -> int:
        return len(self._members)

    @property
    def living(self) -> list[P]:
        """Those that run."""
        return [one for one in self._members if one.alive]

    @property
    def http(self) -> web.Sync:
        """One httpx.Client for all servers, which takes the living ones in turn."""
        if self._http is None:
            from grader.judge import web

            self._http = web.sync_client(self._port, self._next)
        return self._http

    @property
    def ahttp(self) -> web.Async:
        """The same as a new httpx.AsyncClient."""
        from grader.judge import web

        return web.async_client(self._port, self._next)

    @property
    def _port(self) -> int:
        first = self._members[0]
        if not isinstance(first, Server):
            raise LookupError("only programs of the kind serve have clients")
        return first.port

    def _next(self) -> Forward | None:
        start = next(self._turn)
        for offset in range(len(self._members)):
            one = self._members[(start + offset) % len(self._members)]
            if isinstance(one, Server) and one.alive:
                return one.forward
        return None


def started(
    make: Callable[[AgentClient], P], sandboxes: Sequence[AgentClient], keep: Callable[[P], None]
) -> P | Replicas[P]:
    """Start a program in each sandbox, then wait until all are ready. `keep` gets each at once."""
    members = []
    for sandbox in sandboxes:
        members.append(make(sandbox))
        keep(members[-1])
    for one in members:
        one.wait_ready()
    return members[0] if len(members) == 1 else Replicas(members)
