"""Reads what a client sends to a server, without touching it: which requests were made.

This half knows Redis: RESP arrays and inline commands
(https://redis.io/docs/latest/develop/reference/protocol-spec/). PostgreSQL is in pgtraffic.
The bytes come from the learner's program: every reader is bounded and never raises.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Protocol

LONGEST = 1 << 20
"""A message of more bytes is counted, but not read."""
STATEMENT = 8000
"""Bytes of a statement that are kept."""
ARGUMENT = 200
"""Bytes of a Redis argument that are kept."""
_REDIS_HOUSEKEEPING = frozenset(
    ("AUTH", "HELLO", "CLIENT", "PING", "ECHO", "SELECT", "COMMAND", "QUIT", "RESET", "MULTI")
)

UNREAD = "(a request that was not read)"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Request:
    """What a client asked. Messages with one number are parts of one request: it counts once."""

    text: str
    number: int


def new(text: str) -> Request:
    """A request of its own."""
    return Request(text, next(_numbers))


class Reader(Protocol):
    """Reads one connection. Fed with bytes in order, gives the requests they are part of."""

    def feed(self, data: bytes) -> list[Request]:
        """What the client sent."""

    def answered(self, data: bytes) -> list[Request]:
        """What the server sent. It may tell of a request that no byte of the client showed."""

    def running(self) -> list[Request]:
        """What the server still works on."""


class RedisReader:
    """Commands as `GET key`, arguments cut at ARGUMENT bytes, at most 20 of them."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._left = 0
        self._words: list[bytes] = []
        self._skip = 0
        self._searched = 0
        """Bytes at the buffer's start that hold no end of a line."""
        self._queued: Request | None = None

    def feed(self, data: bytes) -> list[Request]:
        self._buffer += data
        found: list[Request] = []
        while self._step():
            if self._left == 0 and self._words:
                words, self._words = self._words, []
                found += self._requested(words)
        return found

    def answered(self, data: bytes) -> list[Request]:
        del data
        return []

    def running(self) -> list[Request]:
        return []

    def _requested(self, words: list[bytes]) -> list[Request]:
        name = words[0].decode("ascii", "replace").upper()
        if name in _REDIS_HOUSEKEEPING:
            return []
        if name == "EXEC" and self._queued is not None:
            # It runs what was queued: told by itself only to who did not see that.
            request, self._queued = Request("EXEC", self._queued.number), None
        else:
            request = self._queued = new(" ".join(text(word) for word in words))
        return [request]

    def _step(self) -> bool:
        """Consume one line or one bulk string; False when more bytes are needed."""
        if self._skip:
            dropped = min(self._skip, len(self._buffer))
            del self._buffer[:dropped]
            self._skip -= dropped
            return self._skip == 0 and dropped > 0
        # As the server does it: a header ends at \r whatever follows, an inline command at \n.
        inline = self._left == 0 and not self._buffer.startswith(b"*")
        line_end = self._buffer.find(b"\n" if inline else b"\r", self._searched)
        if line_end < 0 or (not inline and len(self._buffer) < line_end + 2):
            self._searched = len(self._buffer) if line_end < 0 else line_end
            if len(self._buffer) > LONGEST:
                self._buffer.clear()
                self._searched = 0
            return False
        self._searched = 0
        line = bytes(self._buffer[:line_end])
        if self._left == 0:
            del self._buffer[: line_end + (1 if inline else 2)]
            if line.startswith(b"*"):
                self._left = _number(line[1:])
            else:
                self._words = [word[:ARGUMENT] for word in line.split()[:20]]
            return True
        size = _number(line[1:])
        have = len(self._buffer) - line_end - 2
        if have < size + 2 and (size <= LONGEST or have < ARGUMENT):
            return False
        if len(self._words) < 20:
            self._words.append(
                bytes(self._buffer[line_end + 2 : line_end + 2 + min(size, ARGUMENT)])
            )
        self._skip = max(size + 2 - have, 0)
        del self._buffer[: line_end + 2 + min(size + 2, have)]
        self._left -= 1
        return True


def _number(digits: bytes) -> int:
    return int(digits) if digits.isdigit() and len(digits) < 12 else 0


def text(data: bytes) -> str:
    """The beginning of a request, as far as it is kept."""
    return data[:STATEMENT].decode("utf-8", "replace")
