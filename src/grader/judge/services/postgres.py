"""PostgreSQL: a database and a role for the learner, made anew from a private template.

The superuser is the runtime's alone and stays in the database `postgres`: a superuser's statement
that touches a table with the learner's trigger would run the learner's code as superuser. The
tests' fixture acts as the learner's role, too. It logs in through an account of its own that
becomes the learner's role at once and can do nothing more: so the learner can neither end its
session, nor change its password and settings, nor see its queries.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Protocol

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from grader.judge.errors import AuthorFault, Fault
from grader.judge.gateway import Link

TEMPLATE = "grader_template_"
CHECKER = "checker"
DATABASE = "learner"
MOST_ROWS = 100_000
READ_AT_ONCE = 500
ROLE_SETTINGS = {
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "60s",
    "temp_file_limit": "128MB",
}
CONNECTIONS = 80

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


class PostgresService:
    def __init__(self, options: Mapping[str, Any]) -> None:
        self._port = int(options["port"])
        self._admin_user = str(options["admin"]["user"])
        self._admin_password = str(options["admin"]["password"])
        self._user = str(options["learner"]["user"])
        self._password = str(options["learner"]["password"])
        self._checker_password = secrets.token_urlsafe(18)
        self._template = ""
        self._admin: psycopg.Connection[Any] | None = None
        self._fixture: Postgres | None = None

    def wait_ready(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                self._statement("SELECT 1")
                return
            except psycopg.OperationalError as error:
                self._admin = None
                if time.monotonic() > deadline:
                    raise Fault(f"postgres was not ready within {seconds:g} s: {error}") from None
                time.sleep(0.02)

    def prepare(self, init: list[str]) -> None:
        self._make_roles()
        self._reset_roles()
        digest = hashlib.sha256("\0".join(init).encode()).hexdigest()[:16]
        self._template = TEMPLATE + digest
        if not self._found("SELECT FROM pg_database WHERE datname = %s", self._template):
            self._make_template(init)

    def _make_roles(self) -> None:
        learner, checker = sql.Identifier(self._user), sql.Identifier(CHECKER)
        if not self._found("SELECT FROM pg_roles WHERE rolname = %s", self._user):
            self._statement(sql.SQL("CREATE ROLE {} LOGIN").format(learner))
            for database in ("postgres", "template1"):
                name = sql.Identifier(database)
                self._statement(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
        if not self._found("SELECT FROM pg_roles WHERE rolname = %s", CHECKER):
            self._statement(
                sql.SQL("CREATE ROLE {} LOGIN NOINHERIT IN ROLE {}").format(checker, learner)
            )

    def _make_template(self, init: list[str]) -> None:
        """Run the author's scripts as the learner's role, then close the database for everybody."""
        making = self._template + "_making"
        name, owner = sql.Identifier(making), sql.Identifier(self._user)
        self._statement(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))
        self._statement(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, owner))
        with self._connect(making) as connection:
            for script in init:
                try:
                    connection.execute(script.encode())
                except psycopg.Error as error:
                    raise AuthorFault(f"an init script of the service postgres: {error}") from None
        admin, final = sql.Identifier(self._admin_user), sql.Identifier(self._template)
        # From here on nobody logs in to it: the learner must not change what copies start from.
        self._statement(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(name, admin))
        self._statement(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        self._statement(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(name, final))

    def reset(self) -> None:
        if self._fixture is not None:
            self._fixture.close()
        database = sql.Identifier(DATABASE)
        self._statement(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
        self._reset_roles()
        self._statement(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                database, sql.Identifier(self._template), sql.Identifier(self._user)
            )
        )

    def _reset_roles(self) -> None:
        """Undo what a role may change about itself: its password and its settings.

        A trigger of the learner's that the judge meets can do so to `checker`, too.
        """
        elsewhere = self._statement(
            "SELECT rolname, datname FROM pg_db_role_setting"
            " JOIN pg_database d ON d.oid = setdatabase JOIN pg_roles r ON r.oid = setrole"
        )
        for role, database in elsewhere.fetchall():
            self._statement(
                sql.SQL("ALTER ROLE {} IN DATABASE {} RESET ALL").format(
                    sql.Identifier(role), sql.Identifier(database)
                )
            )
        self._reset_role(self._user, self._password, ROLE_SETTINGS)
        self._reset_role(CHECKER, self._checker_password, {"role": self._user})
        limit = sql.SQL("ALTER ROLE {} CONNECTION LIMIT {}")
        self._statement(limit.format(sql.Identifier(self._user), sql.Literal(CONNECTIONS)))

    def _reset_role(self, name: str, password: str, settings: Mapping[str, str]) -> None:
        role = sql.Identifier(name)
        self._statement(sql.SQL("ALTER ROLE {} RESET ALL").format(role))
        for key, value in settings.items():
            self._statement(
                sql.SQL("ALTER ROLE {} SET {} = {}").format(
                    role, sql.Identifier(key), sql.Literal(value)
                )
            )
        secret = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {} VALID UNTIL 'infinity'")
        self._statement(secret.format(role, sql.Literal(password)))

    def fixture(self, link: Link) -> Postgres:
        self._fixture = Postgres(self, link)
        return self._fixture

    def _statement(self, statement: str | sql.Composed) -> psycopg.Cursor[Any]:
        if self._admin is None or self._admin.closed:
            self._admin = psycopg.connect(
                host="127.0.0.1",
                port=self._port,
                dbname="postgres",
                user=self._admin_user,
                password=self._admin_password,
                options="-c search_path=pg_catalog",
                connect_timeout=5,
                autocommit=True,
            )
        return self._admin.execute(
            statement if isinstance(statement, sql.Composed) else statement.encode()
        )

    def _found(self, query: str, name: str) -> bool:
        self._statement("SELECT 1")
        assert self._admin is not None
        return self._admin.execute(query.encode(), [name]).rowcount > 0

    def connect(self) -> psycopg.Connection[dict[str, Any]]:
        """A connection that acts as the learner's role, to the learner's database."""
        return self._connect(DATABASE)

    def _connect(self, database: str) -> psycopg.Connection[dict[str, Any]]:
        return psycopg.connect(
            host="127.0.0.1",
            port=self._port,
            dbname=database,
            user=CHECKER,
            password=self._checker_password,
            options="-c search_path=public",
            connect_timeout=5,
            autocommit=True,
            row_factory=dict_row,
        )


class Postgres:
    """The `postgres` fixture: the learner's database, through the learner's role."""

    def __init__(self, service: PostgresService, link: Link) -> None:
        self._service = service
        self._connection: psycopg.Connection[dict[str, Any]] | None = None
        self.link = link

    def connect(self) -> psycopg.Connection[dict[str, Any]]:
        """Another connection of the test's own (psycopg, autocommit, rows as dicts)."""
        return self._service.connect()

    def execute(self, statement: str, params: Params = None) -> int:
        """Run a statement; the number of rows it touched."""
        return self._run(statement, params).rowcount

    def rows(self, query: str, params: Params = None) -> list[dict[str, Any]]:
        """All rows as dicts, at most MOST_ROWS; more than that are not even read."""
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

        False when one of `calls` has come to its end before. The check fails after PATIENCE.
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

    def _open(self) -> psycopg.Connection[dict[str, Any]]:
        if self._connection is None or self._connection.closed:
            self._connection = self._service.connect()
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
