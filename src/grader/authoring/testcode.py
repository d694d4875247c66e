"""What hidden tests must not do, found in their source, which is never run here."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping

from grader.errors import Problem

CLIENTS = frozenset({"psycopg", "redis", "pymongo", "pika", "boto3"})
"""Packages whose connections are the fixtures' business."""
FIXTURES = frozenset({"solution", "reference", "postgres", "redis", "rabbitmq", "mongodb", "s3"})
_CONNECTS = (
    *("connect", "Connection", "ConnectionPool", "Redis", "StrictRedis", "from_url"),
    *("MongoClient", "BlockingConnection", "client", "resource"),
)
_UNSEEDED = frozenset({"secrets", "uuid.uuid1", "uuid.uuid4", "os.urandom", "random.SystemRandom"})


def test_problems(text: str, file: str) -> list[Problem]:
    """Everything wrong in one file of tests/. A file that is not valid Python has none here."""
    tree = _parsed(text)
    if tree is None:
        return []
    names = _imported(tree)
    return [
        problem
        for node in ast.walk(tree)
        for problem in (
            *_silent_assert(node, file),
            *_import_of_grader(node, file),
            *_private(node, file),
            *_call(node, names, file),
        )
    ]


def suspicious_waits(text: str, file: str) -> list[Problem]:
    """Pauses of a fixed length: too short on a busy machine, too long on every other one."""
    tree = _parsed(text)
    if tree is None:
        return []
    names = _imported(tree)
    fix = "wait for what should happen: eventually(...), or stays(...)"
    return [
        Problem(file=file, line=node.lineno, message="waits for a fixed time", fix=fix)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _dotted(node.func, names) == "time.sleep"
    ]


def _parsed(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings(action="ignore"):
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _imported(tree: ast.Module) -> dict[str, str]:
    """What each imported name means: `import random as r` -> {"r": "random"}."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                names[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def _dotted(node: ast.expr, names: Mapping[str, str]) -> str:
    """The full name of what is called; "" when it does not begin with something imported."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in names:
        return ""
    return ".".join([names[node.id], *reversed(parts)])


def _silent_assert(node: ast.AST, file: str) -> Iterator[Problem]:
    if isinstance(node, ast.Assert) and node.msg is None:
        message = "an assert without a message tells the learner nothing"
        fix = 'write: assert got == expected, "a sentence that helps"'
        yield Problem(file=file, line=node.lineno, message=message, fix=fix)


def _import_of_grader(node: ast.AST, file: str) -> Iterator[Problem]:
    modules: list[str] = []
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and not node.level:
        modules = [node.module or ""]
    for module in modules:
        if module.partition(".")[0] in ("grader", "_pytest"):
            message = f"imports {module}, which could act as admin"
            fix = "use the fixtures alone"
            yield Problem(file=file, line=getattr(node, "lineno", 0), message=message, fix=fix)


def _private(node: ast.AST, file: str) -> Iterator[Problem]:
    if (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in FIXTURES
        and node.attr.startswith("_")
        and not node.attr.endswith("__")
    ):
        message = f"{node.value.id}.{node.attr} is not part of the fixture and could act as admin"
        fix = "use what docs/authoring.md lists"
        yield Problem(file=file, line=node.lineno, message=message, fix=fix)


def _call(node: ast.AST, names: Mapping[str, str], file: str) -> Iterator[Problem]:
    if not isinstance(node, ast.Call):
        return
    called = _dotted(node.func, names)
    package, _, rest = called.partition(".")
    if package in CLIENTS and rest.rpartition(".")[2] in _CONNECTS:
        fixture = {"psycopg": "postgres", "pymongo": "mongodb", "pika": "rabbitmq", "boto3": "s3"}
        message = f"{called} opens a connection of its own, which could be the admin's"
        fix = f"use the fixture {fixture.get(package, package)}: it acts as the learner"
        yield Problem(file=file, line=node.lineno, message=message, fix=fix)
    elif called in ("random.Random", "random.seed") and _is_fixed(node):
        message = "a hard-coded seed gives every learner the same inputs"
        fix = "use the fixture rng"
        yield Problem(file=file, line=node.lineno, message=message, fix=fix)
    elif called in _UNSEEDED or package in _UNSEEDED or _is_unseeded(called, node):
        message = f"{called} gives inputs that --seed cannot repeat"
        fix = "use the fixture rng"
        yield Problem(file=file, line=node.lineno, message=message, fix=fix)


def _is_fixed(call: ast.Call) -> bool:
    return bool(call.args) and all(isinstance(argument, ast.Constant) for argument in call.args)


def _is_unseeded(called: str, call: ast.Call) -> bool:
    if called == "random.Random":
        return not call.args
    return called.startswith("random.")
