"""Which commands a MongoDB client makes, told from its bytes and the server's.

Messages as in https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/, documents as in
https://bsonspec.org/spec.html. The client is the learner's program and may want to be miscounted:
whatever is not certainly harmless counts as a request. Nothing is decompressed: what a client
compresses is counted, and not read.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator

from grader.judge.bson_text import CUT, Unreadable, elements, written
from grader.judge.traffic import STATEMENT, UNREAD, Request, new

KEPT = 1 << 16
"""Bytes of a message that are read: its command comes first, the documents follow."""
MOST = 500
"""Requests without an answer, and transactions, that are kept in mind."""
_HEADER = struct.Struct("<iiii")
_OP_QUERY, _OP_MSG = 2004, 2013
_CHECKSUM, _MORE_TO_COME = 1, 2
"""Bits of a message's flags: four bytes end it; no answer follows, or another one does."""
_HOUSEKEEPING = frozenset(
    ("hello", "ismaster", "ping", "buildinfo", "saslstart", "saslcontinue", "authenticate")
) | {"logout", "startsession", "refreshsessions", "endsessions", "killcursors", "aborttransaction"}
_ENVELOPE = frozenset(
    ("lsid", "txnNumber", "autocommit", "startTransaction", "readConcern", "writeConcern")
)
"""Fields that say how a command is to be run, and not which it is; so do those with a `$`."""


class MongoReader:
    """Commands as `find posts {"filter": {"author": "ann"}, "limit": 5}`."""

    def __init__(self, transactions: dict[bytes, Request] | None = None) -> None:
        """`transactions` holds each session's last request in one, shared by all connections."""
        self._client = _Messages(KEPT)
        self._server = _Messages(_HEADER.size + 4)
        self._transactions = {} if transactions is None else transactions
        self._waiting: deque[tuple[int, Request]] = deque(maxlen=MOST)

    def feed(self, data: bytes) -> list[Request]:
        found = []
        for number, _, code, body, whole in self._client.feed(data):
            request = self._requested(code, body, whole)
            if request is not None:
                self._waiting.append((number, request))
                found.append(request)
        return found

    def answered(self, data: bytes) -> list[Request]:
        for number, answers, code, body, _ in self._server.feed(data):
            places = [at for at, (waits, _) in enumerate(self._waiting) if waits == answers]
            if not places:
                continue
            more = code == _OP_MSG and len(body) >= 4 and _flags(body) & _MORE_TO_COME
            for _ in range(places[0]):  # a server works in order: those before need no answer
                self._waiting.popleft()
            _, request = self._waiting.popleft()
            if more:
                self._waiting.appendleft((number, request))
        return []

    def running(self) -> list[Request]:
        return [request for _, request in self._waiting]

    def _requested(self, code: int, body: bytes, whole: bool) -> Request | None:
        """None for housekeeping."""
        try:
            if code == _OP_MSG:
                return self._command(*_sections(body, whole))
            if code == _OP_QUERY and _named(_query(body)).lower() in _HOUSEKEEPING:
                return None  # how drivers say hello
        except Unreadable:
            pass
        return new(UNREAD)

    def _command(self, command: bytes, sequences: list[tuple[str, bytes]]) -> Request | None:
        """Raises Unreadable."""
        fields = {name: (kind, value) for name, kind, value in elements(command)}
        if not fields:
            raise Unreadable
        name = next(iter(fields))
        if name.lower() in _HOUSEKEEPING:
            return None
        _, session = fields.get("lsid", (0, b""))
        if name == "commitTransaction":
            # It applies what was requested before: told by itself only to who did not see that.
            earlier = self._transactions.pop(session, None)
            return Request(name, earlier.number) if earlier is not None else new(name)
        request = new(_told(fields, sequences))
        if "autocommit" in fields:
            if len(self._transactions) >= MOST:
                self._transactions.clear()
            self._transactions[session] = request
        return request


def _told(fields: dict[str, tuple[int, bytes]], sequences: list[tuple[str, bytes]]) -> str:
    (name, of), *rest = fields.items()
    room = STATEMENT - len(CUT) - 2
    words = [name[:200], written(*of, 200).strip('"')]
    inner = []
    for key, (kind, value) in rest:
        if key not in _ENVELOPE and not key.startswith("$"):
            inner.append(f'"{key[:200]}": {written(kind, value, room)}')
    for key, documents in sequences:
        inner.append(f'"{key[:200]}": [{written(0, documents, room)}]')
    text = " ".join([*words, "{" + ", ".join(inner) + "}"])
    return text if len(text) <= STATEMENT else text[:room] + CUT


def _sections(body: bytes, whole: bool) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The command, and the documents that follow by the name of their field. Raises Unreadable."""
    command: bytes | None = None
    sequences = []
    if len(body) < 4:
        raise Unreadable
    end = len(body) - (4 if whole and _flags(body) & _CHECKSUM else 0)
    at = 4
    while at < end:
        if len(body) < at + 5:
            break
        size = int(struct.unpack_from("<i", body, at + 1)[0])
        if size < 5 or (whole and at + 1 + size > end):
            raise Unreadable
        part = body[at + 1 : at + 1 + size]
        if body[at] == 0 and command is None:
            command = part
        elif body[at] == 1:
            name, _, documents = part[4:].partition(b"\0")
            sequences.append((name.decode("utf-8", "replace"), documents))
        else:
            raise Unreadable
        at += 1 + size
    if command is None:
        raise Unreadable
    return command, sequences


def _query(body: bytes) -> bytes:
    """The document of the message that drivers use before they know the server."""
    _, _, rest = body[4:].partition(b".$cmd\0")
    return rest[8:]


def _named(command: bytes) -> str:
    return next(iter(elements(command)), ("", 0, b""))[0]


def _flags(body: bytes) -> int:
    return int(struct.unpack_from("<I", body)[0])


class _Messages:
    """The messages of one direction; of a long one the first bytes."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._buffer = bytearray()
        self._skip = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, int, int, bytes, bool]]:
        """Per message its number, the one that it answers, its kind, its bytes, if all of them."""
        dropped = min(self._skip, len(data))
        self._skip -= dropped
        self._buffer += memoryview(data)[dropped:]
        while len(self._buffer) >= _HEADER.size:
            length, number, answers, code = _HEADER.unpack_from(self._buffer)
            length = max(length, _HEADER.size)
            needed = min(length, self._kept)
            if len(self._buffer) < needed:
                return
            body = bytes(self._buffer[_HEADER.size : needed])
            here = min(length, len(self._buffer))
            del self._buffer[:here]
            self._skip = length - here
            yield number, answers, code, body, length == needed
