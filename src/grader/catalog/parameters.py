"""Reads `@pytest.mark.parametrize(...)` from source: check ids must be the same on every seed."""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.catalog.marks import mark_name, read_mark
from grader.catalog.words import nearest
from grader.errors import Problem

Constants = Mapping[str, ast.expr]
"""Module-level names that are assigned a literal, once."""

MOST = 1000
"""Checks that one function may be through its parameters."""
_FIX = "give ids=[...] as literals, so that an id never depends on the seed"


@dataclass(frozen=True)
class Parameters:
    """`ids` are the names between the brackets; None when only pytest can tell them."""

    ids: tuple[str, ...] | None
    problems: tuple[Problem, ...]


def constants(tree: ast.Module) -> dict[str, ast.expr]:
    """Names assigned exactly once, at the top of the module, a literal."""
    found: dict[str, ast.expr] = {}
    repeated: set[str] = set()
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case _:
                continue
        if name in found:
            repeated.add(name)
        found[name] = value
    return {
        name: value
        for name, value in found.items()
        if name not in repeated and _literal(value, {}) is not None
    }


def read_parameters(
    marks: Sequence[ast.expr], known: Constants, tasks: frozenset[str] | None, file: str
) -> Parameters:
    """The ids that all `parametrize` marks of one function make together, and their problems."""
    problems: list[Problem] = []
    columns: list[list[str] | None] = []
    for mark in reversed(marks):  # pytest names the innermost mark first
        ids, wrong = _one(mark, known, file)
        columns.append(ids)
        problems += wrong
        problems += _marks_of_params(mark, known, tasks, file)
    if any(column is None for column in columns):
        return Parameters(None, tuple(problems))
    known_columns = [column for column in columns if column is not None]
    if math.prod(len(column) for column in known_columns) > MOST:
        message = f"the parametrize marks make more than {MOST} checks of one function"
        problems.append(Problem(file=file, line=marks[0].lineno, message=message))
        return Parameters(None, tuple(problems))
    combined = ["-".join(parts) for parts in itertools.product(*known_columns)]
    # pytest numbers equal ids; which number goes where is its own business
    unique = tuple(combined) if len(set(combined)) == len(combined) else None
    return Parameters(unique, tuple(problems))


def _one(mark: ast.expr, known: Constants, file: str) -> tuple[list[str] | None, list[Problem]]:
    arguments = _arguments(mark)
    names, rows = arguments.get("argnames"), _resolved(arguments.get("argvalues"), known)
    ids = _resolved(arguments.get("ids"), known)
    if ids is not None and not (isinstance(ids, ast.Constant) and ids.value is None):
        found = _literal(ids, known)
        if isinstance(found, ast.List | ast.Tuple):
            texts = [item.value for item in found.elts if isinstance(item, ast.Constant)]
            if all(isinstance(text, str) for text in texts):
                return [str(text) for text in texts], []
            return None, []
        return None, [_unstable(mark, file, "its ids are computed")]
    if not isinstance(rows, ast.List | ast.Tuple):
        return None, [_unstable(mark, file, "its values are computed")]
    width = _width(names)
    result: list[str | None] = []
    problems = []
    for row in rows.elts:
        label = _param_id(row)
        if isinstance(label, ast.Constant) and isinstance(label.value, str):
            result.append(label.value)
        elif label is not None and not isinstance(label, ast.Constant):
            problems.append(_unstable(label, file, "an id is computed"))
        elif _literal(_bare(row), known) is None:
            problems.append(_unstable(row, file, "a value is computed"))
        else:
            result.append(None if width is None else _automatic_id(_bare(row), width))
    if problems or any(label is None for label in result):
        return None, problems[:1]
    return [str(label) for label in result], []


def _arguments(mark: ast.expr) -> dict[str, ast.expr]:
    if not isinstance(mark, ast.Call):
        return {}
    found = dict(zip(("argnames", "argvalues", "indirect", "ids"), mark.args, strict=False))
    found.update({keyword.arg: keyword.value for keyword in mark.keywords if keyword.arg})
    return found


def _unstable(node: ast.expr, file: str, why: str) -> Problem:
    return Problem(
        file=file,
        line=node.lineno,
        message=f"the ids of this parametrize could depend on the seed: {why}",
        fix=_FIX,
    )


def _resolved(node: ast.expr | None, known: Constants) -> ast.expr | None:
    return known.get(node.id, node) if isinstance(node, ast.Name) else node


def _literal(node: ast.expr, known: Constants) -> ast.expr | None:
    """The node when its value is written out in the source, through module constants."""
    node = _resolved(node, known) or node
    match node:
        case ast.Constant():
            return node
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=ast.Constant()):
            return node
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return node if all(_literal(item, known) is not None for item in items) else None
        case ast.Dict(keys=keys, values=values):
            parts = [*keys, *values]
            fixed = all(part is not None and _literal(part, known) is not None for part in parts)
            return node if fixed else None
        case ast.Call() if _is_param(node):
            fixed = all(_literal(argument, known) is not None for argument in node.args)
            return node if fixed else None
        case _:
            return None


def _is_param(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call):
        return False
    target = node.func
    return (isinstance(target, ast.Attribute) and target.attr == "param") or (
        isinstance(target, ast.Name) and target.id == "param"
    )


def _param_id(row: ast.expr) -> ast.expr | None:
    """What a `pytest.param` gives as its id, if it does."""
    if not isinstance(row, ast.Call) or not _is_param(row):
        return None
    return next((keyword.value for keyword in row.keywords if keyword.arg == "id"), None)


def _bare(row: ast.expr) -> ast.expr:
    """The value of a row: `pytest.param(1, 2)` means the tuple `(1, 2)`."""
    if isinstance(row, ast.Call) and _is_param(row):
        values = row.args
        return values[0] if len(values) == 1 else ast.copy_location(ast.Tuple(elts=values), row)
    return row


def _width(names: ast.expr | None) -> int | None:
    match names:
        case ast.Constant(value=str() as text):
            return len([name for name in text.split(",") if name.strip()])
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return len(items)
        case _:
            return None


def _automatic_id(row: ast.expr, width: int) -> str | None:
    """The id pytest makes for plain ASCII texts and numbers; None for everything else."""
    cells = row.elts if width > 1 and isinstance(row, ast.Tuple | ast.List) else [row]
    parts = []
    for cell in cells:
        try:
            value = ast.literal_eval(cell)
        except (ValueError, TypeError):  # TypeError: a list as a key
            return None
        if isinstance(value, str):
            if not value or not value.isascii() or not value.isprintable() or "\\" in value:
                return None
            parts.append(value)
        elif value is None or isinstance(value, int | float):
            if isinstance(value, int) and value.bit_length() > 1000:
                return None
            parts.append(str(value))
        else:
            return None
    return "-".join(parts)


def _marks_of_params(
    mark: ast.expr, known: Constants, tasks: frozenset[str] | None, file: str
) -> list[Problem]:
    """Check marks on single parameters override keys of the function's mark."""
    rows = _resolved(_arguments(mark).get("argvalues"), known)
    problems: list[Problem] = []
    for row in rows.elts if isinstance(rows, ast.List | ast.Tuple) else []:
        if not isinstance(row, ast.Call) or not _is_param(row):
            continue
        for keyword in row.keywords:
            if keyword.arg != "marks":
                continue
            value = keyword.value
            for item in value.elts if isinstance(value, ast.List | ast.Tuple) else [value]:
                if mark_name(item) == "check":
                    found, wrong = read_mark(item, file)
                    problems += wrong
                    problems += unknown_task(found.values.get("task"), tasks, file, item.lineno)
    return problems


def unknown_task(task: object, tasks: frozenset[str] | None, file: str, line: int) -> list[Problem]:
    """A problem when `task` is no task of the exercise; `tasks` None means: not known."""
    if tasks is None or not isinstance(task, str) or task in tasks:
        return []
    message = f"unknown task '{task}'"
    return [Problem(file=file, line=line, message=message, fix=nearest(task, tasks))]
