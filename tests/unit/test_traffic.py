"""What the recorder makes of a client's bytes, however they arrive."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.judge.mongotraffic import MongoReader
from grader.judge.pgtraffic import PostgresReader
from grader.judge.recording import Seen
from grader.judge.traffic import Reader, RedisReader, Request

MIB = 1024 * 1024
SSL_REQUEST = struct.pack(">II", 8, 80877103)
GSS_REQUEST = struct.pack(">II", 8, 80877104)


def message(kind: str, body: bytes) -> bytes:
    return kind.encode() + struct.pack(">I", len(body) + 4) + body


def startup(encryption: bytes = b"") -> bytes:
    body = struct.pack(">I", 196608) + b"user\0learner\0database\0learner\0\0"
    return encryption + struct.pack(">I", len(body) + 4) + body + message("p", b"password\0")


def query(sql: str) -> bytes:
    return message("Q", sql.encode() + b"\0")


def prepare(name: str, sql: str) -> bytes:
    return message("P", name.encode() + b"\0" + sql.encode() + b"\0\0\0")


def execute(name: str = "", portal: str = "") -> bytes:
    """Bind a prepared statement to a portal, describe and execute it, sync."""
    bind = portal.encode() + b"\0" + name.encode() + b"\0" + b"\0\0" * 3
    run = portal.encode() + b"\0" + struct.pack(">I", 0)
    return message("B", bind) + message("D", b"P\0") + message("E", run) + message("S", b"")


def command(*words: bytes | str) -> bytes:
    parts = [word.encode() if isinstance(word, str) else word for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


def told(reader: Reader, *parts: bytes) -> list[str]:
    """What a recording makes of it: messages of one request count once."""
    return counted(request for part in parts for request in reader.feed(part))


def counted(requests: Iterable[Request]) -> list[str]:
    seen = Seen("postgres")
    seen.add(requests)
    return seen.statements


POSTGRES = (
    startup(SSL_REQUEST)
    + query("BEGIN")
    + query("SELECT name\n  FROM products")
    + prepare("", "INSERT INTO products VALUES ($1)")
    + execute()
    + prepare("one", "SELECT $1::text")
    + execute("one")
    + execute("one", "p")
    + query("COMMIT")
    + message("X", b"")
)
POSTGRES_TOLD = [
    "SELECT name FROM products",
    "INSERT INTO products VALUES ($1)",
    "SELECT $1::text",
    "SELECT $1::text",
]
REDIS = (
    command("HELLO", "3", "AUTH", "learner", "secret")
    + command("SET", "key", b"\r\n*1\r\n$4\r\n", "EX", "5")
    + command("GET", "key")
    + b"PING\r\n"
    + b"GET inline\r\n"
    + command("DEL", b"\xff", "")
)
REDIS_TOLD = ["SET key \r\n*1\r\n$4\r\n EX 5", "GET key", "GET inline", "DEL \ufffd "]

STREAMS: list[tuple[Callable[[], Reader], bytes, list[str]]] = [
    (PostgresReader, POSTGRES, POSTGRES_TOLD),
    (RedisReader, REDIS, REDIS_TOLD),
]
BOTH = pytest.mark.parametrize(("make", "stream", "expected"), STREAMS, ids=["postgres", "redis"])


@BOTH
def test_requests_are_told_in_order(
    make: Callable[[], Reader], stream: bytes, expected: list[str]
) -> None:
    """Every request but logging in, transactions and pings, prepared ones each time they run."""
    assert told(make(), stream) == expected


@BOTH
def test_cuts_change_nothing(
    make: Callable[[], Reader], stream: bytes, expected: list[str]
) -> None:
    """The same bytes mean the same requests, cut anywhere, or one byte at a time."""
    for cut in range(len(stream) + 1):
        assert told(make(), stream[:cut], stream[cut:]) == expected
    assert told(make(), *(stream[i : i + 1] for i in range(len(stream)))) == expected


@pytest.mark.parametrize("encryption", [b"", SSL_REQUEST, GSS_REQUEST, GSS_REQUEST + SSL_REQUEST])
def test_requests_for_encryption_come_first(encryption: bytes) -> None:
    """A client may ask for encryption before it says who it is."""
    assert told(PostgresReader(), startup(encryption) + query("SELECT 2")) == ["SELECT 2"]


@pytest.mark.parametrize(
    "sql",
    [
        "BEGIN",
        "commit;",
        "START TRANSACTION READ ONLY",
        "SET search_path = a",
        "",
        " ; ",
        "SHOW transaction isolation level",
        "SELECT 1",
        "select 1 ;",
        "ROLLBACK TO x",
        "DEALLOCATE ALL",
        "BEGIN; SET x = 1; COMMIT",
    ],
)
def test_housekeeping_is_not_told(sql: str) -> None:
    """Clients manage transactions, settings and connections by themselves."""
    assert told(PostgresReader(), startup() + query(sql)) == []
    sent = prepare("", sql) + execute()
    assert told(PostgresReader(), startup() + sent) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 10",
        "SELECT 1 FROM products",
        "UPDATE a SET b = 1",
        "BEGIN; SELECT a FROM b; COMMIT",
        "SET x = 1; SELECT a FROM b",
        "; SELECT a FROM b",
        "VALUES (1)",
    ],
)
def test_everything_else_is_told(sql: str) -> None:
    """A query does not hide behind housekeeping in the same message."""
    told_of = told(PostgresReader(), startup() + query(sql))
    assert len(told_of) == 1
    assert told_of[0].strip("; ") in sql
    assert not any(word in sql.replace(told_of[0], "") for word in ("SELECT", "UPDATE", "VALUES"))


def test_redis_housekeeping_is_not_told() -> None:
    """Clients log in, choose a database and ping by themselves."""
    words = ("auth", "HELLO", "Client", "PING", "SELECT", "MULTI", "QUIT", "COMMAND")
    assert told(RedisReader(), b"".join(command(word, "x") for word in words)) == []


@pytest.mark.parametrize("chunk", [1 << 16, 1 << 30])
def test_a_huge_query_is_still_a_query(chunk: int) -> None:
    """Padding does not hide a query, and what comes behind it is read."""
    padded = "SELECT a FROM b " + " " * (3 * MIB)
    stream = startup() + query(padded) + prepare("", padded) + execute() + query("SELECT 2")
    parts = [stream[i : i + chunk] for i in range(0, len(stream), chunk)]
    requests = told(PostgresReader(), *parts)
    assert len(requests) == 3
    assert requests[-1] == "SELECT 2"


@pytest.mark.parametrize("size", [199, 200, 201, MIB + 1, 3 * MIB])
def test_a_huge_value_is_told_by_its_beginning(size: int) -> None:
    """Arguments are cut at 200 bytes, the same however the bytes arrive."""
    stream = command("SET", "key", b"v" * size, "EX", "5") + command("GET", "key")
    expected = [f"SET key {'v' * min(size, 200)} EX 5", "GET key"]
    for chunk in (1 << 30, 1 << 16, 1000):
        parts = [stream[i : i + chunk] for i in range(0, len(stream), chunk)]
        assert told(RedisReader(), *parts) == expected
    head = stream.index(b"vv")
    assert told(RedisReader(), stream[:head], stream[head : head + 1], stream[head + 1 :]) == (
        expected
    )


def test_inline_commands_end_at_a_line_feed() -> None:
    """The server takes inline commands without the carriage return, so the recorder does."""
    assert told(RedisReader(), b"GET a\nGET b\r\n") == ["GET a", "GET b"]


def test_long_commands_are_cut() -> None:
    """Of many arguments the first twenty are told, of a long inline argument 200 bytes."""
    keys = [f"k{number}" for number in range(30)]
    assert told(RedisReader(), command("MGET", *keys)) == [" ".join(["MGET", *keys[:19]])]
    assert told(RedisReader(), b"GET " + b"k" * 5000 + b"\r\n") == ["GET " + "k" * 200]


def test_statements_prepared_out_of_sight_are_told() -> None:
    """SQL's own PREPARE and cursors can be used by the protocol's messages, too."""
    stream = startup() + execute("made-by-sql") + message("E", b"cursor\0\0\0\0\0")
    assert len(told(PostgresReader(), stream)) == 2


def test_preparing_without_end_hides_nothing() -> None:
    """After very many prepared statements a new one is still told when it runs."""
    junk = b"".join(prepare(str(number), "SELECT a") for number in range(11_000))
    last = prepare("last", "SELECT secret") + execute("last")
    assert told(PostgresReader(), startup() + junk + last)[-1:] == ["SELECT secret"]


def grown(reader: Reader, parts: Iterable[bytes]) -> int:
    """Bytes that the reader keeps at most, while it reads."""
    tracemalloc.start()
    try:
        for part in parts:
            reader.feed(part)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_prepared_statements_do_not_fill_the_memory() -> None:
    """A client that prepares without end costs the judge a bounded amount."""
    body = "SELECT '" + "x" * (500 * 1024) + "'"
    parts = (prepare(str(number), body) for number in range(100))
    reader = PostgresReader()
    reader.feed(startup())
    assert grown(reader, parts) < 8 * MIB


@pytest.mark.parametrize("make", [PostgresReader, RedisReader, MongoReader])
@pytest.mark.parametrize("part", [b"\0" * 65536, b"\xff" * 65536, b"*1048576\r\n" * 6000])
def test_garbage_does_not_fill_the_memory(make: Callable[[], Reader], part: bytes) -> None:
    """Bytes that are no request are forgotten."""
    assert grown(make(), [part, part]) < MIB


PIECES = st.one_of(
    st.binary(max_size=30),
    st.sampled_from(
        [startup(), startup(SSL_REQUEST), SSL_REQUEST, query("SELECT 1"), execute("x")]
    ),
    st.sampled_from(
        [b"*", b"$", b"\r\n", b"*2\r\n", b"$3\r\n", b"*-1\r\n", b"$-1\r\n", b"$99999\r\n"]
    ),
    st.builds(
        lambda kind, body: kind + body, st.sampled_from([b"Q", b"P", b"B", b"E"]), st.binary()
    ),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(PIECES, max_size=12), st.integers(1, 20))
def test_any_bytes_are_read_the_same_however_cut(pieces: list[bytes], chunk: int) -> None:
    """Garbage never raises, and never depends on how it was cut."""
    stream = b"".join(pieces)
    for make in (PostgresReader, RedisReader, MongoReader):
        whole = told(make(), stream)
        parts = [stream[i : i + chunk] for i in range(0, len(stream), chunk)]
        assert told(make(), *parts) == whole
