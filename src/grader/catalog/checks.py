"""Finds the checks of an exercise in the source of its hidden tests, which is never run here."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.catalog.marks import CheckMark, mark_name, read_mark
from grader.catalog.parameters import constants, read_parameters, unknown_task
from grader.catalog.words import nearest
from grader.errors import Problem
from grader.model.exercise import CheckDeclaration

_TOO_DEEP = "is nested too deeply to be read"
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class FoundCheck:
    """A check and the ids of its parameters: empty without any, None when not knowable here."""

    declaration: CheckDeclaration
    parameters: tuple[str, ...] | None
    needs_line: int

    def answers_to(self, name: str) -> bool:
        """Whether `name` (`test_x` or `test_x[id]`) is this check or one parameter of it."""
        base, bracket, rest = name.partition("[")
        if base != self.declaration.name:
            return False
        if not bracket or self.parameters is None:
            return True
        return rest.removesuffix("]") in self.parameters


@dataclass(frozen=True)
class FoundChecks:
    """The checks in file order. `complete` is false when a file could not be read as Python."""

    checks: tuple[FoundCheck, ...]
    problems: tuple[Problem, ...]
    complete: bool


def find_checks(sources: Mapping[str, str], tasks: Collection[str] | None) -> FoundChecks:
    """The checks in `sources` (file name -> text), and everything wrong with them.

    `tasks` are the ids of the exercise's tasks; None when they are not known.
    """
    known_tasks = None if tasks is None else frozenset(tasks)
    found: list[FoundCheck] = []
    problems: list[Problem] = []
    complete = True
    for file, text in sources.items():
        tree, invalid = _parsed(text, file)
        if tree is None:
            complete = False
            problems += invalid
            continue
        try:
            checks, wrong = _checks_of(tree, known_tasks, file)
        except RecursionError:
            complete = False
            problems.append(Problem(file=file, message=_TOO_DEEP))
            continue
        found += checks
        problems += wrong
    problems += _repeated(found)
    problems += _needs(found) if complete else []
    problems += _cycles(found)
    return FoundChecks(tuple(found), tuple(problems), complete)


def _parsed(text: str, file: str) -> tuple[ast.Module | None, list[Problem]]:
    try:
        with warnings.catch_warnings(action="ignore"):  # of "\d" and the like: pytest tells these
            return ast.parse(text, filename=file), []
    except SyntaxError as error:
        line, said = error.lineno or 0, error.msg
    except ValueError as error:
        line, said = 0, str(error)
    except (RecursionError, MemoryError):  # the parser's own word for too many levels
        return None, [Problem(file=file, message=_TOO_DEEP)]
    return None, [Problem(file=file, line=line, message=f"is not valid Python: {said}")]


def _checks_of(
    tree: ast.Module, tasks: frozenset[str] | None, file: str
) -> tuple[list[FoundCheck], list[Problem]]:
    """The checks of one file. Raises RecursionError."""
    known = constants(tree)
    found: list[FoundCheck] = []
    problems: list[Problem] = []
    for function, outer in _functions(tree.body, ()):
        check, wrong = _read(function, outer, known, tasks, file)
        found.append(check)
        problems += wrong
    return found, problems


def _functions(
    body: Sequence[ast.stmt], outer: tuple[ast.expr, ...]
) -> Iterator[tuple[_Function, tuple[ast.expr, ...]]]:
    """Every test function, and the decorators of the classes around it."""
    for statement in body:
        if isinstance(statement, _Function):
            if statement.name.startswith("test_"):
                yield statement, outer
        elif isinstance(statement, ast.ClassDef):
            yield from _functions(statement.body, (*outer, *statement.decorator_list))
        else:
            for block in ("body", "orelse", "finalbody"):
                inner = getattr(statement, block, [])
                yield from _functions(inner, outer) if isinstance(inner, list) else ()


def _read(
    function: _Function,
    outer: tuple[ast.expr, ...],
    known: Mapping[str, ast.expr],
    tasks: frozenset[str] | None,
    file: str,
) -> tuple[FoundCheck, list[Problem]]:
    name, line = function.name, function.lineno
    problems: list[Problem] = []
    marks = [node for node in function.decorator_list if mark_name(node) == "check"]
    mark = CheckMark(line, {}, {}, frozenset())
    if not marks:
        fix = "put @pytest.mark.check(task=..., points=...) on it"
        problems.append(Problem(file=file, line=line, message=f"{name} has no check mark", fix=fix))
    else:
        mark, wrong = read_mark(marks[0], file)
        problems += wrong
        if "task" not in mark.given:
            message = f"the check mark of {name} has no task"
            problems.append(Problem(file=file, line=mark.line, message=message))
    for extra in marks[1:]:
        message = f"{name} has more than one check mark"
        problems.append(Problem(file=file, line=extra.lineno, message=message))
    title = (ast.get_docstring(function) or "").strip().partition("\n")[0].strip()
    if not title:
        fix = "its first line is the title that the learner sees"
        problems.append(Problem(file=file, line=line, message=f"{name} has no docstring", fix=fix))
    task = mark.values.get("task")
    problems += unknown_task(task, tasks, file, mark.lines.get("task", line))
    stacked = [node for node in (*outer, *function.decorator_list) if _is_parametrize(node)]
    parameters = read_parameters(stacked, known, tasks, file)
    problems += parameters.problems
    needs = mark.values.get("needs", ())
    declaration = CheckDeclaration(
        name=name,
        task=str(task or ""),
        title=title,
        file=file,
        line=line,
        needs=tuple(needs) if isinstance(needs, list | tuple) else (),
    )
    ids = parameters.ids if stacked else ()
    return FoundCheck(declaration, ids, mark.lines.get("needs", line)), problems


def _is_parametrize(node: ast.expr) -> bool:
    return mark_name(node) == "parametrize"


def _repeated(found: Sequence[FoundCheck]) -> list[Problem]:
    first: dict[str, CheckDeclaration] = {}
    problems = []
    for check in found:
        here = check.declaration
        seen = first.setdefault(here.name, here)
        if seen is not here:
            message = f"the check name {here.name} is taken, by {seen.file}:{seen.line}"
            fix = "names are unique in an exercise"
            problems.append(Problem(file=here.file, line=here.line, message=message, fix=fix))
    return problems


def unknown_check(name: str, found: Sequence[FoundCheck]) -> str | None:
    """None when `name` is a check of the exercise; else the nearest names, which may be none."""
    if any(check.answers_to(name) for check in found):
        return None
    known = {check.declaration.name for check in found}
    base, bracket, _ = name.partition("[")
    if bracket and base in known:
        ids = next(check.parameters for check in found if check.declaration.name == base) or ()
        return nearest(name, [f"{base}[{text}]" for text in ids]) or f"{base} has no parameters"
    return nearest(name, known)


def _needs(found: Sequence[FoundCheck]) -> list[Problem]:
    problems = []
    for check in found:
        here = check.declaration
        for name in here.needs:
            near = unknown_check(name, found)
            if near is not None:
                message = f"{here.name} needs '{name}', which is no check of this exercise"
                problems.append(
                    Problem(file=here.file, line=check.needs_line, message=message, fix=near)
                )
    return problems


def _cycles(found: Sequence[FoundCheck]) -> list[Problem]:
    """Each cycle of `needs` once, at the check where it begins in the file."""
    graph = {
        check.declaration.name: [name.partition("[")[0] for name in check.declaration.needs]
        for check in found
    }
    by_name = {check.declaration.name: check for check in found}
    done: set[str] = set()
    problems = []
    for start in graph:
        cycle = _cycle_from(start, graph, done)
        if cycle:
            check = by_name[cycle[0]]
            message = f"the checks need each other in a circle: {' -> '.join(cycle)}"
            problems.append(
                Problem(file=check.declaration.file, line=check.needs_line, message=message)
            )
    return problems


def _cycle_from(start: str, graph: Mapping[str, list[str]], done: set[str]) -> list[str]:
    """Depth-first from `start`; every check it finishes joins `done`."""
    trail: list[str] = []
    cycle: list[str] = []
    stack = [(start, iter(graph[start]))] if start not in done else []
    trail += [start] if stack else []
    while stack:
        name, rest = stack[-1]
        following = next((n for n in rest if n in graph and n not in done), None)
        if following is None:
            done.add(name)
            stack.pop()
            trail.pop()
        elif following in trail:
            cycle = cycle or [*trail[trail.index(following) :], following]
        else:
            trail.append(following)
            stack.append((following, iter(graph[following])))
    return cycle
