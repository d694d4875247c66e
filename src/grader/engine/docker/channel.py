"""JSON lines to and from the judge's standard streams, over an attached connection."""

from __future__ import annotations

import json
import select
import socket
import struct
import time
from typing import Any

from grader.engine.base import Message
from grader.errors import SessionLost

MAX_LINE = 16 * 1024 * 1024
_STDOUT = 1


class Channel:
    """One attachment to the judge. Not thread-safe."""

    def __init__(self, attached: Any) -> None:
        """`attached` is what the SDK gives: a file over a socket, or the socket (TLS) itself."""
        self._attached = attached
        self._sock: socket.socket = getattr(attached, "_sock", attached)
        self._sock.settimeout(30)
        self._frames = bytearray()
        self._stream = 0
        self._left = 0
        """Bytes of the current frame that are still to come."""
        self._lines = bytearray()
        self._searched = 0

    def send(self, message: Message) -> None:
        """Raises SessionLost when the judge is gone."""
        # The leading newline ends what a killed host may have left half-written.
        line = b"\n" + json.dumps(message, separators=(",", ":")).encode() + b"\n"
        try:
            self._sock.sendall(line)
        except OSError as error:
            raise SessionLost(f"the judge cannot be reached: {error}") from None

    def receive(self, timeout: float) -> dict[str, Any] | None:
        """The next message, or None after `timeout` seconds. Raises SessionLost."""
        deadline = time.monotonic() + timeout
        while True:
            message = self._next_line()
            if message is not None:
                return message
            left = deadline - time.monotonic()
            if left <= 0 or not self._wait(left):
                return None
            self._read()

    def _wait(self, seconds: float) -> bool:
        pending = getattr(self._sock, "pending", None)  # bytes that TLS holds already
        if pending is not None and pending():
            return True
        return bool(select.select([self._sock], [], [], seconds)[0])

    def _read(self) -> None:
        try:
            data = self._sock.recv(1 << 18)
        except OSError as error:
            raise SessionLost(f"the connection to the judge broke: {error}") from None
        if not data:
            raise SessionLost("the judge's container ended")
        self._frames += data
        self._unframe()
        if len(self._lines) > MAX_LINE:
            raise SessionLost("the judge sent a line without an end")

    def _unframe(self) -> None:
        """Move what came from its frames to the lines. A frame may claim any length."""
        while self._frames:
            if self._left == 0:
                if len(self._frames) < 8:
                    return
                self._stream, self._left = struct.unpack_from(">BxxxI", self._frames)
                del self._frames[:8]
                continue
            part = self._frames[: self._left]
            del self._frames[: len(part)]
            self._left -= len(part)
            if self._stream == _STDOUT:
                self._lines += part

    def _next_line(self) -> dict[str, Any] | None:
        while (end := self._lines.find(b"\n", self._searched)) >= 0:
            line = bytes(self._lines[:end])
            del self._lines[: end + 1]
            self._searched = 0
            if line.strip():
                try:
                    message = json.loads(line)
                except (ValueError, RecursionError):
                    raise SessionLost("the judge sent what is not JSON") from None
                if isinstance(message, dict):
                    return message
        self._searched = len(self._lines)
        return None

    def close(self) -> None:
        self._attached.close()
        self._sock.close()


def attached(url: str, container: str) -> Channel | None:
    """Attach to a running container without the SDK; None where only the SDK knows how.

    The engine's API: POST /containers/{id}/attach, answered by 101 and then raw streams.
    Raises SessionLost.
    """
    if not url.startswith("unix://"):
        return None
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.settimeout(10)
        sock.connect(url.removeprefix("unix://"))
        sock.sendall(
            f"POST /containers/{container}/attach?stdin=1&stdout=1&stream=1 HTTP/1.1\r\n"
            "Host: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n".encode()
        )
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):  # one byte at a time: what follows is the judge's
            byte = sock.recv(1)
            if not byte or len(answer) > 8192:
                raise SessionLost("the engine did not attach to the judge")
            answer += byte
        if not answer.startswith((b"HTTP/1.1 101 ", b"HTTP/1.1 200 ")):
            raise SessionLost("the warm session's judge is gone")
    except OSError as error:
        sock.close()
        raise SessionLost(f"the engine cannot be reached: {error}") from None
    except SessionLost:
        sock.close()
        raise
    return Channel(sock)
