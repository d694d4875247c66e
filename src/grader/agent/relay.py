"""Relays: a port on the sandbox's own loopback for each service, carried over a unix socket.

The gateway on the other side of the socket is the only way out of a sandbox.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable

Read = Callable[[int], Awaitable[bytes]]


class Relay:
    """One port. Closed, it refuses connections while its address stays taken."""

    def __init__(self, loop: asyncio.AbstractEventLoop, port: int, target: str) -> None:
        self._loop = loop
        self._target = target
        self._streams: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = False
        # Without SO_REUSEADDR: nobody else can bind this port, even while it refuses.
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setblocking(False)
        self._listener.bind(("127.0.0.1", port))

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
        for stream in list(self._streams):
            stream.transport.abort()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self._listener.accept()
            task = self._loop.create_task(self._carry(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(self._target)
        except OSError:
            connection.close()
            return
        reader, writer = await asyncio.open_connection(sock=connection)
        both = {writer, far_writer}
        self._streams |= both
        try:
            await asyncio.gather(pump(reader.read, far_writer), pump(far_reader.read, writer))
        finally:
            self._streams -= both
            for stream in both:
                stream.close()


async def pump(read: Read, writer: asyncio.StreamWriter) -> None:
    """Carry bytes one way until either end closes; then close that way only."""
    with contextlib.suppress(OSError):
        while part := await read(65536):
            writer.write(part)
            await writer.drain()
        writer.write_eof()


class Relays:
    """All relays of a sandbox, on one event loop in a thread of its own."""

    def __init__(self, targets: dict[int, str]) -> None:
        self._loop = asyncio.new_event_loop()
        self._relays = {port: Relay(self._loop, port, path) for port, path in targets.items()}
        for relay in self._relays.values():
            relay.open()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def switch(self, port: int, opened: bool) -> None:
        """Open or close a port, and return when it is so. Raises OSError when it cannot be."""
        relay = self._relays[port]

        async def change() -> None:
            relay.open() if opened else relay.close()

        asyncio.run_coroutine_threadsafe(change(), self._loop).result(5)

    def reset(self) -> None:
        for port in self._relays:
            self.switch(port, False)  # ends what the last test left connected
            self.switch(port, True)
