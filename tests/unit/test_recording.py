"""What a program may try so that a recording misses it. Each of these hid a statement once."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import pytest

from grader.judge.pgtraffic import PostgresReader
from grader.judge.recording import Seen
from grader.judge.traffic import RedisReader, Request
from tests.unit.test_traffic import (
    MIB,
    command,
    counted,
    execute,
    message,
    prepare,
    query,
    startup,
)

SYNC = message("S", b"")


def bind(name: str = "", portal: str = "") -> bytes:
    return message("B", portal.encode() + b"\0" + name.encode() + b"\0" + b"\0\0" * 3)


def run(portal: str = "") -> bytes:
    return message("E", portal.encode() + b"\0\0\0\0\0")


def ready(status: str = "I") -> bytes:
    return message("Z", status.encode())


def seen_after(before: Iterable[tuple[str, bytes]], *inside: tuple[str, bytes]) -> list[str]:
    """What a recording holds that is opened after `before`: what the client and the server sent."""
    reader, seen = PostgresReader(), Seen("postgres")
    take = {"client": reader.feed, "server": reader.answered}
    for who, data in (("client", startup()), ("server", ready()), *before):
        take[who](data)
    seen.add(reader.running())
    for who, data in inside:
        seen.add(take[who](data))
    return seen.statements


DONE = ("server", message("C", b"SELECT 1\0") + ready())
IN_TRANSACTION = ("server", message("C", b"INSERT 0 1\0") + ready("T"))
REFUSED = ("server", message("E", b"C42P05\0\0") + ready())
COPY = [("client", query("COPY a FROM STDIN")), ("server", message("G", b"\0\0\0"))]
ROW = message("d", b"5\n")
NOTICE = ("server", message("N", b"Msecret\0\0"))


@pytest.mark.parametrize(
    ("before", "inside"),
    [
        pytest.param([], query(" " * 9000 + "SELECT a FROM b"), id="behind-blanks"),
        pytest.param([], prepare("", "\n" * 9000 + "SELECT a") + execute(), id="blanks-prepared"),
        pytest.param([], query("SET CONSTRAINTS ALL IMMEDIATE"), id="triggers-at-once"),
        pytest.param([], query("set /**/ constraints all immediate"), id="with-a-comment"),
        pytest.param([], query("SHOW my.product"), id="a-setting"),
        pytest.param([], query("SHOW ALL"), id="all-settings"),
        pytest.param([], message("F", b"\0" * (2 * MIB)), id="a-function-with-much"),
        pytest.param([], prepare("", "SELECT '{5}'::checked[]") + SYNC, id="parsed-only"),
        pytest.param(
            [("client", prepare("p", "SELECT a") + SYNC), DONE], bind("p") + SYNC, id="bound-only"
        ),
        pytest.param(
            [
                ("client", prepare("p", "SELECT a") + execute("p")),
                DONE,
                ("client", prepare("p", "BEGIN") + SYNC),
                REFUSED,
            ],
            bind("p") + run() + SYNC,
            id="the-name-was-taken",
        ),
        pytest.param(
            [
                ("client", prepare("", "SELECT a") + SYNC),
                DONE,
                ("client", bind("none") + prepare("", "BEGIN") + SYNC),
                REFUSED,
            ],
            bind() + run() + SYNC,
            id="skipped-until-sync",
        ),
        pytest.param(
            [
                ("client", prepare("p", "BEGIN") + SYNC),
                DONE,
                ("client", query("DEALLOCATE p")),
                DONE,
                ("client", query("PREPARE p AS SELECT a")),
                DONE,
            ],
            bind("p") + run() + SYNC,
            id="prepared-by-sql-under-that-name",
        ),
        pytest.param(
            [
                ("client", prepare("", "BEGIN") + bind("", "c") + SYNC),
                ("client", query("DECLARE c CURSOR FOR SELECT a")),
                IN_TRANSACTION,
            ],
            run("c") + SYNC,
            id="a-cursor-of-sql",
        ),
        pytest.param(
            [("client", query("BEGIN; INSERT INTO a VALUES (1)")), IN_TRANSACTION],
            query("COMMIT"),
            id="triggers-at-the-commit",
        ),
        pytest.param(
            [("client", query("INSERT INTO a VALUES (1)")), IN_TRANSACTION],
            prepare("", "END") + execute(),
            id="triggers-at-a-prepared-commit",
        ),
        pytest.param(COPY, ROW, id="a-row-of-an-open-copy"),
        pytest.param([("client", query("SELECT serve()")), NOTICE], b"", id="it-runs-on"),
        pytest.param([("client", prepare("", "SELECT serve()") + execute()[:-5])], b"", id="too"),
    ],
)
def test_no_statement_hides(before: list[tuple[str, bytes]], inside: bytes) -> None:
    """Whatever can bring a row back is recorded."""
    assert seen_after(before, ("client", inside)) != []


def test_rows_of_a_copy_are_requests_once_they_are_answered() -> None:
    """A trigger can answer each row with a notice; a plain COPY is one statement."""
    row = ("client", ROW)
    assert len(seen_after([], *COPY, row, row, row)) == 1
    assert len(seen_after([], *COPY, row, NOTICE, row, NOTICE, row)) == 3


def test_what_is_done_is_not_recorded() -> None:
    """A recording begins with nothing when nothing is under way: sleeping connections are not."""
    assert seen_after([("client", query("SELECT a")), DONE]) == []
    assert seen_after([("client", query("SELECT a")), IN_TRANSACTION]) == []
    assert seen_after([("client", prepare("", "SELECT a") + execute()), DONE]) == []
    whole = [("client", query(sql)) for sql in ("BEGIN", "SELECT a", "COMMIT")]
    assert seen_after([], *whole) == ["SELECT a"]
    done = [("client", query("SELECT a")), DONE]
    assert seen_after(done, ("client", query("BEGIN")), ("client", query("COMMIT"))) == []


def login(reader: PostgresReader, options: str = "", **settings: str) -> list[str]:
    words = ["user", "learner", *(["options", options] if options else []), ""]
    body = struct.pack(">I", 196608) + "\0".join(words).encode() + b"\0"
    reader.feed(struct.pack(">I", len(body) + 4) + body)
    answers = [message("R", b"\0\0\0\0")]
    answers += [message("S", f"{name}\0{value}\0".encode()) for name, value in settings.items()]
    return counted(reader.answered(b"".join(answers) + ready()))


def test_a_login_brings_nothing_back() -> None:
    """The database can keep a value as a setting, and tell it to whoever logs in."""
    usual: dict[str, str] = {}
    assert login(PostgresReader(usual), application_name="", TimeZone="UTC") == []
    assert login(PostgresReader(usual), application_name="", TimeZone="UTC") == []
    assert len(login(PostgresReader(usual), application_name="lamp 4.20", TimeZone="UTC")) == 1
    own = "-c application_name=shop"
    assert login(PostgresReader(usual), own, application_name="shop", TimeZone="UTC") == []


@pytest.mark.parametrize(
    "sql",
    [
        "(SELECT a FROM b)",
        "/* a comment */ SELECT a FROM b",
        "EXECUTE p(5)",
        "EXPLAIN ANALYZE SELECT a FROM b",
        "COPY (SELECT a FROM b) TO STDOUT",
        "UPDATE b SET a = a RETURNING a",
        "DO 'BEGIN RAISE NOTICE $$x$$; END'",
        "CALL p()",
        "WITH c AS (DELETE FROM b RETURNING a) SELECT a FROM c",
        "DECLARE c CURSOR FOR SELECT a FROM b",
    ],
)
def test_what_may_read_counts_as_a_read(sql: str) -> None:
    """Only what is certainly none is left out of `reads`, and so it is with `writes`."""
    seen = Seen("postgres")
    seen.add(PostgresReader().feed(startup() + query(sql)))
    assert (len(seen.reads), len(seen.writes)) == (1, 1)


@pytest.mark.parametrize(
    ("service", "text", "kinds"),
    [
        ("postgres", "SELECT a FROM b", (1, 0)),
        ("postgres", "with c as (select 1) select a from c", (1, 0)),
        ("postgres", "INSERT INTO b VALUES (1)", (0, 1)),
        ("redis", "GET a", (1, 0)),
        ("redis", "SET a b EX 5", (0, 1)),
        ("redis", "SET a b GET", (1, 1)),
        ("redis", "EVAL return 0", (1, 1)),
        ("redis", '"GET" a', (1, 1)),
    ],
)
def test_reads_and_writes(service: str, text: str, kinds: tuple[int, int]) -> None:
    """By the first word, where it is enough."""
    seen = Seen(service)
    seen.add([Request(text, 1)])
    assert (len(seen.reads), len(seen.writes)) == kinds


def test_exec_runs_what_was_queued() -> None:
    """It is told where its commands were not seen: a transaction can be queued ahead."""
    reader, seen, late = RedisReader(), Seen("redis"), Seen("redis")
    requests = reader.feed(command("MULTI") + command("GET", "a"))
    seen.add(requests)
    requests = reader.feed(command("EXEC"))
    seen.add(requests)
    late.add(requests)
    assert (seen.commands, late.commands) == (["GET a"], ["EXEC"])
