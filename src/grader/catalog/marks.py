"""Reads `@pytest.mark.check(...)` from source, without running it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from grader.catalog.words import nearest
from grader.errors import Problem
from grader.model.exercise import SHOW_LEVELS

KEYWORDS = ("task", "points", "needs", "show", "hint", "seconds", "reveal_after")
"""What the mark takes, in the order of its positional arguments."""

LARGEST = 1_000_000
"""Points, seconds and tries, at most: sums of them stay numbers that can be printed."""


@dataclass(frozen=True)
class CheckMark:
    """The usable values of one mark, each with its line; keys with a problem are absent."""

    line: int
    values: Mapping[str, object]
    lines: Mapping[str, int]
    given: frozenset[str]
    """Every keyword that was written, also those with a problem."""


def mark_name(node: ast.expr) -> str:
    """`check` for `pytest.mark.check` or `mark.check(...)`; empty when it is no pytest mark."""
    target = node.func if isinstance(node, ast.Call) else node
    if not isinstance(target, ast.Attribute):
        return ""
    owner = target.value
    is_mark = (isinstance(owner, ast.Name) and owner.id == "mark") or (
        isinstance(owner, ast.Attribute)
        and owner.attr == "mark"
        and isinstance(owner.value, ast.Name)
        and owner.value.id == "pytest"
    )
    return target.attr if is_mark else ""


def read_mark(node: ast.expr, file: str) -> tuple[CheckMark, list[Problem]]:
    """The values of a check mark and everything wrong in it."""
    problems: list[Problem] = []
    values: dict[str, object] = {}
    lines: dict[str, int] = {}
    given: set[str] = set()
    arguments, wrong = _arguments(node, file)
    problems += wrong
    for name, expression in arguments:
        given.add(name)
        try:
            value = ast.literal_eval(expression)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            problems.append(
                Problem(
                    file=file,
                    line=expression.lineno,
                    message=f"'{name}' of the check mark is not a literal value",
                    fix="write the value itself: it is read without running the file",
                )
            )
            continue
        complaint = _RULES[name](value)
        if complaint:
            problems.append(
                Problem(file=file, line=expression.lineno, message=f"{name}: {complaint}")
            )
            continue
        values[name] = value
        lines[name] = expression.lineno
    return CheckMark(node.lineno, values, lines, frozenset(given)), problems


def _arguments(node: ast.expr, file: str) -> tuple[list[tuple[str, ast.expr]], list[Problem]]:
    if not isinstance(node, ast.Call):
        return [], []
    problems: list[Problem] = []
    found: list[tuple[str, ast.expr]] = []
    if len(node.args) > len(KEYWORDS) or any(isinstance(a, ast.Starred) for a in node.args):
        problems.append(_unreadable(node, file))
    else:
        found += zip(KEYWORDS, node.args, strict=False)
    for keyword in node.keywords:
        if keyword.arg is None:
            problems.append(_unreadable(node, file))
        elif keyword.arg not in KEYWORDS:
            problems.append(
                Problem(
                    file=file,
                    line=keyword.value.lineno,
                    message=f"unknown keyword '{keyword.arg}' of the check mark",
                    fix=nearest(keyword.arg, KEYWORDS),
                )
            )
        else:
            found.append((keyword.arg, keyword.value))
    return found, problems


def _unreadable(node: ast.expr, file: str) -> Problem:
    return Problem(
        file=file,
        line=node.lineno,
        message="the arguments of the check mark cannot be read without running the file",
        fix="write them as task=..., points=...",
    )


def _shown(value: object) -> str:
    """Short, and never raising: `0xfff...` may be a number that Python refuses to print."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        text = f"a very large {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "..."


def _number(value: object) -> str:
    if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
        return f"must be a number above 0, is {_shown(value)}"
    return "" if value <= LARGEST else f"must be at most {LARGEST}, is {_shown(value)}"


def _text(value: object) -> str:
    if isinstance(value, str) and value.strip():
        return ""
    return f"must be a text, is {_shown(value)}"


def _names(value: object) -> str:
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return ""
    return f"must be a list of check names, is {_shown(value)}"


def _level(value: object) -> str:
    if value is None or value in SHOW_LEVELS:
        return ""
    return f"must be {', '.join(SHOW_LEVELS[:-1])} or {SHOW_LEVELS[-1]}, is {_shown(value)}"


def _tries(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        return f"must be a whole number above 0, is {_shown(value)}"
    return _number(value)


_RULES: Mapping[str, Callable[[object], str]] = {
    "task": _text,
    "points": _number,
    "needs": _names,
    "show": _level,
    "hint": lambda value: "" if value is None else _text(value),
    "seconds": _number,
    "reveal_after": _tries,
}
