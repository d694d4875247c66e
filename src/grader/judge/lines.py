"""JSON lines as they come out of a stream, in any parts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

LONGEST = 64 * 1024 * 1024
"""Bytes of a line; one that is longer is forgotten."""


class Lines:
    """Fed with bytes in order, gives the messages completed by them; None for what is none."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> Iterator[dict[str, Any] | None]:
        self._buffer += data
        while (end := self._buffer.find(b"\n", self._searched)) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            self._searched = 0
            if line.strip():
                yield _message(line)
        self._searched = len(self._buffer)
        if self._searched > LONGEST:
            self.clear()

    def clear(self) -> None:
        self._buffer.clear()
        self._searched = 0


def _message(line: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None
