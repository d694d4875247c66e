"""The `postgres` fixture: the learner's database, in the hands of a hidden test."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Any, Protocol

import psycopg
from psycopg import sql

from grader.judge.gateway import Link

MOST_ROWS = 100_000
READ_AT_ONCE = 500
Connection = psycopg.Connection[dict[str, Any]]
_BLOCKED = """
SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE NOT granted AND datname = current_database()
"""
PATIENCE = 15.0
"""Seconds that a slow machine may need until a statement gets as far as a lock."""

Params = Sequence[Any] | Mapping[str, Any] | None


class Call(Protocol):
    """What `together.start` gives: a call that is under way."""

    def done(self) -> bool: ...


class Postgres:
    """The `postgres` fixture: the learner's database, through the learner's role."""

    def __init__(self, connect: Callable[[], Connection], link: Link) -> None:
        self._connect = connect
        self._connection: Connection | None = None
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._opening: Future[Connection] | None = None
        self.link = link

    def connect(self) -> Connection:
        """Another connection of the test's own (psycopg, autocommit, rows as dicts)."""
        return self._connect()

    def execute(self, statement: str, params: Params = None) -> int:
        """Run a statement; the number of rows it touched."""
        return self._run(statement, params).rowcount

    def rows(self, query: str, params: Params = None) -> list[dict[str, Any]]:
        """All rows as dicts, at most 100,000; the check fails when there are more."""
        stream = self._open().cursor().stream(query.encode(), params, size=READ_AT_ONCE)
        rows = list(islice(stream, MOST_ROWS + 1))
        assert len(rows) <= MOST_ROWS, f"a table of more than {MOST_ROWS} rows"
        return rows

    def one(self, query: str, params: Params = None) -> dict[str, Any]:
        """The only row; the check fails when there are more or none."""
        rows = self._run(query, params).fetchmany(2)
        assert len(rows) == 1, f"expected one row, found {'more' if rows else 'none'}: {query}"
        return rows[0]

    def value(self, query: str, params: Params = None) -> Any:
        """The only value of the only row."""
        return next(iter(self.one(query, params).values()))

    @contextmanager
    def locked(self, statement: str, params: Params = None) -> Iterator[None]:
        """A transaction of somebody else's: it has run this, and commits when the block ends."""
        with self.connect() as connection, connection.transaction():
            connection.execute(statement.encode(), params)
            yield

    def wait_blocked(self, count: int, *calls: Call) -> bool:
        """Wait until so many sessions wait for a lock in the learner's database: True.

        False when one of `calls` has come to its end before. The check fails after 15 s.
        """
        deadline = time.monotonic() + PATIENCE
        while not any(call.done() for call in calls):
            if self.value(_BLOCKED) >= count:
                return True
            assert time.monotonic() < deadline, (
                f"{count} statements should wait for each other by now, and do not."
            )
            time.sleep(0.01)
        return False

    def load(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Insert many rows, given as mappings with the same keys, by COPY."""
        listed = list(rows)
        if not listed:
            return
        columns = list(listed[0])
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with self._open().cursor().copy(statement) as copy:
            for row in listed:
                copy.write_row([row[column] for column in columns])

    def _run(self, statement: str, params: Params) -> psycopg.Cursor[dict[str, Any]]:
        return self._open().execute(statement.encode(), params)

    def open_ahead(self) -> None:
        """Connect while the test begins with something else."""
        self._opening = self._thread.submit(self._connect)

    def _open(self) -> Connection:
        opening, self._opening = self._opening, None
        if opening is not None:
            self._connection = opening.result()
        if self._connection is None or self._connection.closed:
            self._connection = self._connect()
        return self._connection

    def close(self) -> None:
        with contextlib.suppress(psycopg.Error):
            if self._opening is not None:
                self._connection = self._opening.result()
        if self._connection is not None:
            self._connection.close()
        self._opening = self._connection = None
