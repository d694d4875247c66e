"""What the gateway makes of a client's bytes: any bytes, in any parts, at a bounded cost."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.judge.mongotraffic import MongoReader
from grader.judge.pgtraffic import PostgresReader
from grader.judge.traffic import Reader, RedisReader
from tests.fuzz.harness import MIB, bounded, fuzz, mutated, watched
from tests.unit.test_mongo_traffic import STREAM as MONGODB
from tests.unit.test_traffic import (
    POSTGRES,
    REDIS,
    command,
    execute,
    message,
    prepare,
    query,
    startup,
    told,
)

HARD = (
    *(struct.pack(">I", number) for number in (0, 1, 4, 2**20, 2**31, 2**32 - 1)),
    *(
        b"Q",
        b"P",
        b"B",
        b"E",
        b"F",
        b"X",
        b"\r",
        b"\r\n",
        b"*",
        b"$",
        b"*-1\r\n",
        b"*0\r\n",
        b"$-1\r\n",
    ),
    *(
        b"*99999999999\r\n",
        b"$99999999999\r\n",
        b"$1048577\r\n",
        b"*1\r\n$3\r\nGET\r\n",
        b"\xff" * 300,
    ),
    *(b";" * 3000, b" " * 3000, b"select 1", b"\0", query(";;; begin ; select 1 ;"), b"SSLRequest"),
)


@fuzz
@given(
    st.sampled_from([PostgresReader, RedisReader, MongoReader]),
    mutated(POSTGRES, REDIS, MONGODB, startup() + query("SELECT 1") * 3, also=HARD),
    st.lists(st.integers(1, 700), max_size=30),
)
def test_any_bytes_in_any_parts(make: Callable[[], Reader], stream: bytes, cuts: list[int]) -> None:
    """Nothing is raised, and the parts change nothing about what was read."""
    parts, left = [], stream
    for cut in cuts:
        parts.append(left[:cut])
        left = left[cut:]
    with watched(stream):
        texts = told(make(), *parts, left)
        assert texts == told(make(), stream)
    assert all(0 < len(text) <= 8000 for text in texts)
    assert sum(map(len, texts)) <= 9000 * (len(stream) + 1)


LONG = b"select 1" + b" " * 7900 + b"x"


@pytest.mark.parametrize(
    ("make", "begin", "part", "times"),
    [
        (PostgresReader, startup(), query(LONG.decode()), 100),
        (PostgresReader, startup(), query(";" * 7900), 100),
        (PostgresReader, startup(), query("begin;" * 1300), 60),
        (RedisReader, b"", b"x" * 10, 50_000),
        (RedisReader, b"*3", b"1" * 10, 50_000),
        (RedisReader, b"", b"\r\n", 50_000),
        (RedisReader, b"*99999999999\r\n", b"$0\r\n\r\n", 50_000),
    ],
    ids=["blanks", "semicolons", "begins", "drips", "header", "empty", "array"],
)
def test_what_took_long(make: Callable[[], Reader], begin: bytes, part: bytes, times: int) -> None:
    """Each of these once took a second for some kilobytes, in the judge's own process."""
    reader = make()
    reader.feed(begin)
    with watched(part[:100], seconds=20):
        before = time.process_time()
        for _ in range(times):
            reader.feed(part)
        assert time.process_time() - before < 15


@pytest.mark.parametrize("kind", ["names", "portals", "statements"])
def test_a_connection_costs_a_bounded_amount(kind: str) -> None:
    """Names of a megabyte and statements of many kilobytes are not kept by the hundred."""
    reader = PostgresReader()
    reader.feed(startup())
    with bounded(24 * MIB):
        for number in range(120):
            name = f"{number}" + "n" * (900_000 if kind == "names" else 0)
            portal = f"{number}" + "p" * (900_000 if kind == "portals" else 0)
            text = "SELECT '" + "x" * 7900 if kind == "statements" else "SELECT 1"
            reader.feed(prepare(name, text))
            reader.feed(execute(name, portal))


def test_names_are_told_apart_as_the_server_does() -> None:
    """By their first 63 bytes."""
    reader = PostgresReader()
    reader.feed(startup() + prepare("a" * 70, "SELECT a"))
    assert told(reader, execute("a" * 65)) == ["SELECT a"]
    assert told(reader, message("X", b"") + command("GET", "a")) == []
