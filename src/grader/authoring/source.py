"""The source of a hidden test, for its author."""

from __future__ import annotations

import ast
from pathlib import Path

from grader.catalog.paths import read_text
from grader.model.exercise import CheckDeclaration, Exercise


def declaration(exercise: Exercise, check: str) -> CheckDeclaration | None:
    """The test function that a check id belongs to."""
    name = check.partition("[")[0]
    return next((one for one in exercise.checks if one.name == name), None)


def source_of(check: CheckDeclaration) -> tuple[int, list[str]]:
    """The first line's number, and the lines of the test with its decorators.

    Nothing when the file cannot be read any more.
    """
    text, _ = read_text(Path(check.file))
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return check.line, []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.lineno == check.line:
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            return first, text.splitlines()[first - 1 : node.end_lineno]
    return check.line, []
