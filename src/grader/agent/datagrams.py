"""UDP carried over unix stream sockets: each client of the port has a connection of its own.

On the stream a datagram is two bytes for its length, then itself, in both directions.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

MOST_CLIENTS = 200
"""Clients of one port; what others send is lost, as datagrams may be."""


class Frames:
    """Datagrams out of a stream."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The datagrams that are complete now, in order."""
        self._data += data
        whole = []
        while len(self._data) >= 2:
            end = 2 + int.from_bytes(self._data[:2], "big")
            if len(self._data) < end:
                break
            whole.append(self._data[2:end])
            self._data = self._data[end:]
        return whole


def framed(datagram: bytes) -> bytes:
    """A datagram (65,535 bytes at most) as it goes over the stream."""
    return len(datagram).to_bytes(2, "big") + datagram


class DatagramRelay(asyncio.DatagramProtocol):
    """One UDP port of the sandbox's loopback."""

    def __init__(self, loop: asyncio.AbstractEventLoop, port: int, target: str) -> None:
        """Raises OSError when the port is taken."""
        self._loop = loop
        self._target = target
        self._clients: dict[Any, _Client] = {}
        self._transport: Any = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind(("127.0.0.1", port))
        except OSError:
            self._socket.close()
            raise

    async def open(self) -> None:
        await self._loop.create_datagram_endpoint(lambda: self, sock=self._socket)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        client = self._clients.get(addr)
        if client is None:
            if len(self._clients) >= MOST_CLIENTS:
                return
            client = self._clients[addr] = _Client(self, addr)
            client.task = self._loop.create_task(self._connect(client))
        client.send(data)

    async def _connect(self, client: _Client) -> None:
        try:
            await self._loop.create_unix_connection(lambda: client, self._target)
        except OSError:
            self.forget(client)

    def answer(self, datagram: bytes, addr: Any) -> None:
        self._transport.sendto(datagram, addr)

    def forget(self, client: _Client) -> None:
        self._clients.pop(client.addr, None)

    def end(self) -> None:
        """Nobody is answered any more, and the address is free again."""
        for client in list(self._clients.values()):
            client.close()
        if self._transport is not None:
            self._transport.abort()


class _Client(asyncio.Protocol):
    """The stream of one client; what comes before it is connected waits."""

    def __init__(self, relay: DatagramRelay, addr: Any) -> None:
        self.addr = addr
        self.task: asyncio.Task[None] | None = None
        self._relay = relay
        self._transport: Any = None
        self._early = b""
        self._frames = Frames()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._transport.write(self._early)

    def send(self, datagram: bytes) -> None:
        if self._transport is None:
            self._early += framed(datagram)
        elif not self._transport.is_closing():
            self._transport.write(framed(datagram))

    def data_received(self, data: bytes) -> None:
        for datagram in self._frames.feed(data):
            self._relay.answer(datagram, self.addr)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._relay.forget(self)

    def close(self) -> None:
        self._relay.forget(self)
        if self._transport is not None:
            self._transport.abort()
