"""From what the user typed to an exercise."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from grader.catalog.load import CONTRACT, load_exercise
from grader.catalog.words import nearest
from grader.errors import UsageError
from grader.model.exercise import Exercise, Roadmap

LIST = "list them with: grader roadmap"


def slugs(root: Path) -> tuple[str, ...]:
    """The names of the exercise folders of a catalog, sorted; nothing in them is read."""
    return tuple(sorted(path.parent.name for path in root.glob(f"*/{CONTRACT}")))


def is_path(name: str) -> bool:
    """Whether `name` means an exercise folder rather than a slug of the catalog."""
    separated = "/" in name or os.sep in name or name in (".", "..")
    return separated or _is_exercise(Path(name))


def _is_exercise(folder: Path) -> bool:
    try:
        return (folder / CONTRACT).is_file()
    except OSError:  # a name too long for any file, a folder that may not be looked into
        return False


def find(
    root: Path,
    name: str,
    *,
    roadmap: Roadmap | None = None,
    runners: Collection[str] | None = None,
) -> Exercise:
    """The exercise with this slug in the catalog at `root`, or in the folder with this path.

    Reads only that one folder; `roadmap` and `runners` are those of load_exercise. Raises
    UsageError when there is none, naming the nearest slug; ExerciseError when it is broken.
    """
    if is_path(name):
        folder = Path(os.path.expanduser(name))  # noqa: PTH111 -- pathlib's raises for ~nobody
        if not _is_exercise(folder):
            raise UsageError(
                f"{name} is not an exercise folder: it has no {CONTRACT}",
                fix=f"name a folder with {CONTRACT}, or a slug; {LIST}",
            )
        return load_exercise(folder.absolute(), roadmap=roadmap, runners=runners)
    known = slugs(root)
    if name not in known:
        if not known:
            raise UsageError(f"{root} holds no exercises", fix="check the setting 'exercises'")
        near = nearest(name, known)
        raise UsageError(
            f"there is no exercise '{name}'",
            fix=f"{near} {LIST}" if near.startswith("did") else LIST,
        )
    return load_exercise(root / name, roadmap=roadmap, runners=runners)
