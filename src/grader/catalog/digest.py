"""What a verdict depends on of an exercise, as one number: another one when any of it changed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from grader.model.exercise import Exercise

_OTHER_SUBMISSIONS = ("README.md", "exercise.yaml", "starter", "alternatives", "mutants")
_NOT_GRADED = (
    *("root", "title", "minutes", "difficulty", "tasks", "mutants", "checks", "version"),
    "equivalent",
)
"""What a verdict does not depend on: words for people, and other submissions."""


def exercise_digest(exercise: Exercise) -> str:
    """SHA-256 of its tests, its reference, and of what its contract says about grading."""
    contract = {key: value for key, value in asdict(exercise).items() if key not in _NOT_GRADED}
    whole = repr((sorted(contract.items()), tree(exercise.root, _OTHER_SUBMISSIONS)))
    return hashlib.sha256(whole.encode()).hexdigest()


def tree(root: Path, but: Sequence[str] = ()) -> str:
    """SHA-256 over names and contents of all files below `root`, except those in these places."""
    left_out = [root / name for name in but]
    found = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_dir() or "__pycache__" in path.parts:
            continue
        if not any(path.is_relative_to(other) for other in left_out):
            content = path.read_bytes()
            name = path.relative_to(root).as_posix()
            found.update(f"{name}\0{len(content)}\0".encode())
            found.update(content)
    return found.hexdigest()
