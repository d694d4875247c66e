"""Forwards: ports on the judge's loopback that lead to servers in sandboxes, as `ssh -L` does.

The agent's part is agent/relay.py. What connects here speaks with the learner's server: its bytes
are only carried.
"""

from __future__ import annotations

import asyncio
import threading

from grader.agent.relay import CONNECTED, Pipe

REFUSED = "{what} was refused: nothing accepts connections on the program's port."


class Forward:
    """One port, open until `close`. Connections are accepted first and refused afterwards."""

    def __init__(self, loop: asyncio.AbstractEventLoop, port: int, path: str) -> None:
        self._loop = loop
        self._path = path
        self._pipes: set[Pipe] = set()
        self._server: asyncio.AbstractServer | None = None
        self.port = port
        self.refused = 0
        """How many connections the server's port did not accept."""

    async def listen(self) -> None:
        """Raises OSError when the port is taken on this side."""
        self._server = await self._loop.create_server(lambda: _Near(self), "127.0.0.1", self.port)

    def admit(self, pipe: Pipe) -> None:
        self._pipes = {one for one in self._pipes if not one.transport.is_closing()} | {pipe}

    async def carry(self, near: _Near) -> None:
        far = _Far(self, near)
        far.join(near)
        try:
            await self._loop.create_unix_connection(lambda: far, self._path)
        except OSError:  # the sandbox is gone
            self.refuse(near)
            return
        if near.transport.is_closing():
            far.abort()

    def refuse(self, near: Pipe) -> None:
        self.refused += 1  # before whoever waits hears of it
        near.abort()

    def cut(self) -> None:
        """End what is connected now: the server has ended, nothing of it may be used again."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(5)

    async def _cut(self) -> None:
        for pipe in self._pipes:
            pipe.abort()
        self._pipes.clear()

    def close(self) -> None:
        """Give the port back, and end what is connected."""
        if self._server is not None:
            self._loop.call_soon_threadsafe(self._server.close)
        self.cut()


class _Near(Pipe):
    """The end at which the test's client is."""

    def __init__(self, forward: Forward) -> None:
        super().__init__()
        self._forward = forward
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.hold("connecting")
        super().connection_made(transport)
        self._forward.admit(self)
        self._task = asyncio.ensure_future(self._forward.carry(self))


class _Far(Pipe):
    """The end at which the agent is: its first byte says whether the server accepted."""

    def __init__(self, forward: Forward, near: _Near) -> None:
        super().__init__()
        self._forward = forward
        self._near = near
        self._accepted = False

    def data_received(self, data: bytes) -> None:
        if not self._accepted:
            if not data.startswith(CONNECTED):
                self._forward.refuse(self._near)
                return
            self._accepted, data = True, data[1:]
            self._near.let_go("connecting")
        if data:
            super().data_received(data)


class Forwards:
    """All forwards of a run, on one event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting = threading.Lock()

    def open(self, port: int, path: str) -> Forward:
        """Carry a port of this side to a unix socket. Raises OSError when the port is taken."""
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, daemon=True).start()
        forward = Forward(self._loop, port, path)
        asyncio.run_coroutine_threadsafe(forward.listen(), self._loop).result(5)
        return forward
