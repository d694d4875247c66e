"""Results in a database: SQLite in one file, or any other by its URL. Each is written once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url

from grader.errors import RecordError, UsageError

SCHEMA_VERSION = 1
PATIENCE = 30
"""Seconds to wait for another process that writes into the same SQLite file."""

_META = sa.MetaData()
_SCHEMA = sa.Table("grader_schema", _META, sa.Column("version", sa.Integer, primary_key=True))
_RESULTS = sa.Table(
    "results",
    _META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("learner", sa.String(200), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("exercise", sa.String(100), nullable=False),
    sa.Column("exercise_version", sa.Integer, nullable=False),
    sa.Column("exercise_digest", sa.String(64), nullable=False),
    sa.Column("images", sa.String(64), nullable=False),
    sa.Column("submission", sa.String(64), nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("handed_in", sa.String(40)),
    sa.Column("graded", sa.String(40), nullable=False),
    sa.Column("status", sa.String(10), nullable=False),
    sa.Column("score", sa.Float),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("report", sa.Text, nullable=False),
    # What decides a verdict: a second result for the same is not written, whoever brings it.
    sa.UniqueConstraint(
        "learner", "exercise", "submission", "exercise_digest", "images", name="once"
    ),
)


class Verdict(StrEnum):
    """What came of a submission. Only the first three are final."""

    PASSED = "passed"
    FAILED = "failed"
    REFUSED = "refused"
    """It cannot be graded as handed in; `message` says why."""
    ERROR = "error"
    """Something of ours failed: no score, and the next batch tries again."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One row. `report` is the report's JSON, "" when nothing ran. Times are ISO 8601 in UTC."""

    learner: str
    name: str = ""
    exercise: str
    exercise_version: int
    exercise_digest: str
    images: str
    submission: str
    """SHA-256 of the submitted files; "" when they could not be read."""
    path: str
    handed_in: str | None = None
    graded: str = ""
    status: Verdict
    score: float | None = None
    seconds: float = 0.0
    seed: int = 0
    message: str = ""
    report: str = ""
    id: int = 0


class Store:
    """The results of one course. Every method raises RecordError when the database fails."""

    def __init__(self, where: str) -> None:
        """`where`: a file, or a URL such as postgresql+psycopg://user@host/results.

        A file is made when there is none. Raises UsageError for a URL nobody understands.
        """
        self.where = where
        try:
            url = make_url(where) if "://" in where else sa.URL.create("sqlite", database=where)
            self._engine = sa.create_engine(url, **_arguments(url))
        except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ImportError) as error:
            raise UsageError(
                f"--results {where}: {error}", fix="name a file, or a URL of a database"
            ) from None
        if url.get_backend_name() == "sqlite":
            event.listen(self._engine, "connect", _durable)
        self._set_up()

    def add(self, result: Result) -> bool:
        """Write a result in one transaction; False when there is a final one for the same already.

        One that is not final takes the place of the last such.
        """
        row = {name: value for name, value in vars(result).items() if name != "id"}
        row["status"] = result.status.value
        row["graded"] = result.graded or datetime.now(UTC).isoformat(timespec="seconds")
        with self._transaction() as database:
            database.execute(
                sa.delete(_RESULTS).where(
                    _RESULTS.c.learner == result.learner,
                    _RESULTS.c.exercise == result.exercise,
                    _RESULTS.c.submission == result.submission,
                    _RESULTS.c.status.in_([Verdict.ERROR.value, Verdict.REFUSED.value]),
                )
            )
            try:
                with database.begin_nested():
                    database.execute(sa.insert(_RESULTS).values(row))
            except sa.exc.IntegrityError:
                return False
        return True

    def last(self, learner: str, exercise: str, submission: str) -> Result | None:
        """The last final result of these files, whatever version of the exercise it is of."""
        wanted = (
            sa.select(_RESULTS)
            .where(
                _RESULTS.c.learner == learner,
                _RESULTS.c.exercise == exercise,
                _RESULTS.c.submission == submission,
                _RESULTS.c.status.in_([Verdict.PASSED.value, Verdict.FAILED.value]),
            )
            .order_by(_RESULTS.c.id.desc())
            .limit(1)
        )
        with self._transaction() as database:
            row = database.execute(wanted).mappings().first()
        return _result(row) if row is not None else None

    def results(self, exercise: str = "", *, reports: bool = True) -> Iterator[Result]:
        """Every result in the order in which they were written; without `reports`, quicker."""
        columns = [c for c in _RESULTS.c if reports or c.name != "report"]
        wanted = sa.select(*columns).order_by(_RESULTS.c.id)
        if exercise:
            wanted = wanted.where(_RESULTS.c.exercise == exercise)
        with self._transaction() as database:
            for row in database.execution_options(yield_per=200).execute(wanted).mappings():
                yield _result(row)

    def get(self, number: int) -> Result | None:
        """The result with this id."""
        wanted = sa.select(_RESULTS).where(_RESULTS.c.id == number)
        with self._transaction() as database:
            row = database.execute(wanted).mappings().first()
        return _result(row) if row is not None else None

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _set_up(self) -> None:
        if self._engine.url.get_backend_name() == "sqlite" and self._engine.url.database:
            folder = Path(self._engine.url.database).parent
            if not folder.is_dir():
                raise UsageError(f"--results: there is no folder {folder}", fix=f"mkdir {folder}")
        with self._transaction() as database:
            _META.create_all(database)
            version = database.execute(sa.select(sa.func.max(_SCHEMA.c.version))).scalar()
            if version is None:
                with contextlib.suppress(sa.exc.IntegrityError), database.begin_nested():
                    database.execute(sa.insert(_SCHEMA).values(version=SCHEMA_VERSION))
            elif version != SCHEMA_VERSION:
                raise RecordError(
                    f"{self.where} was written by another version of grader",
                    fix="update grader, or name another file with --results",
                )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as database:
                yield database
        except sa.exc.OperationalError as error:
            raise RecordError(
                f"{self.where}: {error.orig}",
                fix="results written so far are kept; mend it, and give the same command again",
            ) from error
        except sa.exc.DatabaseError as error:
            raise RecordError(
                f"{self.where} cannot be used: {error.orig}", fix="name another with --results"
            ) from error


def final(result: Result) -> bool:
    """Whether the submission was graded."""
    return result.status in (Verdict.PASSED, Verdict.FAILED)


def _arguments(url: sa.URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": PATIENCE}}
    return {"pool_pre_ping": True}


def _durable(connection: Any, _record: object) -> None:
    """Readers and one writer at a time; what was committed outlives a crash of the machine."""
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _result(row: Any) -> Result:
    values = {name: row[name] for name in row if name in Result.__dataclass_fields__}
    return Result(**{**values, "status": Verdict(row["status"])})
