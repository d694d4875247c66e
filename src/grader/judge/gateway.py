"""The gateway: the only way from a sandbox to the services of its session.

For each service it listens on a unix socket in a volume that the sandbox sees read-only, and
carries bytes to the server's port on this side. A test orders outages and recordings here; the
judge's own clients never pass through.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

from grader.agent.relay import Pipe
from grader.judge.mongotraffic import MongoReader
from grader.judge.pgtraffic import PostgresReader
from grader.judge.recording import Seen
from grader.judge.traffic import Reader, RedisReader, Request

T = TypeVar("T")
MOST_CONNECTIONS = 200
"""Connections the learner's program may hold to one service; the judge has files for these."""


class Ports(Protocol):
    """How the gateway tells the sandbox's agent to refuse connections to a port."""

    def switch(self, port: int, opened: bool) -> None: ...


class Link:
    """The learner's path to one service, in a test's hands. Outages end with their `with`."""

    def __init__(self, gateway: Gateway, service: str, path: str, port: int, inside: int) -> None:
        """`port` is the server's own, `inside` the one that it has in a sandbox."""
        self._gateway = gateway
        self._service = service
        self._path = path
        self._port = port
        self._inside = inside
        self._usual: dict[str, str] = {}
        self._transactions: dict[bytes, Request] = {}
        self._connections: set[Near] = set()
        self._recording: list[Seen] = []
        self.delayed = 0.0
        self.refusing = False
        self.flowing = asyncio.Event()

    # -- for hidden tests: called from the test's thread --------------------------------------

    @contextlib.contextmanager
    def refuse(self) -> Iterator[None]:
        """Connections are refused and open ones end, as if the server was stopped."""
        self._gateway.do(self._refuse)
        self._gateway.ports.switch(self._inside, False)
        try:
            yield
        finally:
            self._gateway.do(self._accept_again)
            self._gateway.ports.switch(self._inside, True)

    @contextlib.contextmanager
    def hang(self) -> Iterator[None]:
        """Connections are accepted and nothing ever comes back, until the end of the `with`."""
        self._gateway.do(self._hang)
        try:
            yield
        finally:
            self._gateway.do(self._flow)

    @contextlib.contextmanager
    def delay(self, seconds: float) -> Iterator[None]:
        """Every reply to a request comes so much later; logging in is not slowed."""
        before = self.delayed
        self._gateway.do(lambda: self._set_delay(seconds))
        try:
            yield
        finally:
            self._gateway.do(lambda: self._set_delay(before))

    def cut(self) -> None:
        """Break the connections that are open now; new ones work."""
        self._gateway.do(self._cut)

    @contextlib.contextmanager
    def record(self) -> Iterator[Seen]:
        """Note the learner's requests, without BEGIN, COMMIT, SET, logging in and pings.

        Also those that are still being worked on when it begins.
        """
        seen = Seen(self._service)
        self._gateway.do(lambda: self._add(seen))
        try:
            yield seen
        finally:
            self._gateway.do(lambda: self._recording.remove(seen))

    # -- on the gateway's loop ----------------------------------------------------------------

    def _refuse(self) -> None:
        self.refusing = True
        self._cut()

    def _hang(self) -> None:
        self.flowing.clear()
        for connection in self._connections:
            connection.hold("hang")
            connection.far.hold("hang")

    def _flow(self) -> None:
        self.flowing.set()
        for connection in self._connections:
            connection.let_go("hang")
            connection.far.let_go("hang")

    def _accept_again(self) -> None:
        self.refusing = False

    def _set_delay(self, seconds: float) -> None:
        self.delayed = seconds

    def _add(self, seen: Seen) -> None:
        self._recording.append(seen)
        for connection in self._connections:
            if not connection.transport.is_closing():
                seen.add(connection.traffic.running())

    def _reader(self) -> Reader:
        if self._service == "redis":
            return RedisReader()
        if self._service == "mongodb":
            return MongoReader(self._transactions)
        return PostgresReader(self._usual)

    def _cut(self) -> None:
        for connection in list(self._connections):
            connection.abort()

    def close(self) -> None:
        """Let nothing through: the time between two tests."""
        self._refuse()

    def open(self) -> None:
        """As if new, for the next test."""
        self._cut()
        self._recording.clear()
        self.delayed = 0.0
        self._flow()
        self.refusing = False

    async def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(FileNotFoundError):
            Path(self._path).unlink()

        def make() -> Near:
            return Near(self, loop, self._reader())

        # More than asyncio's 100: a unix socket refuses at once what finds its queue full.
        await loop.create_unix_server(make, self._path, backlog=2 * MOST_CONNECTIONS)
        os.chmod(self._path, 0o666)  # noqa: PTH101,S103 -- the sandbox has another user id
        self.flowing.set()

    def admit(self, near: Near) -> bool:
        """A new connection; False when the learner's program has too many."""
        self._connections = {one for one in self._connections if not one.transport.is_closing()}
        if len(self._connections) >= MOST_CONNECTIONS:
            return False
        self._connections.add(near)
        return True

    async def carry(self, near: Near, loop: asyncio.AbstractEventLoop) -> None:
        """Connect to the server, and let bytes flow."""
        await self.flowing.wait()
        if self.refusing or near.transport.is_closing():
            near.transport.abort()
            return
        try:
            await loop.create_connection(lambda: near.far, "127.0.0.1", self._port)
        except OSError:  # the server is gone; closing says so
            near.transport.abort()
            return
        near.let_go("connecting")

    def requested(self, requests: Iterable[Request]) -> None:
        for seen in self._recording:
            seen.add(requests)


class Near(Pipe):
    """The end of a connection at which the learner's program is."""

    def __init__(self, link: Link, loop: asyncio.AbstractEventLoop, traffic: Reader) -> None:
        super().__init__()
        self.far = Far(link, loop, self)
        self.requested = False
        self._link = link
        self._loop = loop
        self.traffic = traffic
        self._task: asyncio.Task[None] | None = None
        self.join(self.far)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.hold("connecting")
        super().connection_made(transport)
        if self._link.admit(self):
            self._task = self._loop.create_task(self._link.carry(self, self._loop))
        else:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        requests = self.traffic.feed(data)
        if requests:
            self.requested = True
            self._link.requested(requests)
        super().data_received(data)


class Far(Pipe):
    """The end at which the server is: its replies can be late."""

    def __init__(self, link: Link, loop: asyncio.AbstractEventLoop, near: Near) -> None:
        super().__init__()
        self._link = link
        self._loop = loop
        self._near = near
        self._late: deque[tuple[float, bytes]] = deque()

    def data_received(self, data: bytes) -> None:
        self._link.requested(self._near.traffic.answered(data))
        delay = self._link.delayed if self._near.requested else 0.0
        if not delay and not self._late:
            self._near.transport.write(data)
            return
        if not self._late:
            self._loop.call_later(delay, self._deliver)
        self._late.append((self._loop.time() + delay, data))

    def _deliver(self) -> None:
        """What is due, in order: a reply never overtakes another."""
        while self._late and self._late[0][0] <= self._loop.time() + 0.001:
            self._near.transport.write(self._late.popleft()[1])
        if self._late:
            self._loop.call_at(self._late[0][0], self._deliver)


class Gateway:
    """All links of a session, on one event loop in a thread of its own."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self._loop = asyncio.new_event_loop()
        self._links: list[Link] = []
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def link(self, service: str, path: str, port: int, inside: int) -> Link:
        """Begin to serve one service's socket."""
        link = Link(self, service, path, port, inside)
        asyncio.run_coroutine_threadsafe(link.listen(self._loop), self._loop).result(5)
        self._links.append(link)
        return link

    def do(self, action: Callable[[], T]) -> T:
        """Run on the loop, and wait until it is done."""

        async def run() -> T:
            return action()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(5)

    def close(self) -> None:
        for link in self._links:
            self.do(link.close)

    def open(self) -> None:
        for link in self._links:
            self.do(link.open)
