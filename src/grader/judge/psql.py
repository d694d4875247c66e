"""The `psql` fixture: SQL as the learner would type it, run by psql in the sandbox.

The learner's SQL logs in as the learner and never runs in a session of the judge's own. What comes
back is text of bounded size: the sandbox caps what a process may print.
"""

from __future__ import annotations

import base64
import csv
import io
import re
import secrets
from dataclasses import dataclass
from typing import Any

from grader.judge.client import broken
from grader.judge.errors import Broke
from grader.judge.solution import Solution

LONGEST = 100_000
"""Bytes of SQL that psql is given at once: one argument of a process holds 131071."""
_ARGV = ("psql", "-X", "-q", "--csv", "-v", "ON_ERROR_STOP=1", "-v", "SHOW_ALL_RESULTS=off")
_ERROR = re.compile(r"^(?:ERROR|FATAL|PANIC):  ([0-9A-Z]{5}): ")
_CODE = re.compile(r"^([A-Z]+:  )[0-9A-Z]{5}: ")
_LINE = re.compile(r"^LINE ([0-9]{1,7}): ")
_FIELD = re.compile(r"^(DETAIL|HINT|QUERY|CONTEXT|LOCATION|LINE [0-9]+): ")


@dataclass(frozen=True)
class SqlError:
    """What PostgreSQL refused. `code` is the SQLSTATE (PostgreSQL documentation, appendix A)."""

    code: str
    message: str
    line: int | None = None
    """Line of the SQL that was run, from 1; None when the server names none."""


class SqlRaised(Broke):
    """PostgreSQL refused the learner's SQL."""

    def __init__(self, where: str, error: SqlError) -> None:
        place = f"{where}, line {error.line}" if error.line else where
        hint = ""
        if error.message.endswith('at or near "\\"'):
            hint = "\nA line that begins with a backslash is a command of psql, not SQL."
        super().__init__("sql", f"{place}: {error.message}{hint}"[:1000])
        self.error = error


@dataclass(frozen=True)
class Answer:
    """The table that the last statement gave, as psql prints it; NULL is None."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    error: SqlError | None = None
    """Only with check=False."""


class Psql:
    """Each call is a session of its own, and what it runs is one transaction."""

    def __init__(self, solution: Solution) -> None:
        self._solution = solution

    def file(self, path: str, *, check: bool = True, timeout: float = 5) -> Answer:
        """Run a submitted file. Raises SqlRaised with the file's line, unless `check` is False."""
        text = self._solution.text(path).removeprefix("\ufeff")
        size = len(text.encode())
        assert size <= LONGEST, f"{path} has {size} bytes; more than {LONGEST} are not run"
        assert "\0" not in text, f"{path} is not text: it has a zero byte"
        # psql would take a backslash in front for a command of its own.
        return self._ask(f" {text}" if text.startswith("\\") else text, path, check, timeout)

    def statement(self, sql: str, *, check: bool = True, timeout: float = 5) -> Answer:
        """Run a statement of the test's own, which meets what the learner made."""
        return self._ask(sql, f"`{sql[:200]}`", check, timeout)

    def _ask(self, sql: str, where: str, check: bool, timeout: float) -> Answer:
        null = secrets.token_hex(8)  # not known before, so no text can look like NULL
        argv = [*_ARGV, "-v", "VERBOSITY=verbose", "-P", f"null={null}", "-c", sql]
        code, out, err = self._run(argv, where, timeout)
        if code == 0:
            return _table(out, null)
        error = _error(err)
        if error is None:
            raise Broke("exit", f"{where}: psql ended with exit code {code}.")
        if check:
            raise SqlRaised(where, error)
        return Answer(error=error)

    def _run(self, argv: list[str], where: str, timeout: float) -> tuple[int, str, str]:
        reply = self._solution.client.request(
            "run", within=timeout, argv=argv, stdin="", env={}, files={}, timeout=timeout
        )
        out, err = (_text(reply.get(stream, "")) for stream in ("stdout", "stderr"))
        self._solution.printed_too(_as_usual(err))
        if "broke" in reply:
            raise broken(reply, where, timeout)
        code = reply.get("code")
        if not isinstance(code, int):
            raise Broke("answer", "The sandbox sent what cannot be read.")
        return code, out, err


def _text(value: Any) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "replace")
    except (TypeError, ValueError):
        raise Broke("answer", "The sandbox sent what cannot be read.") from None


def _as_usual(err: str) -> str:
    """psql's messages as a person sees them: without codes and places in PostgreSQL's source."""
    lines = [_CODE.sub(r"\1", line) for line in err.splitlines() if line[:10] != "LOCATION: "]
    return "\n".join(lines)


def _error(err: str) -> SqlError | None:
    """The first error among psql's messages (VERBOSITY is verbose)."""
    lines = err.splitlines()
    for number, line in enumerate(lines):
        if found := _ERROR.match(line):
            rest = lines[number + 1 :]
            more = next((n for n, one in enumerate(rest) if _FIELD.match(one)), len(rest))
            message = "\n".join([line[found.end() :], *rest[:more]])
            place = _LINE.match(rest[more]) if more < len(rest) else None
            inside = any(one.startswith("QUERY: ") for one in rest)  # of a function, not of ours
            where = int(place[1]) if place and not inside else None
            return SqlError(found[1], message[:2000], where)
    return None


def _table(out: str, null: str) -> Answer:
    try:
        lines = list(csv.reader(io.StringIO(out, newline=""), strict=True))
    except csv.Error as error:
        raise AssertionError(f"the answer cannot be read: {error}") from None
    if not lines:
        return Answer()
    # A row of one empty text is an empty line.
    rows = [[None if cell == null else cell for cell in line or [""]] for line in lines]
    columns, *others = rows
    return Answer(tuple(str(name) for name in columns), tuple(map(tuple, others)))
