"""`grader reset`: the files of the start once more, and what was there beside the workspace."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from grader.errors import UsageError
from grader.model.exercise import Exercise
from grader.workspace.start import put, refuse_links, sources


@dataclass(frozen=True, kw_only=True)
class Reset:
    """The files that are as at the start again, and where those that they replaced are kept."""

    files: tuple[str, ...]
    backup: Path | None
    """None when nothing was replaced: the files were missing."""


def reset(exercise: Exercise, root: Path) -> Reset:
    """Put back every file of the start that was changed or removed; others are left alone.

    What is replaced is first copied to a new folder beside the workspace. Raises UsageError when a
    file cannot be written or has become something else; until the copy is whole, nothing changes.
    """
    files = {name: path for name, path in sources(exercise) if not _same(path, root / name)}
    for name in files:
        refuse_links(root, name)
        if os.path.lexists(root / name) and (
            (root / name).is_symlink() or not (root / name).is_file()
        ):
            raise UsageError(
                f"{root / name} is not a plain file; nothing was changed", fix="move it away"
            )
    replaced = [name for name in files if (root / name).exists()]
    try:
        backup = _kept(root, replaced) if replaced else None
        for name, path in files.items():
            put(path, root / name)
    except OSError as error:
        raise UsageError(f"{error.filename or root}: {error.strerror}") from None
    return Reset(files=tuple(sorted(files)), backup=backup)


def _same(source: Path, mine: Path) -> bool:
    try:
        return not mine.is_symlink() and mine.read_bytes() == source.read_bytes()
    except OSError:  # missing, or a folder
        return False


def _kept(root: Path, names: list[str]) -> Path:
    """A new folder beside the workspace with these files of it."""
    for number in count(1):
        backup = root.with_name(f"{root.name}.before-reset-{number}")
        try:
            backup.mkdir()
            break
        except FileExistsError:
            continue
    try:
        for name in names:
            (backup / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, backup / name)
    except BaseException:
        shutil.rmtree(backup, ignore_errors=True)
        raise
    return backup
