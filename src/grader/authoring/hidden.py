"""Nothing of the hidden tests and of the solution may stand in what a learner gets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from grader.catalog.paths import read_text
from grader.errors import Problem
from grader.model.exercise import Exercise

IN_A_ROW = 3
"""So many equal lines that follow one another are no accident."""
SHORTEST = 8
"""Characters of a line that says something."""

_Line = tuple[int, str]


def leaks(exercise: Exercise) -> Iterator[Problem]:
    """Lines of tests/, solution/ or alternatives/ that README.md or starter/ repeat.

    What the starter and the solution share in a file of one name is the frame that the learner
    fills, and no secret.
    """
    root = exercise.root
    hidden: dict[tuple[str, ...], str] = {}
    given = {path.read_bytes() for path in _files(exercise.starter)}
    for path in _files(exercise.tests):
        if path.read_bytes() in given:
            continue  # data that tests and learners have in common
        hidden |= _runs(_telling(path), path.relative_to(root).as_posix())
    for folder in (exercise.solution, *_below(root / "alternatives")):
        for path in _files(folder):
            frame = exercise.starter / path.relative_to(folder)
            shared = {line for _, line in _telling(frame)} if frame.is_file() else set()
            own = [line for line in _telling(path) if line[1] not in shared]
            hidden |= _runs(own, path.relative_to(root).as_posix())
    for path in (exercise.statement, *_files(exercise.starter)):
        yield from _repeated(path, hidden)


def _repeated(path: Path, hidden: Mapping[tuple[str, ...], str]) -> Iterator[Problem]:
    """The first place of each hidden file that `path` repeats."""
    told = set()
    for line, run in _windows(_telling(path)):
        source = hidden.get(run)
        if source is not None and source not in told:
            told.add(source)
            message = f"repeats lines of {source}, which a learner must not see"
            yield Problem(file=str(path), line=line, message=message, fix="take them out")


def _runs(lines: Iterable[_Line], source: str) -> dict[tuple[str, ...], str]:
    return {run: source for _, run in _windows(list(lines))}


def _windows(lines: list[_Line]) -> Iterator[tuple[int, tuple[str, ...]]]:
    for start in range(len(lines) - IN_A_ROW + 1):
        window = lines[start : start + IN_A_ROW]
        yield window[0][0], tuple(text for _, text in window)


def _telling(path: Path) -> list[_Line]:
    """The lines that say something, without the space around them; imports say nothing."""
    text = read_text(path)[0]
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), start=1))
    return [
        (number, line)
        for number, line in lines
        if len(line) >= SHORTEST and not line.startswith(("import ", "from "))
    ]


def _files(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*")) if folder.is_dir() else []
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]


def _below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
