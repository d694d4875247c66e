"""Which statements a PostgreSQL client makes, told from its bytes and the server's.

Messages of protocol 3.0 (https://www.postgresql.org/docs/17/protocol-message-formats.html). The
client is the learner's program and may want to be miscounted: it can run code of its own in the
server by parsing, binding, committing or copying, hear of it by notices, and make the server skip
messages that the reader believes in. So whatever is not certainly harmless counts as a request.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from grader.judge.traffic import LONGEST, STATEMENT, UNREAD, Request, new, text

MOST_NAMES = 500
"""Prepared statements, and portals, that are kept in mind."""
MOST_TEXT = 256 * 1024
"""Characters of all statements that are kept in mind for one connection."""
NAME = 63
"""Bytes of a name that the server itself tells apart (NAMEDATALEN)."""
_ENCRYPTION = (b"\x04\xd2\x16\x2f", b"\x04\xd2\x16\x30")
"""SSLRequest and GSSENCRequest: they come before the real start-up message."""
_NAME = r'[\w$"*]+'
_HOUSEKEEPING = re.compile(
    # None of these can run code of the learner's, or bring back what the learner stored: SET takes
    # constants only (SET CONSTRAINTS runs triggers), SHOW could read a setting of the database.
    r"(begin|start transaction|rollback|abort|commit|end)[a-z ,]*|"
    rf"(rollback|abort) (work |transaction )?to (savepoint )?{_NAME}|"
    rf"savepoint {_NAME}|release (savepoint )?{_NAME}|"
    r"set (?!constraints\b)(session |local )?[a-z_][\w.]*[ =].*|reset [\w. ]+|"
    r"show (transaction.isolation.*|standard_conforming_strings|server_version(_num)?)|"
    rf"deallocate (prepare )?{_NAME}|discard [a-z]+|close {_NAME}|(un)?listen {_NAME}|select 1|",
    re.IGNORECASE,
)
_COMMIT = re.compile(r"\s*(commit|end)\b", re.IGNORECASE)
_OPTION = re.compile(r"(?:-c ?|--)([\w.-]+)=")


def _without_housekeeping(sql: str) -> str:
    """`begin; select 1 from t; commit` counts as what is between. Blanks count as one."""
    parts = " ".join(sql.split()).split(";")
    told = [number for number, part in enumerate(parts) if not _harmless(part.strip())]
    return ";".join(parts[told[0] : told[-1] + 1]).strip() if told else ""


def _harmless(part: str) -> bool:
    comment = "/*" in part or "--" in part
    return not comment and _HOUSEKEEPING.fullmatch(part) is not None


def _told(sql: bytes) -> str:
    """What counts of a statement, "" for housekeeping."""
    sql = sql.strip()  # before it is cut: blanks must not push the statement out of sight
    told = text(sql)
    return " ".join(told.split()) if len(sql) > STATEMENT else _without_housekeeping(told)


@dataclass(frozen=True)
class _Known:
    """A prepared statement or a portal. `request` None: housekeeping, known from this `group`."""

    text: str
    request: Request | None
    group: int
    used: bool = False


class PostgresReader:
    """SQL of simple queries, and of statements that are prepared, bound or executed."""

    def __init__(self, usual: dict[str, str] | None = None) -> None:
        """`usual` holds the settings that a login brings back, shared by all connections."""
        self._buffer = bytearray()
        self._skip = 0
        self._started = False
        self._statements: dict[bytes, _Known] = {}
        self._portals: dict[bytes, _Known] = {}
        self._kept = 0
        self._group = 0
        """Counts Sync and simple queries: after an error the server skips the rest of a group."""
        self._last: Request | None = None
        """The last request since the server said that no transaction is open."""
        self._fresh = True
        """Whether the server has said nothing since the last request."""
        self._waiting = 1
        """How often the server still has to say that it is ready; the first time after login."""
        self._synced = True
        self._unread: Request | None = None
        """A message of this group that was too long to be read, and was not taken up yet."""
        self._server = _ServerReader()
        self._usual = {} if usual is None else usual
        self._ready = False
        self._own: set[str] = set()
        """Settings that the client made when it logged in."""

    # -- the client's bytes -------------------------------------------------------------------

    def feed(self, data: bytes) -> list[Request]:
        if self._skip:
            dropped = min(self._skip, len(data))
            self._skip -= dropped
            data = data[dropped:]
        self._buffer += data
        found: list[Request] = []
        while (message := self._next()) is not None:
            for request in self._read(*message):
                self._last, self._fresh = request, True
                found.append(request)
        return found

    def _next(self) -> tuple[str, bytes] | None:
        head = 1 if self._started else 0
        if len(self._buffer) < head + 4:
            return None
        kind = chr(self._buffer[0]) if head else ""
        length = int(struct.unpack_from(">I", self._buffer, head)[0])
        end = head + max(length, 4)
        if length > LONGEST:
            here = min(end, len(self._buffer))
            del self._buffer[:here]
            self._skip = end - here
            # What was in it is not known, so what it may have named is not known from here on.
            self._forget()
            return (kind if kind == "d" else "?" if kind and kind in "QFPB" else "", b"")
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[head + 4 : end])
        del self._buffer[:end]
        if not self._started:
            self._begin(body)
            return ("", b"")
        return (kind, body)

    def _begin(self, body: bytes) -> None:
        self._started = body[:4] not in _ENCRYPTION
        if not self._started:
            self._server.single += 1
            return
        words = body[4:].decode("utf-8", "replace").split("\0")
        given = dict(zip(words[::2], words[1::2], strict=False))
        self._own = {name.lower() for name in (*given, *_OPTION.findall(given.get("options", "")))}

    def _read(self, kind: str, body: bytes) -> Iterator[Request]:
        name, _, rest = body.partition(b"\0")
        if kind in ("Q", "S", "F"):
            self._group += 1
            self._waiting += 1
            self._unread = None
        self._synced = (self._synced and kind not in ("P", "B", "E", "?")) or kind == "S"
        if kind == "Q":
            yield from self._simple(name)
        elif kind == "P":
            yield from self._parse(name[:NAME], rest.partition(b"\0")[0])
        elif kind == "B":
            yield from self._bind(name[:NAME], rest.partition(b"\0")[0][:NAME])
        elif kind == "E":
            yield from self._execute(name[:NAME])
        elif kind in ("F", "?"):
            self._unread = new(UNREAD)
            yield self._unread
        elif kind == "C":
            named = self._statements if name[:1] == b"S" else self._portals
            named.pop(name[1:][:NAME], None)
        elif kind == "d":
            # Rows of a COPY belong to it, until its triggers have begun to answer.
            yield self._last if self._fresh and self._last is not None else new(UNREAD)

    def _simple(self, sql: bytes) -> Iterator[Request]:
        told = _told(sql)
        if told:
            yield new(told)
        else:
            yield from self._commit(text(sql))

    def _commit(self, sql: str) -> Iterator[Request]:
        """It runs what was put off to the end: told by itself only to who saw nothing of it."""
        if self._last is not None and any(_COMMIT.match(part) for part in sql.split(";")):
            yield Request("COMMIT", self._last.number)

    def _parse(self, name: bytes, sql: bytes) -> Iterator[Request]:
        told = _told(sql)
        if told:
            known = self._statements.get(name)
            if name and known is not None and known.text != told:
                told = UNREAD  # the server may have refused: the name is taken
            request = new(told)
            self._keep(self._statements, name, _Known(told, request, self._group))
            yield request
        elif name:
            # The server may know another statement by this name: SQL can prepare one, too.
            self._keep(self._statements, name, _Known(UNREAD, new(UNREAD), self._group, used=True))
        else:
            self._keep(self._statements, name, _Known(text(sql), None, self._group))

    def _bind(self, portal: bytes, name: bytes) -> Iterator[Request]:
        bound = self._use(self._statements, name)
        if bound.request is None and portal:
            bound = _Known(UNREAD, new(UNREAD), self._group)
        self._keep(self._portals, portal, replace(bound, used=False, group=self._group))
        if bound.request is not None:
            yield bound.request

    def _execute(self, portal: bytes) -> Iterator[Request]:
        run = self._use(self._portals, portal)
        if run.request is None:
            yield from self._commit(run.text)
        else:
            yield run.request

    def _use(self, named: dict[bytes, _Known], name: bytes) -> _Known:
        """What is behind a name; from its second use on it is another request each time."""
        known = named.get(name)
        if known is None or (known.request is None and known.group != self._group):
            request, self._unread = self._unread or new(UNREAD), None
            return _Known(UNREAD, request, self._group)
        if known.request is None:
            return known
        named[name] = replace(known, used=True)
        return replace(known, request=new(known.text)) if known.used else known

    def _keep(self, named: dict[bytes, _Known], name: bytes, known: _Known) -> None:
        if len(named) >= MOST_NAMES or self._kept + len(known.text) > MOST_TEXT:
            self._forget()
        before = named.get(name)
        self._kept += len(known.text) - (len(before.text) if before is not None else 0)
        named[name] = known

    def _forget(self) -> None:
        self._statements.clear()
        self._portals.clear()
        self._kept = 0

    # -- the server's bytes -------------------------------------------------------------------

    def answered(self, data: bytes) -> list[Request]:
        found: list[Request] = []
        for kind, body in self._server.feed(data):
            self._fresh = self._fresh and kind == "G"
            if kind == "Z":
                self._ready = True
                self._waiting -= 1
                if body == b"I" and self._waiting <= 0:
                    self._last = None
            elif kind == "S" and not self._ready and self._brought_back(body):
                found.append(new(UNREAD))
        return found

    def _brought_back(self, body: bytes) -> bool:
        """Whether a login brings a setting that the database keeps, and not the client's own."""
        name, _, value = body.rstrip(b"\0").decode("utf-8", "replace").partition("\0")
        return name.lower() not in self._own and self._usual.setdefault(name, value) != value

    def running(self) -> list[Request]:
        busy = self._waiting > 0 or not self._synced
        return [self._last] if self._last is not None and busy else []


class _ServerReader:
    """Messages of the server, whose word is true. Only those with few bytes come with them."""

    def __init__(self) -> None:
        self.single = 0
        """Answers of one byte that are awaited, to requests for encryption."""
        self._buffer = bytearray()
        self._skip = 0

    def feed(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        dropped = min(self._skip, len(data))
        self._skip -= dropped
        self._buffer += memoryview(data)[dropped:]
        at = 0
        while not self._skip:
            if self.single and at < len(self._buffer):
                self.single, at = self.single - 1, at + 1
                continue
            if len(self._buffer) - at < 5:
                break
            kind, length = chr(self._buffer[at]), struct.unpack_from(">I", self._buffer, at + 1)[0]
            end = at + 1 + length
            if kind in "ZS" and len(self._buffer) < end:
                break
            yield kind, bytes(self._buffer[at + 5 : end]) if kind in "ZS" else b""
            self._skip = max(end - len(self._buffer), 0)
            at = min(end, len(self._buffer))
        del self._buffer[:at]
