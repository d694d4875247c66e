"""What psql prints in the sandbox, and what a hidden test gets of it."""

from __future__ import annotations

import base64
import io
import tarfile
from typing import Any

import pytest

from grader.judge.errors import Broke, SandboxLost
from grader.judge.forward import Forwards
from grader.judge.psql import LONGEST, Answer, Psql, SqlRaised
from grader.judge.solution import Solution

SYNTAX = """\
NOTICE:  00000: something first
LOCATION:  exec_stmt_raise, pl_exec.c:3897
ERROR:  42703: column "foo" does not exist
LINE 3: select foo
               ^
HINT:  Perhaps you meant bar.
LOCATION:  errorMissingColumn, parse_relation.c:3716
"""
INSIDE = """\
ERROR:  42P01: relation "nowhere" does not exist
LINE 1: SELECT 1 FROM nowhere
                      ^
QUERY:  SELECT 1 FROM nowhere
CONTEXT:  PL/pgSQL function f() line 3 at PERFORM
LOCATION:  parserOpenTable, parse_relation.c:1449
"""


class Client:
    """An agent that answers every request with the same reply, and NULL as it was asked to."""

    def __init__(self, reply: dict[str, Any], out: str, err: str) -> None:
        self.reply = reply
        self.out = out
        self.err = err
        self.argv: list[str] = []

    def request(self, op: str, **body: Any) -> dict[str, Any]:
        if op == "tail":
            return {"text": ""}
        self.argv = body["argv"]
        null = next(one for one in self.argv if one.startswith("null=")).removeprefix("null=")
        streams = {"stdout": self.out.replace("<NULL>", null), "stderr": self.err}
        coded = {name: base64.b64encode(text.encode()).decode() for name, text in streams.items()}
        return {**coded, **self.reply}


def psql(
    files: dict[str, bytes] | None = None,
    out: str = "",
    err: str = "",
    **reply: Any,
) -> tuple[Psql, Client, Solution]:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in (files or {}).items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    solution = Solution(buffer.getvalue(), {}, Forwards())
    client = Client({"code": 0, **reply}, out, err)
    solution.client = client  # type: ignore[assignment]  # a stand-in for the sandbox's agent
    return Psql(solution), client, solution


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        ("", Answer()),
        ("a,b\n", Answer(("a", "b"))),
        ("a,b\n1,<NULL>\n", Answer(("a", "b"), (("1", None),))),
        ('a\n"x,y"\n"say ""hi"""\n', Answer(("a",), (("x,y",), ('say "hi"',)))),
        ('a\n"two\nlines"\n', Answer(("a",), (("two\nlines",),))),
        ("a\n\nz\n", Answer(("a",), (("",), ("z",)))),
        ("NULL\nNULL\n", Answer(("NULL",), (("NULL",),))),
    ],
)
def test_the_table_of_the_last_statement(out: str, expected: Answer) -> None:
    """Text stays as it was, NULL is None, and an empty text is no missing line."""
    assert psql(out=out)[0].statement("SELECT") == expected


def test_a_file_is_run_as_it_was_handed_in() -> None:
    """As one argument, without the mark that some editors put in front."""
    runner, client, _ = psql({"queries/a.sql": "\ufeffSELECT 'ö';\n".encode()})
    runner.file("queries/a.sql")
    assert client.argv[0] == "psql"
    assert client.argv[-2:] == ["-c", "SELECT 'ö';\n"]


def test_a_command_in_front_is_sql_like_the_rest() -> None:
    """Not even the first line of a file reaches psql as one of its own commands."""
    runner, client, _ = psql({"a.sql": b"\\! ls"})
    runner.file("a.sql")
    assert client.argv[-1] == " \\! ls"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"SELECT '\xff'", "not UTF-8"),
        (b"SELECT 1\0", "zero byte"),
        (b"-" * (LONGEST + 1), "100001 bytes"),
    ],
)
def test_a_file_that_cannot_be_run_fails(content: bytes, said: str) -> None:
    """The check fails with a sentence; nothing is sent."""
    runner, client, _ = psql({"a.sql": content})
    with pytest.raises(AssertionError, match=said):
        runner.file("a.sql")
    assert client.argv == []


def test_a_missing_file_fails() -> None:
    """As everywhere: the check fails and names the file."""
    with pytest.raises(AssertionError, match=r"'a\.sql' was not handed in"):
        psql()[0].file("a.sql")


def test_refused_sql_names_the_line() -> None:
    """File, line and PostgreSQL's sentence; below, psql's own words without codes and sources."""
    runner, _, solution = psql({"a.sql": b"x"}, err=SYNTAX, code=1)
    with pytest.raises(SqlRaised) as caught:
        runner.file("a.sql")
    assert caught.value.reason == "sql"
    assert caught.value.message == 'a.sql, line 3: column "foo" does not exist'
    assert caught.value.error.code == "42703"
    told = solution.printed().splitlines()
    assert told[:2] == ["NOTICE:  something first", 'ERROR:  column "foo" does not exist']
    assert told[-1] == "HINT:  Perhaps you meant bar."


def test_a_line_inside_a_function_is_not_one_of_the_file() -> None:
    """There the server counts the lines of the statement inside; the context tells where it is."""
    runner, _, solution = psql(err=INSIDE, code=1)
    with pytest.raises(SqlRaised) as caught:
        runner.statement("SELECT f()")
    assert caught.value.message == '`SELECT f()`: relation "nowhere" does not exist'
    assert "PL/pgSQL function f() line 3" in solution.printed()


def test_a_backslash_is_explained() -> None:
    """A command of psql in a file is a frequent mistake, and PostgreSQL's sentence is no help."""
    err = 'ERROR:  42601: syntax error at or near "\\"\nLINE 2: \\i schema.sql\n        ^\n'
    with pytest.raises(SqlRaised, match="command of psql, not SQL"):
        psql(err=err, code=1)[0].statement("x")


def test_an_error_can_be_asked_for() -> None:
    """With check=False, a refusal is an answer."""
    err = "ERROR:  P0001: too little\nsecond line\nCONTEXT:  PL/pgSQL function f()\n"
    answer = psql(err=err, code=1)[0].statement("SELECT f()", check=False)
    assert answer.error is not None
    assert (answer.error.code, answer.error.message) == ("P0001", "too little\nsecond line")
    assert (answer.columns, answer.rows, answer.error.line) == ((), (), None)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ({"broke": "timeout"}, "timeout"),
        ({"broke": "output"}, "output"),
        ({"code": 2}, "exit"),
        ({"code": "0"}, "answer"),
        ({"code": 0, "stdout": "%"}, "answer"),
        ({"code": 0, "stdout": None}, "answer"),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_other_ends_are_broke(reply: dict[str, Any], reason: str, check: bool) -> None:
    """No answer is an answer, also when an error was asked for."""
    with pytest.raises(Broke) as caught:
        psql(**reply)[0].statement("SELECT 1", check=check)
    assert caught.value.reason == reason


def test_a_lost_sandbox_is_told() -> None:
    """What the client raises goes through."""
    runner, client, _ = psql()
    client.request = lambda *_, **__: (_ for _ in ()).throw(SandboxLost("gone"))  # type: ignore[method-assign]
    with pytest.raises(SandboxLost):
        runner.statement("SELECT 1")


def test_a_table_that_is_none_fails() -> None:
    """Output that is no CSV is the learner's, and fails the check."""
    with pytest.raises(AssertionError, match="cannot be read"):
        psql(out='a\n"' + "x" * 200_000 + '"\n')[0].statement("SELECT")
