"""What can be said of an exercise's files without running anything.

Reading an exercise has found already what does not fit its contract (grader.catalog). Here is what
would still make it a bad exercise.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from grader import shipped
from grader.authoring.hidden import leaks
from grader.authoring.testcode import suspicious_waits, test_problems
from grader.catalog.load import CONTRACT
from grader.catalog.paths import read_text
from grader.catalog.words import nearest
from grader.catalog.yamldoc import Document, read_yaml
from grader.errors import Problem
from grader.model.exercise import Exercise

FEWEST_SHIPPED = 4
"""Mutants of an exercise that ships with grader."""
LADDER = 3
"""Hints of a task: a nudge, a pointer, nearly the answer."""
SOURCE = (".md", ".py", ".sql", ".yaml", ".yml", ".sh", ".js", ".ts", ".json", ".toml", ".html")
"""Files that people edit. Data of tests may need other line endings."""
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)[^)\n]*\)")


@dataclass(frozen=True, kw_only=True)
class Findings:
    """`problems` keep an exercise from being proven, `warnings` do not."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def contract(exercise: Exercise) -> Document:
    """`exercise.yaml` with the lines of its keys."""
    path = exercise.root / CONTRACT
    return read_yaml(read_text(path)[0], str(path))


def file_findings(exercise: Exercise, services: Collection[str]) -> Findings:
    """Everything that is wrong, or looks wrong. `services` are the names of those there are."""
    document = contract(exercise)
    problems = [
        *_services(exercise, document, services),
        *_mutants(exercise, document),
        *_hints(exercise, document),
        *_plain_files(exercise),
        *_links(exercise),
        *leaks(exercise),
    ]
    warnings = [*_ladders(exercise, document)]
    for path in sorted(exercise.tests.rglob("*.py")):
        text, unreadable = read_text(path)
        problems += [unreadable] if unreadable else test_problems(text, str(path))
        warnings += [] if unreadable else suspicious_waits(text, str(path))
    return Findings(problems=tuple(sorted(set(problems))), warnings=tuple(sorted(set(warnings))))


def _services(
    exercise: Exercise, document: Document, services: Collection[str]
) -> Iterator[Problem]:
    for name in exercise.services:
        if name not in services:
            message = f"services: there is no service '{name}'"
            yield document.problem(("services", name), message, nearest(name, services))


def _mutants(exercise: Exercise, document: Document) -> Iterator[Problem]:
    ships = exercise.root.resolve().parent == shipped.exercises().resolve()
    if ships and len(exercise.mutants) < FEWEST_SHIPPED:
        message = f"{len(exercise.mutants)} mutants; an exercise that ships with grader has "
        fix = "add wrong solutions that people really hand in"
        yield document.problem(("mutants",), f"{message}{FEWEST_SHIPPED} at least", fix)


def _hints(exercise: Exercise, document: Document) -> Iterator[Problem]:
    for number, task in enumerate(exercise.tasks):
        if not task.hints:
            message = f"the task '{task.id}' has no hints"
            fix = "give it three: a nudge, a pointer, nearly the answer"
            yield document.problem(("tasks", number), message, fix)


def _ladders(exercise: Exercise, document: Document) -> Iterator[Problem]:
    for number, task in enumerate(exercise.tasks):
        if task.hints and len(task.hints) != LADDER:
            many = f"{len(task.hints)} hint{'s' if len(task.hints) > 1 else ''}"
            message = f"the task '{task.id}' has {many}"
            fix = "three make a ladder: a nudge, a pointer, nearly the answer"
            yield document.problem(("tasks", number, "hints"), message, fix)


def _plain_files(exercise: Exercise) -> Iterator[Problem]:
    """No link anywhere, and Unix line endings in what people edit."""
    for path in sorted(exercise.root.rglob("*")):
        if path.is_symlink():
            fix = "an exercise holds plain files: put a copy there"
            yield Problem(file=str(path), message="is a symbolic link", fix=fix)
        elif path.is_file() and path.suffix in SOURCE and "__pycache__" not in path.parts:
            before, found, _ = path.read_bytes().partition(b"\r")
            if found:
                line = before.count(b"\n") + 1
                message = "has Windows line endings (CRLF)"
                fix = "save it with LF alone"
                yield Problem(file=str(path), line=line, message=message, fix=fix)


def _links(exercise: Exercise) -> Iterator[Problem]:
    """Links of the statement lead to where the learner can follow."""
    text = read_text(exercise.statement)[0]
    for number, line in enumerate(text.splitlines(), start=1):
        for target in _LINK.findall(line):
            name = target.partition("#")[0]
            if not name or "://" in name or name.startswith("mailto:"):
                continue
            if not _is_in(exercise.starter, name):
                message = f"links to '{name}', which the learner does not get"
                fix = "a learner has README.md and what is in starter/"
                yield Problem(file=str(exercise.statement), line=number, message=message, fix=fix)


def _is_in(folder: Path, name: str) -> bool:
    found = (folder / name).resolve()
    return found.is_relative_to(folder.resolve()) and found.exists()
