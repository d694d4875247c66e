"""`grader reset`: the files of the start once more, and what was there beside the workspace."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from grader.errors import UsageError
from grader.model.exercise import Exercise
from grader.model.submission import SubmittedFile
from grader.workspace.start import first_files, put, refuse_links


@dataclass(frozen=True, kw_only=True)
class Reset:
    """The files that are as at the start again, and where those that they replaced are kept.

    A git repository counts as one file: `shop/.git`.
    """

    files: tuple[str, ...]
    backup: Path | None
    """None when nothing was replaced: the files were missing."""


def reset(exercise: Exercise, root: Path, files: Sequence[SubmittedFile] | None = None) -> Reset:
    """Put back every file of the start that was changed or removed; others are left alone.

    `files` are those of the start, None: those that lie in the exercise. A repository is put back
    as a whole: half of it would be none. What is replaced is first copied to a new folder beside
    the workspace. Raises UsageError when a file cannot be written or has become something else;
    until the copy is whole, nothing changes.
    """
    wanted = [one for one in (first_files(exercise) if files is None else files) if not one.folder]
    whole = [one for one in exercise.repositories if not _same_all(wanted, root, one)]
    changed = [
        one
        for one in wanted
        if any(one.path.startswith(f"{name}/") for name in whole) or not _same(one, root)
    ]
    for one in changed:
        refuse_links(root, one.path)
        if os.path.lexists(root / one.path) and (
            (root / one.path).is_symlink() or not (root / one.path).is_file()
        ):
            raise UsageError(
                f"{root / one.path} is not a plain file; nothing was changed", fix="move it away"
            )
    single = [one for one in changed if not any(one.path.startswith(f"{n}/") for n in whole)]
    replaced = [name for name in (*whole, *(one.path for one in single)) if (root / name).exists()]
    try:
        backup = _kept(root, replaced) if replaced else None
        for name in whole:
            shutil.rmtree(root / name, ignore_errors=True)
        for one in files or ():
            if one.folder:
                (root / one.path).mkdir(parents=True, exist_ok=True)
        for one in changed:
            put(one, root / one.path)
    except OSError as error:
        raise UsageError(f"{error.filename or root}: {error.strerror}") from None
    return Reset(files=tuple(sorted([*whole, *(one.path for one in single)])), backup=backup)


def _same(source: SubmittedFile, root: Path) -> bool:
    mine = root / source.path
    try:
        return not mine.is_symlink() and mine.read_bytes() == source.content
    except OSError:  # missing, or a folder
        return False


def _same_all(wanted: Sequence[SubmittedFile], root: Path, folder: str) -> bool:
    """Whether a folder holds its files of the start and nothing else."""
    first = {one.path for one in wanted if one.path.startswith(f"{folder}/")}
    found = {
        path.relative_to(root).as_posix()
        for path in (root / folder).rglob("*")
        if path.is_symlink() or not path.is_dir()
    }
    return found == first and all(_same(one, root) for one in wanted if one.path in first)


def _kept(root: Path, names: list[str]) -> Path:
    """A new folder beside the workspace with these files and folders of it."""
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
            if (root / name).is_dir():
                shutil.copytree(root / name, backup / name, symlinks=True)
            else:
                shutil.copy2(root / name, backup / name)
    except shutil.Error as error:
        shutil.rmtree(backup, ignore_errors=True)
        raise UsageError(f"what you have cannot be kept: {error}") from None
    except BaseException:
        shutil.rmtree(backup, ignore_errors=True)
        raise
    return backup
