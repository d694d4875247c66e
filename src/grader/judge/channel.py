"""The run's way to the host: JSON lines through the judge's parent process."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Mapping
from typing import Any

from grader.judge.errors import Fault


class Channel:
    """Events go out as they happen; a request waits for the host's reply."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._lines = sock.makefile("rb")
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._next = 0

    def emit(self, event: Mapping[str, Any]) -> None:
        line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            self._sock.sendall(line)

    def request(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Ask the host for what only it can do. Raises Fault when it says no."""
        with self._asking:
            self._next += 1
            self.emit({"type": "request", "id": self._next, "name": name, **arguments})
            while True:
                reply = self._receive()
                if reply.get("id") == self._next:
                    break
        if "fault" in reply:
            raise Fault(str(reply["fault"]))
        return reply

    def wait(self, kind: str) -> dict[str, Any]:
        """The host's next message of this type. Raises Fault when none can come any more."""
        while True:
            message = self._receive()
            if message.get("type") == kind:
                return message

    def _receive(self) -> dict[str, Any]:
        line = self._lines.readline()
        if not line:
            raise Fault("the host closed the channel")
        message: dict[str, Any] = json.loads(line)
        return message
