"""PostgreSQL: a database and a role for the learner, made anew from a private template.

The superuser is the runtime's alone and stays in the database `postgres`: a superuser's statement
that touches a table with the learner's trigger would run the learner's code as superuser. The
tests' fixture acts as the learner's role, too. It logs in through an account of its own that
becomes the learner's role at once and can do nothing more: so the learner can neither end its
session, nor change its password and settings, nor see its queries.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from grader.judge.errors import AuthorFault, Fault
from grader.judge.gateway import Link
from grader.judge.services.database import Postgres

TEMPLATE = "grader_template_"
NEXT = "grader_next_"
CHECKER = "checker"
DATABASE = "learner"
ROLE_SETTINGS = {
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "60s",
    "temp_file_limit": "128MB",
}
CONNECTIONS = 80
ENDING = 1.0
"""Seconds that sessions have to end before DROP DATABASE is left to deal with them."""


class PostgresService:
    def __init__(self, options: Mapping[str, Any]) -> None:
        self._port = int(options["port"])
        self._admin_user = str(options["admin"]["user"])
        self._admin_password = str(options["admin"]["password"])
        self._user = str(options["learner"]["user"])
        self._password = str(options["learner"]["password"])
        self._checker_password = secrets.token_urlsafe(18)
        self._template = self._next = ""
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._ahead: Future[None] | None = None
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
        self._template, self._next = TEMPLATE + digest, NEXT + digest
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
        if self._ahead is not None:
            self._ahead.result()  # it uses the same connection
        if self._fixture is not None:
            self._fixture.close()
        self._make_next()
        database, following = sql.Identifier(DATABASE), sql.Identifier(self._next)
        owner = sql.Identifier(self._user)
        self._end_sessions()
        self._statement(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
        self._reset_roles()
        self._statement(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(following, database))
        self._statement(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, owner))
        self._statement(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(database))
        # A copy takes longer than all of this: the next one is made while this test runs.
        self._ahead = self._thread.submit(self._make_next_ahead)
        if self._fixture is not None:
            self._fixture.open_ahead()

    def _end_sessions(self) -> None:
        """DROP DATABASE does this as well, but then waits for 0.1 s before it looks again."""
        ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        deadline = time.monotonic() + ENDING
        while self._found(ending, DATABASE) and time.monotonic() < deadline:
            time.sleep(0.001)

    def _make_next(self) -> None:
        """The copy that the next test gets, unless it is there: nobody can log in to it yet."""
        if not self._found("SELECT FROM pg_database WHERE datname = %s", self._next):
            self._statement(
                sql.SQL(
                    "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy ALLOW_CONNECTIONS false"
                ).format(sql.Identifier(self._next), sql.Identifier(self._template))
            )

    def _make_next_ahead(self) -> None:
        """What goes wrong here (the learner's queries may exhaust the server) is tried again."""
        with contextlib.suppress(psycopg.Error):
            self._make_next()

    def alive(self) -> bool:
        """A crash of any of its processes ends all connections, so also the runtime's own."""
        try:
            return self._admin is not None and self._admin.execute("SELECT 1").rowcount == 1
        except psycopg.Error:
            return False

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
        self._fixture = Postgres(self.connect, link)
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
