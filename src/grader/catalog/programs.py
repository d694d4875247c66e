"""Every program's keys fit its kind, and its readiness can be looked at."""

from __future__ import annotations

import re
from collections.abc import Mapping

from grader.catalog.schema import ProgramEntry, ReadyEntry
from grader.catalog.yamldoc import Document
from grader.errors import Problem
from grader.model.exercise import Program, Ready

_KINDS = {
    "serve": frozenset({"port", "ready", "stop"}),
    "daemon": frozenset({"ready", "stop"}),
    "once": frozenset[str](),
}
"""The keys that a kind takes besides `run` and `kind`."""
_PORT = Program.port
_STOP = Program.stop


def program_problems(programs: Mapping[str, ProgramEntry], document: Document) -> list[Problem]:
    """Everything wrong with the programs beyond their shape."""
    problems = []
    for name, entry in programs.items():
        for key in ("port", "ready", "stop"):
            if getattr(entry, key) is not None and key not in _KINDS[entry.kind]:
                able = " or ".join(kind for kind, keys in _KINDS.items() if key in keys)
                message = f"programs.{name}.{key}: a program of the kind '{entry.kind}' has none"
                fix = f"leave it out, or make it of the kind {able}"
                problems.append(document.problem(("programs", name, key), message, fix))
        if entry.ready is not None and "ready" in _KINDS[entry.kind]:
            problems += _ready_problems(name, entry.kind, entry.ready, document)
    return problems


def _ready_problems(name: str, kind: str, ready: ReadyEntry, document: Document) -> list[Problem]:
    where = ("programs", name, "ready")
    given = [key for key in ("http", "log", "port") if getattr(ready, key) is not None]
    if len(given) != 1:
        message = (
            f"programs.{name}.ready: takes exactly one of http, log and port, has {len(given)}"
        )
        return [document.problem(where, message, "like {http: /health}")]
    key = given[0]
    if kind != "serve" and key != "log":
        message = f"programs.{name}.ready.{key}: a program of the kind '{kind}' has no port"
        return [document.problem((*where, key), message, "wait for a line: {log: ...}")]
    if ready.port is False:
        return [document.problem((*where, key), f"programs.{name}.ready.port: can only be true")]
    if ready.log is not None:
        try:
            re.compile(ready.log)
        except (re.error, OverflowError, RecursionError) as error:
            message = f"programs.{name}.ready.log: '{ready.log}' is no regular expression: {error}"
            return [document.problem((*where, key), message)]
    return []


def program(entry: ProgramEntry) -> Program:
    """The program that an entry without problems means, its defaults filled in."""
    ready = None
    if entry.ready is not None:
        ready = Ready(http=entry.ready.http or "", log=entry.ready.log or "")
    elif entry.kind == "serve":
        ready = Ready()
    return Program(
        run=tuple(entry.run),
        kind=entry.kind,
        port=entry.port or _PORT,
        ready=ready,
        stop=_STOP if entry.stop is None else entry.stop,
    )
