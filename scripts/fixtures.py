"""Print docs/fixtures.md: what hidden tests may use, from the docstrings of the judge's source.

scripts/fixtures.py > docs/fixtures.md
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from grader.judge import plugin
from grader.judge.certificates import Authority
from grader.judge.gateway import Link
from grader.judge.handlers import HttpServer, Request
from grader.judge.interpreter import Caught, Handle, Interpreter
from grader.judge.programs import Process
from grader.judge.psql import Answer, Psql, SqlError
from grader.judge.recording import Seen
from grader.judge.replicas import Replicas
from grader.judge.repository import Commit, Object, Repo
from grader.judge.result import Result
from grader.judge.run import Learner, Run
from grader.judge.servers import Server
from grader.judge.services.database import Postgres
from grader.judge.services.mongodb import Mongo
from grader.judge.services.redis import Redis
from grader.judge.solution import Solution
from grader.judge.together import Together
from grader.judge.websocket import WebSocket
from grader.judge.world import Served, World

INTRODUCTION = """\
# What hidden tests may use

This page is made from the source: `make docs` writes it. How tests are written is in
[authoring.md](authoring.md).

Every fixture is as new for each check: processes, files, database and cache start as they did for
the first one. Inside a class or module marked `keep` that happens once, before its first check.

A check **failed** when an assertion did not hold, and **broke** when the learner's program crashed,
timed out or met a limit: fixtures raise `Broke` by themselves, and a test does not catch it. Times
are in seconds, sizes in bytes.
"""
CALLABLE: Mapping[str, Callable[..., Any]] = {
    "eventually": plugin.eventually,
    "stays": plugin.stays,
    "award": Run.award,
    "note": Run.note,
}
"""Fixtures that are functions."""
CLASSES: Mapping[str, type] = {
    "solution": Solution,
    "postgres": Postgres,
    "psql": Psql,
    "redis": Redis,
    "mongodb": Mongo,
    "learner": Learner,
    "together": Together,
    "world": World,
}
"""Fixtures that are objects with methods of ours."""
PLAIN = frozenset({"reference", "rng", "seed"})
"""Fixtures whose docstring says all."""
GIVEN: Mapping[str, tuple[tuple[str, str, type], ...]] = {
    "solution": (
        ("handle", "`solution.new` gives a handle", Handle),
        ("process", "`solution.process` gives another interpreter", Interpreter),
        ("caught", "`with solution.raises(...) as caught`", Caught),
        ("result", "`solution.run` gives a result", Result),
        ("repo", "`solution.git` gives a repository", Repo),
        ("commit", "`repo.commit` and `repo.log` give commits", Commit),
        ("object", "`repo.objects` holds objects", Object),
        ("proc", "`solution.start` gives a process", Process),
        ("server", "`solution.serve` gives a server: a process, and", Server),
        ("replicas", "With `replicas=`, a sequence of processes or servers, and", Replicas),
        ("ws", "`server.ws` gives a WebSocket", WebSocket),
    ),
    "postgres": (
        ("link", "`postgres.link`, and that of each service: the learner's way to it", Link),
        ("seen", "`with link.record() as seen`", Seen),
    ),
    "world": (
        ("served", "`world.tcp` and `world.udp` give what is served", Served),
        ("site", "`world.serve` gives an HTTP server", HttpServer),
        ("request", "What a handler gets", Request),
        ("authority", "`world.authority`", Authority),
    ),
    "psql": (
        ("answer", "`psql.file` and `psql.statement` give an answer", Answer),
        ("error", "`answer.error`", SqlError),
    ),
}
"""What else a test gets in its hands: its name in examples, where it comes from, what it is."""
OURS: Mapping[type, frozenset[str]] = {
    Solution: frozenset({"attach", "load", "reset", "printed", "crashed", "printed_too"}),
    Interpreter: frozenset({"ask"}),
    Process: frozenset({"wait_ready", "ended", "report", "close"}),
    Server: frozenset({"close", "forward", "kill"}),
    Postgres: frozenset({"open_ahead", "close"}),
    Link: frozenset({"close", "open", "listen", "admit", "carry", "requested"}),
    Seen: frozenset({"add"}),
    WebSocket: frozenset({"what"}),
    HttpServer: frozenset({"talk", "answer", "served"}),
    World: frozenset({"greet", "withdraw", "failed", "close"}),
}
"""Public for the runtime only."""


def page() -> str:
    parts = [INTRODUCTION]
    for name, function in vars(plugin.Plugin).items():
        if _is_fixture(function):
            parts += _fixture(name, inspect.getdoc(_function(function)) or "")
    return "\n".join(parts).rstrip() + "\n"


def _is_fixture(value: object) -> bool:
    return type(value).__name__ == "FixtureFunctionDefinition"


def _function(fixture: Any) -> Callable[..., Any]:
    function: Callable[..., Any] = fixture._get_wrapped_function()
    return function


def _fixture(name: str, said: str) -> Iterator[str]:
    yield f"\n## {name}\n"
    if name in CALLABLE:
        function = CALLABLE[name]
        yield f"`{name}{_signature(function)}`\n"
        yield _told(function, name)
        return
    if name not in CLASSES and name not in PLAIN:
        raise SystemExit(f"scripts/fixtures.py does not know what kind of fixture {name} is")
    yield _words(said)
    if name in CLASSES:
        yield from _members(name, CLASSES[name])
    for variable, where, kind in GIVEN.get(name, ()):
        yield f"\n### {where}\n"
        yield _told(kind, kind.__name__)
        yield from _members(variable, kind)


def _members(variable: str, kind: type) -> Iterator[str]:
    listed = list(_lines(variable, kind))
    if listed:
        yield ""
        yield from listed


def _lines(variable: str, kind: type) -> Iterator[str]:
    hidden = OURS.get(kind, frozenset())
    if is_dataclass(kind):
        names = ", ".join(f"`{variable}.{one.name}`" for one in fields(kind) if one.name[0] != "_")
        if names:
            yield f"- {names}"
    for name, value in vars(kind).items():
        if name in hidden or (name.startswith("_") and name != "__call__"):
            continue
        if isinstance(value, property):
            yield f"- `{variable}.{name}`: {_told(value.fget, f'{kind.__name__}.{name}')}"
        elif inspect.isfunction(value):
            called = variable if name == "__call__" else f"{variable}.{name}"
            if name == "__call__":
                told = _words(inspect.getdoc(kind) or "")
            else:
                told = _told(value, f"{kind.__name__}.{name}")
            yield f"- `{called}{_signature(value)}`: {told}"


def _told(thing: Any, name: str) -> str:
    text = inspect.getdoc(thing)
    if not text:
        raise SystemExit(f"{name} has no docstring: hidden tests may use it")
    return _words(text)


def _words(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _signature(function: Callable[..., Any]) -> str:
    """`(target, *args, timeout=5)`: names and defaults, without types."""
    signature = inspect.signature(function)
    bare = [
        one.replace(annotation=inspect.Parameter.empty)
        for one in signature.parameters.values()
        if one.name != "self"
    ]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))


if __name__ == "__main__":
    sys.stdout.write(page())
