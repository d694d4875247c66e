"""Reads what a client sends to a server, without touching it: which requests were made.

PostgreSQL: frontend messages of protocol 3.0 (https://www.postgresql.org/docs/17/protocol-message-formats.html).
Redis: RESP arrays and inline commands (https://redis.io/docs/latest/develop/reference/protocol-spec/).
The bytes come from the learner's program: every reader is bounded and never raises.
"""

from __future__ import annotations

import re
import struct
from typing import Protocol

LONGEST = 1 << 20
"""A message of more bytes is counted, but not read."""
STATEMENT = 8000
"""Bytes of a statement that are kept."""
ARGUMENT = 200
"""Bytes of a Redis argument that are kept."""
MOST_NAMES = 500
"""Prepared statements, and portals, that are kept in mind."""
MOST_TEXT = 256 * 1024
"""Characters of all statements that are kept in mind for one connection."""
NAME = 63
"""Bytes of a name that the server itself tells apart (NAMEDATALEN)."""
_HOUSEKEEPING = re.compile(
    r"(begin|commit|rollback|abort|end|start transaction|savepoint|release|set|reset|show|"
    r"deallocate|discard|close|listen|unlisten|select 1 ?$|$)",
    re.IGNORECASE,
)
_REDIS_HOUSEKEEPING = frozenset(
    ("AUTH", "HELLO", "CLIENT", "PING", "ECHO", "SELECT", "COMMAND", "QUIT", "RESET", "MULTI")
)

UNREAD = "(a request that was not read)"


def _without_housekeeping(sql: str) -> str:
    """`begin; select 1 from t; commit` counts as what is between. Blanks count as one."""
    parts = " ".join(sql.split()).split(";")
    told = [number for number, part in enumerate(parts) if not _HOUSEKEEPING.match(part.strip())]
    return ";".join(parts[told[0] : told[-1] + 1]).strip() if told else ""


class Reader(Protocol):
    """Fed with bytes in order, gives the requests completed by them, as text."""

    def feed(self, data: bytes) -> list[str]: ...


class PostgresReader:
    """SQL of simple queries and of executed prepared statements."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._skip = 0
        self._started = False
        self._statements: dict[bytes, str] = {}
        self._portals: dict[bytes, str] = {}
        self._kept = 0

    def feed(self, data: bytes) -> list[str]:
        if self._skip:
            dropped = min(self._skip, len(data))
            self._skip -= dropped
            data = data[dropped:]
        self._buffer += data
        found: list[str] = []
        while (message := self._next()) is not None:
            kind, body = message
            sql = self._read(kind, body)
            if sql := _without_housekeeping(sql or ""):
                found.append(sql)
        return found

    def _next(self) -> tuple[int, bytes] | None:
        head = 1 if self._started else 0
        if len(self._buffer) < head + 4:
            return None
        kind = self._buffer[0] if head else 0
        length = int(struct.unpack_from(">I", self._buffer, head)[0])
        end = head + max(length, 4)
        if length > LONGEST:
            here = min(end, len(self._buffer))
            del self._buffer[:here]
            self._skip = end - here
            # What was in it is not known, so what it may have named is not known from here on.
            self._forget()
            return (kind, UNREAD.encode()) if kind == ord("Q") else (0, b"")
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[head + 4 : end])
        del self._buffer[:end]
        if not self._started:
            # SSLRequest and GSSENCRequest come before the real start-up message.
            self._started = body[:4] not in (b"\x04\xd2\x16\x2f", b"\x04\xd2\x16\x30")
        return (kind, body)

    def _read(self, kind: int, body: bytes) -> str | None:
        if kind == ord("Q"):
            return _text(body.partition(b"\0")[0])
        if kind == ord("P"):
            name, _, rest = body.partition(b"\0")
            self._keep(self._statements, name, _text(rest.partition(b"\0")[0]))
        elif kind == ord("B"):
            portal, _, rest = body.partition(b"\0")
            name = rest.partition(b"\0")[0][:NAME]
            self._keep(self._portals, portal, self._statements.get(name, UNREAD))
        elif kind == ord("E"):
            return self._portals.get(body.partition(b"\0")[0][:NAME], UNREAD)
        elif kind == ord("F"):
            return "(a function called by its number)"
        return None

    def _keep(self, named: dict[bytes, str], name: bytes, sql: str) -> None:
        if len(named) >= MOST_NAMES or self._kept + len(sql) > MOST_TEXT:
            self._forget()
        self._kept += len(sql) - len(named.get(name[:NAME], ""))
        named[name[:NAME]] = sql

    def _forget(self) -> None:
        self._statements.clear()
        self._portals.clear()
        self._kept = 0


class RedisReader:
    """Commands as `GET key`, arguments cut at ARGUMENT bytes, at most 20 of them."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._left = 0
        self._words: list[bytes] = []
        self._skip = 0
        self._searched = 0
        """Bytes at the buffer's start that hold no end of a line."""

    def feed(self, data: bytes) -> list[str]:
        self._buffer += data
        found: list[str] = []
        while self._step():
            if self._left == 0 and self._words:
                command = self._words
                self._words = []
                if command[0].decode("ascii", "replace").upper() not in _REDIS_HOUSEKEEPING:
                    found.append(" ".join(_text(word) for word in command))
        return found

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


def _number(text: bytes) -> int:
    return int(text) if text.isdigit() and len(text) < 12 else 0


def _text(data: bytes) -> str:
    return data[:STATEMENT].decode("utf-8", "replace")
