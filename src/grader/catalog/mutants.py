"""Every mutant names the checks that must reject it, and its edits apply."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grader.catalog.checks import FoundCheck, unknown_check
from grader.catalog.paths import read_text, relative_problem
from grader.catalog.schema import EquivalentEntry, MutantEntry
from grader.catalog.yamldoc import Document, KeyPath
from grader.errors import Problem

FEWEST = 2
"""An exercise that ships with grader has more: grader validate."""


def mutant_problems(
    folder: Path,
    mutants: dict[str, MutantEntry],
    document: Document,
    checks: Sequence[FoundCheck] | None,
) -> list[Problem]:
    """Everything wrong with the mutants. `checks` None: the tests could not be read."""
    problems = []
    if len(mutants) < FEWEST:
        said = f"{len(mutants)} mutant{'s' if len(mutants) != 1 else ''}, at least {FEWEST} needed"
        fix = "add wrong solutions that people really hand in"
        problems.append(document.problem(("mutants",), said, fix))
    for name, mutant in mutants.items():
        problems += _names(name, mutant, document, checks)
        problems += _changes(folder, name, mutant, document)
    problems += _unlisted(folder, mutants)
    return problems


def equivalent_problems(
    folder: Path, entries: Sequence[EquivalentEntry], document: Document
) -> list[Problem]:
    """Each entry is about a line that the solution has, and changes it."""
    problems: list[Problem] = []
    for number, entry in enumerate(entries):
        path: KeyPath = ("equivalent", number)
        missing = _in_solution(folder, entry.file, (*path, "file"), document)
        problems += missing
        if missing:
            continue
        text, unreadable = read_text(folder / "solution" / entry.file)
        if unreadable:
            problems.append(unreadable)
        elif entry.was not in [line.strip() for line in text.splitlines()]:
            message = f"no line of solution/{entry.file} is {entry.was!r}"
            problems.append(document.problem((*path, "was"), message, "copy the whole line"))
        elif entry.was == entry.becomes:
            problems.append(document.problem(path, "was and becomes are the same line"))
    return problems


def _names(
    name: str, mutant: MutantEntry, document: Document, checks: Sequence[FoundCheck] | None
) -> list[Problem]:
    if not mutant.fails and not mutant.breaks:
        message = f"the mutant '{name}' names no check that rejects it"
        return [document.problem(("mutants", name), message, "give it fails or breaks")]
    problems = []
    for key in ("fails", "breaks"):
        for number, check in enumerate(getattr(mutant, key) if checks is not None else ()):
            near = unknown_check(check, checks or ())
            if near is not None:
                message = f"{key}: '{check}' is no check of this exercise"
                path: KeyPath = ("mutants", name, key, number)
                problems.append(document.problem(path, message, near))
    return problems


def _changes(folder: Path, name: str, mutant: MutantEntry, document: Document) -> list[Problem]:
    overlay = folder / "mutants" / name
    if not mutant.replace and not mutant.remove and not overlay.is_dir():
        message = f"the mutant '{name}' changes nothing"
        fix = f"add the folder mutants/{name}/, or replace or remove"
        return [document.problem(("mutants", name), message, fix)]
    problems: list[Problem] = []
    if not (folder / "solution").is_dir():
        return problems  # said already, once
    for number, file in enumerate(mutant.remove):
        path: KeyPath = ("mutants", name, "remove", number)
        problems += _in_solution(folder, file, path, document)
    for file, edits in mutant.replace.items():
        where: KeyPath = ("mutants", name, "replace", file)
        missing = _in_solution(folder, file, where, document)
        problems += missing
        if not missing:
            problems += _edits(folder / "solution" / file, file, edits, where, document)
    return problems


def _in_solution(folder: Path, file: str, path: KeyPath, document: Document) -> list[Problem]:
    wrong = relative_problem(file)
    if wrong:
        return [document.problem(path, f"'{file}' {wrong}")]
    if not (folder / "solution" / file).is_file():
        return [document.problem(path, f"the solution has no file '{file}'")]
    return []


def _edits(
    solution: Path,
    file: str,
    edits: Sequence[tuple[str, str]],
    where: KeyPath,
    document: Document,
) -> list[Problem]:
    text, unreadable = read_text(solution)
    if unreadable:
        return [unreadable]
    problems = []
    for number, (old, new) in enumerate(edits):
        times = text.count(old) if old else 0
        path = (*where, number)
        if old == new:
            problems.append(document.problem(path, "old and new are the same text"))
        elif times != 1:
            shown = old if len(old) <= 40 else old[:37] + "..."
            message = f"{shown!r} occurs {times} times in solution/{file}"
            problems.append(document.problem(path, message, "it must occur exactly once"))
    return problems


def _unlisted(folder: Path, mutants: dict[str, MutantEntry]) -> list[Problem]:
    parent = folder / "mutants"
    present = sorted(p for p in parent.iterdir() if p.is_dir()) if parent.is_dir() else []
    return [
        Problem(file=str(path), message="has no entry under mutants in exercise.yaml")
        for path in present
        if path.name not in mutants and not path.name.startswith((".", "__"))
    ]
