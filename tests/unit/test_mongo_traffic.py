"""What the gateway makes of a MongoDB client's bytes, and what a program may hide in them."""

from __future__ import annotations

import datetime as dt
import re
import struct
from collections.abc import Iterable, Mapping
from typing import Any

import bson
import pytest

from grader.judge.bson_text import written
from grader.judge.mongotraffic import KEPT, MongoReader
from grader.judge.recording import Seen
from grader.judge.traffic import LONGEST, STATEMENT, UNREAD

MIB = 1 << 20
SESSION = {"id": bson.Binary(b"s" * 16, 4)}
ENVELOPE = {"lsid": SESSION, "$db": "learner", "$readPreference": {"mode": "primary"}}


def message(code: int, body: bytes, number: int = 1, answers: int = 0) -> bytes:
    return struct.pack("<iiii", 16 + len(body), number, answers, code) + body


def command(
    document: Mapping[str, Any],
    *rows: tuple[str, list[Mapping[str, Any]]],
    number: int = 1,
    flags: int = 0,
) -> bytes:
    """OP_MSG, as pymongo writes it: the command, then rows of documents."""
    body = struct.pack("<I", flags) + b"\0" + bson.encode({**document, **ENVELOPE})
    for name, documents in rows:
        part = name.encode() + b"\0" + b"".join(map(bson.encode, documents))
        body += b"\1" + struct.pack("<i", 4 + len(part)) + part
    return message(2013, body + (b"\0" * 4 if flags & 1 else b""), number)


def query(document: Mapping[str, Any], collection: str = "admin.$cmd") -> bytes:
    """OP_QUERY, with which a client says hello before it knows the server."""
    body = struct.pack("<I", 0) + collection.encode() + b"\0" + struct.pack("<ii", 0, -1)
    return message(2004, body + bson.encode(document))


def reply(answers: int, number: int = 900, flags: int = 0) -> bytes:
    return message(2013, struct.pack("<I", flags) + b"\0" + bson.encode({"ok": 1}), number, answers)


def told(*parts: bytes) -> list[str]:
    reader = MongoReader()
    return [request.text for part in parts for request in reader.feed(part)]


FIND = {"find": "posts", "filter": {"author": "ann", "n": {"$gt": 3}}, "limit": 5}
STREAM = (
    query({"ismaster": 1, "helloOk": True})
    + command({"saslStart": 1, "payload": b"x"})
    + command(FIND, number=2)
    + command({"insert": "posts", "ordered": True}, ("documents", [{"_id": 1}, {"_id": 2}]))
    + command({"getMore": 7, "collection": "posts"})
)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (command(FIND), 'find posts {"filter": {"author": "ann", "n": {"$gt": 3}}, "limit": 5}'),
        (
            command({"insert": "p"}, ("documents", [{"_id": 1}, {"_id": 2}])),
            'insert p {"documents": [{"_id": 1}, {"_id": 2}]}',
        ),
        (command({"insert": "p"}, flags=1), "insert p {}"),
        (command({"getMore": 7, "collection": "posts"}), 'getMore 7 {"collection": "posts"}'),
        (command({"dropDatabase": 1}), "dropDatabase 1 {}"),
        (
            command({"aggregate": "p", "pipeline": [{"$match": {"a": True, "b": None}}]}),
            'aggregate p {"pipeline": [{"$match": {"a": true, "b": null}}]}',
        ),
        (message(2012, b"compressed"), UNREAD),
        (message(2013, b""), UNREAD),
        (command({"find": "p"})[:-1] + b"\1", UNREAD),
        (query({"find": "p"}, "learner.p"), UNREAD),
        (message(2013, struct.pack("<I", 0) + b"\0" + bson.encode({})), UNREAD),
    ],
)
def test_commands_are_told(sent: bytes, expected: str) -> None:
    assert told(sent) == [expected]


@pytest.mark.parametrize(
    "name", ["hello", "isMaster", "ping", "buildInfo", "saslStart", "saslContinue", "endSessions"]
)
def test_housekeeping_is_not_told(name: str) -> None:
    assert told(command({name: 1}), query({name: 1})) == []


@pytest.mark.parametrize("chunk", [1, 7, 100, 5000])
def test_cuts_change_nothing(chunk: int) -> None:
    parts = [STREAM[at : at + chunk] for at in range(0, len(STREAM), chunk)]
    assert told(*parts) == told(STREAM)
    assert len(told(STREAM)) == 3


def test_a_long_message_is_told_by_its_beginning() -> None:
    """Whatever its length, it counts once, and what follows is read."""
    long = command(
        {"insert": "p"}, ("documents", [{"_id": n, "text": "x" * 900} for n in range(4000)])
    )
    assert len(long) > LONGEST
    first, second = told(long, command(FIND))
    assert first.startswith('insert p {"documents": [{"_id": 0, "text": "xxx')
    assert first.endswith("...")
    assert len(first) <= STATEMENT
    assert second.startswith("find posts")


def test_what_is_cut_may_read_and_write() -> None:
    """`$out` at the end of a long pipeline is out of sight."""
    stages = [{"$match": {"text": "x" * 500}} for _ in range(40)]
    seen = Seen("mongodb")
    seen.add(MongoReader().feed(command({"aggregate": "p", "pipeline": [*stages, {"$out": "q"}]})))
    assert (len(seen.reads), len(seen.writes)) == (1, 1)


@pytest.mark.parametrize(
    ("sent", "reads", "writes"),
    [
        ({"find": "p"}, 1, 0),
        ({"aggregate": "p", "pipeline": [{"$match": {"text": "a\nb"}}]}, 1, 0),
        ({"aggregate": "p", "pipeline": [{"$match": {"text": "a\nb"}}, {"$merge": "q"}]}, 1, 1),
        ({"count": "p", "query": {}}, 1, 0),
        ({"findAndModify": "p", "update": {"$inc": {"n": 1}}}, 1, 1),
        ({"update": "p", "updates": []}, 0, 1),
        ({"createIndexes": "p", "indexes": []}, 0, 1),
        ({"mapReduce": "p"}, 1, 1),
    ],
)
def test_reads_and_writes(sent: Mapping[str, Any], reads: int, writes: int) -> None:
    seen = Seen("mongodb")
    seen.add(MongoReader().feed(command(sent)))
    assert (len(seen.reads), len(seen.writes)) == (reads, writes)


def seen_after(before: Iterable[tuple[str, bytes]], *inside: tuple[str, bytes]) -> list[str]:
    """What a recording holds that is opened after `before`."""
    reader, seen = MongoReader(), Seen("mongodb")
    take = {"client": reader.feed, "server": reader.answered}
    for who, data in before:
        take[who](data)
    seen.add(reader.running())
    for who, data in inside:
        seen.add(take[who](data))
    return seen.statements


ASKED = ("client", command({"find": "p"}, number=5))


def test_what_is_still_done_belongs_to_a_recording() -> None:
    assert seen_after([ASKED]) == ["find p {}"]
    assert seen_after([ASKED, ("server", reply(5))]) == []
    assert seen_after([ASKED, ("server", reply(4))]) == ["find p {}"]


def test_a_cursor_that_streams_is_still_read() -> None:
    """A reply may announce another one: the request goes on until one does not."""
    more = ("server", reply(5, number=900, flags=2))
    assert seen_after([ASKED, more]) == ["find p {}"]
    assert seen_after([ASKED, more, ("server", reply(900, number=901))]) == []


def test_what_needs_no_answer_ends_with_the_next_answer() -> None:
    silent = ("client", command({"insert": "p"}, number=4, flags=2))
    assert seen_after([silent]) == ["insert p {}"]
    assert seen_after([silent, ASKED, ("server", reply(5))]) == []


def transaction(document: Mapping[str, Any], number: int) -> bytes:
    return command({**document, "txnNumber": 1, "autocommit": False}, number=number)


def test_a_commit_belongs_to_what_it_applies() -> None:
    """Who recorded the write counts it once; who did not sees that something is applied."""
    insert = ("client", transaction({"insert": "p", "startTransaction": True}, 1))
    commit = ("client", transaction({"commitTransaction": 1}, 2))
    assert seen_after([], insert, ("server", reply(1)), commit) == ["insert p {}"]
    assert seen_after([insert, ("server", reply(1))], commit) == ["commitTransaction"]


def test_transactions_are_known_on_every_connection() -> None:
    """A driver may commit on another connection than it wrote on."""
    known: dict[bytes, Any] = {}
    (written_,) = MongoReader(known).feed(transaction({"insert": "p"}, 1))
    (commit,) = MongoReader(known).feed(transaction({"commitTransaction": 1}, 2))
    assert (commit.text, commit.number) == ("commitTransaction", written_.number)


def test_neither_side_fills_the_memory() -> None:
    reader = MongoReader()
    endless = struct.pack("<iiii", 2**31 - 1, 1, 0, 2013)
    reader.feed(endless)
    reader.answered(endless)
    for _ in range(8):
        reader.feed(b"x" * MIB)
        reader.answered(b"x" * MIB)
    assert len(reader._client._buffer) + len(reader._server._buffer) <= KEPT
    for number in range(10_000):
        reader = reader if number else MongoReader()
        reader.feed(transaction({"insert": "p", "lsid": {"id": number}}, number))
    assert len(reader.running()) <= 500
    assert len(reader._transactions) <= 500


VALUES = {
    "text": ("a", '"a"'),
    "number": (3, "3"),
    "long": (bson.Int64(3), "3"),
    "half": (0.5, "0.5"),
    "list": ([1, [2]], "[1, [2]]"),
    "day": (dt.datetime(1970, 1, 2, tzinfo=dt.UTC), '{"$date": 86400000}'),
    "id": (bson.ObjectId("0123456789ab0123456789ab"), '{"$oid": "0123456789ab0123456789ab"}'),
    "pattern": (re.compile("a.b"), '{"$regularExpression": {"pattern": "a.b", "options": "u"}}'),
    "code": (bson.Code("f()"), '"f()"'),
    "bytes": (b"\1\2", '"02000000000102"'),
    "decimal": (bson.Decimal128("0"), '"00000000000000000000000000004030"'),
}


@pytest.mark.parametrize("name", VALUES)
def test_values_as_text(name: str) -> None:
    value, text = VALUES[name]
    assert written(3, bson.encode({"a": value}), 1000) == f'{{"a": {text}}}'


def test_deep_documents_are_cut() -> None:
    deep: dict[str, Any] = {}
    for _ in range(150):
        deep = {"a": deep}
    assert written(3, bson.encode(deep), 8000).endswith("...")
