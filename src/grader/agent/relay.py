"""Relays: a port on the sandbox's own loopback for each service, carried over a unix socket.

The gateway on the other side of the socket is the only way out of a sandbox. A forward is the
same the other way round: a unix socket whose connections are carried to a port in here, as
`ssh -L` does, so that the judge reaches a server of the learner's.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import socket
import threading
from typing import Any

from .datagrams import DatagramRelay
from .programs import free_port

PORTS_TRIED = 20


class Pipe(asyncio.Protocol):
    """One end of a carried connection: what arrives here leaves at `peer`, and the ends, too."""

    def __init__(self) -> None:
        self.peer: Pipe | None = None
        self.transport: Any = None
        self._held: set[str] = set()
        self._ended = False

    def join(self, peer: Pipe) -> None:
        self.peer, peer.peer = peer, self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        if self._held:
            self.transport.pause_reading()
            # Python 3.11 before its fourth release begins to read all the same, right after this.
            asyncio.get_running_loop().call_soon(self._pause_again)

    def _pause_again(self) -> None:
        if self._held and not self.transport.is_closing():
            self.transport.resume_reading()
            self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        if self.peer is not None:
            self.peer.transport.write(data)

    def eof_received(self) -> bool:
        """Half a close goes on as half a close; the second half ends both."""
        self._ended = True
        if self.peer is None or self.peer._ended:
            self.abort(gently=True)
        elif self.peer.transport.can_write_eof():
            self.peer.transport.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.close()

    def pause_writing(self) -> None:
        if self.peer is not None:
            self.peer.hold("full")

    def resume_writing(self) -> None:
        if self.peer is not None:
            self.peer.let_go("full")

    def hold(self, reason: str) -> None:
        """Take nothing more from this end until every reason is let go."""
        self._held.add(reason)
        if self.transport is not None:
            self.transport.pause_reading()

    def let_go(self, reason: str) -> None:
        self._held.discard(reason)
        if not self._held and self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def abort(self, *, gently: bool = False) -> None:
        """End both ends; gently lets what is under way arrive."""
        for end in (self, self.peer):
            if end is not None and end.transport is not None:
                end.transport.close() if gently else end.transport.abort()


class Relay:
    """One port. Closed, it refuses connections while its address stays taken."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, port: int, target: str, reused: bool
    ) -> None:
        """Raises OSError when the port is taken."""
        self._loop = loop
        self._target = target
        self._pipes: set[Pipe] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = False
        # Without SO_REUSEADDR: nobody else can bind this port, even while it refuses. But a port
        # that is `reused` may have connections that linger, and those would keep it from us, too.
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(reused))
        self._listener.setblocking(False)
        try:
            self._listener.bind(("127.0.0.1", port))
        except OSError:
            self._listener.close()
            raise

    def open(self) -> None:
        if not self._open:
            # Listening again beside connections that linger needs the option for this one call.
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.listen(256)
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
            self._loop.add_reader(self._listener, self._accept)
            self._open = True

    def close(self) -> None:
        """Refuse new connections and end those that are open."""
        if self._open:
            self._loop.remove_reader(self._listener)
            self._listener.shutdown(socket.SHUT_RDWR)
            self._open = False
        for pipe in list(self._pipes):
            pipe.abort()
        self._pipes.clear()

    def end(self) -> None:
        """The same, and the address is free again."""
        self.close()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self._listener.accept()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setblocking(False)
            task = self._loop.create_task(self._carry(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, connection: socket.socket) -> None:
        near, far = Pipe(), Pipe()
        near.join(far)
        far.hold("connecting")  # a server may speak first, before the other end is there
        try:
            await self._loop.create_unix_connection(lambda: far, self._target)
            await self._loop.connect_accepted_socket(lambda: near, connection)
        except OSError:
            connection.close()
            return
        far.let_go("connecting")
        self._pipes = {pipe for pipe in self._pipes if not pipe.transport.is_closing()} | {near}


CONNECTED, REFUSED = b"+", b"-"
"""What a forwarded connection begins with: whether the port accepted it."""


class Forwarded(Pipe):
    """The end of a forwarded connection at which the judge is."""

    def __init__(self, loop: asyncio.AbstractEventLoop, port: int) -> None:
        super().__init__()
        self._loop = loop
        self._port = port
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.hold("connecting")
        super().connection_made(transport)
        self._task = self._loop.create_task(self._connect())

    async def _connect(self) -> None:
        far = Pipe()
        far.hold("connecting")
        far.join(self)
        try:
            await self._loop.create_connection(lambda: far, "127.0.0.1", self._port)
        except OSError:
            self.peer = None
            self.transport.write(REFUSED)
            self.transport.close()
            return
        if self.transport.is_closing():
            far.abort()
            return
        self.transport.write(CONNECTED)
        far.let_go("connecting")
        self.let_go("connecting")


class Relays:
    """All relays and forwards of a sandbox, on one event loop in a thread of its own."""

    def __init__(self, targets: dict[int, str], *, shared: bool = False) -> None:
        """`shared`: the loopback is not this sandbox's own (engine `local`, without bubblewrap)."""
        self._loop = asyncio.new_event_loop()
        self._targets = targets
        self._shared = shared
        self._relays: dict[int, Relay] = {}
        self._forwards: list[asyncio.AbstractServer] = []
        self._worlds: dict[tuple[int, bool], Relay | DatagramRelay] = {}
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    @property
    def ports(self) -> set[int]:
        """Those that are taken in here for something on the other side."""
        return {*self._relays, *(port for port, _ in list(self._worlds))}

    def begin(self) -> None:
        """Take the ports, before anything of the learner's runs. Raises OSError."""
        for port, path in self._targets.items():
            try:
                self._relays[port] = Relay(self._loop, port, path, self._shared)
            except OSError:
                if not self._shared:
                    raise
                # Another sandbox of this run has it, and what it carries ends at the same gateway.

    def switch(self, port: int, opened: bool) -> None:
        """Open or close a port, and return when it is so. Raises OSError when it cannot be."""
        if self._shared and port not in self._relays:
            return
        relay = self._relays[port]

        async def change() -> None:
            relay.open() if opened else relay.close()

        asyncio.run_coroutine_threadsafe(change(), self._loop).result(5)

    def forward(self, port: int, path: str) -> None:
        """Carry connections to the unix socket `path` to a port in here, until the reset.

        It obeys whoever connects, but all that it does is to reach a port of the learner's own.
        """

        async def listen() -> None:
            make = functools.partial(Forwarded, self._loop, port)
            self._forwards.append(await self._loop.create_unix_server(make, path))

        asyncio.run_coroutine_threadsafe(listen(), self._loop).result(5)
        os.chmod(path, 0o666)  # the judge has another user id

    def reach(self, port: int, path: str, *, datagrams: bool, alone: bool = False) -> int:
        """Until the reset or `leave`, carry what connects to a port in here to a unix socket.

        Port 0 is any free one; returns which. Asked for again, nothing changes. Raises OSError
        when the port is taken by somebody else. With `alone`, it is never another sandbox's of
        this run: 0 when one has it now.
        """

        async def listen(port: int) -> int:
            if (port, datagrams) not in self._worlds:
                made: Relay | DatagramRelay
                if datagrams:
                    made = DatagramRelay(self._loop, port, path)
                    await made.open()
                else:
                    made = Relay(self._loop, port, path, self._shared or alone)
                    made.open()
                self._worlds[port, datagrams] = made
            return port

        def attempt(port: int) -> int:
            return asyncio.run_coroutine_threadsafe(listen(port), self._loop).result(5)

        if port:
            try:
                return attempt(port)
            except OSError:
                if not self._shared:  # else it is another sandbox's of this run, as in `begin`
                    raise
                return 0 if alone else port
        for _ in range(PORTS_TRIED):  # one that nobody listens on may still be taken
            with contextlib.suppress(OSError):
                return attempt(free_port())
        raise OSError("no free port was found")

    def leave(self, port: int, *, datagrams: bool) -> None:
        """The port is nobody's again: connections to it are refused."""

        async def end() -> None:
            world = self._worlds.pop((port, datagrams), None)
            if world is not None:
                world.end()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(5)

    def reset(self) -> None:
        for port, datagrams in list(self._worlds):
            self.leave(port, datagrams=datagrams)
        while self._forwards:
            self._loop.call_soon_threadsafe(self._forwards.pop().close)
        for port in self._relays:
            self.switch(port, False)  # ends what the last test left connected
            self.switch(port, True)
