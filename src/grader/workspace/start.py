"""`grader start`: a folder with everything the learner begins with, who owns it from then on."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from grader.errors import ExerciseError, UsageError
from grader.model.exercise import Exercise
from grader.workspace import info as workspace_info
from grader.workspace.collect import SKIPPED, WORKSPACE_FILE
from grader.workspace.info import LARGEST_SEED, WorkspaceInfo


def start(
    exercise: Exercise, target: Path, *, seed: int | None = None, folder: Path | None = None
) -> list[Path]:
    """Make the workspace of `exercise` in `target`; the files that were created, sorted.

    `seed` None draws one. `folder` is the exercise's own folder when the user named it by path.
    A file that exists is never overwritten: in a workspace of the same exercise only missing files
    are added; anywhere else an existing file is a UsageError and nothing is written.
    """
    files = dict(sources(exercise))
    known = _known(exercise, target)
    taken = [name for name in files if os.path.lexists(target / name)]
    if taken and known is None:
        raise UsageError(
            f"{target} already holds {_listed(taken)}; nothing was written",
            fix="choose another folder",
        )
    for name in files:
        refuse_links(target, name)
    created: list[Path] = []
    try:
        for name, source in files.items():
            if name not in taken:
                _copy(source, target / name)
                created.append(target / name)
        if known is None:
            target.mkdir(parents=True, exist_ok=True)
            workspace_info.write(_new(exercise, target, seed, folder))
        elif created:
            names = {path.relative_to(target).as_posix(): path for path in created}
            given = {name: digest(path) for name, path in names.items()}
            workspace_info.write(replace(known, given={**known.given, **given}))
    except OSError as error:
        _remove(created)
        raise UsageError(f"{error.filename or target}: {error.strerror}") from None
    except BaseException:
        _remove(created)
        raise
    return sorted(created)


def _new(exercise: Exercise, target: Path, seed: int | None, folder: Path | None) -> WorkspaceInfo:
    return WorkspaceInfo(
        root=target,
        slug=exercise.slug,
        exercise=folder.absolute() if folder else None,
        version=exercise.version,
        seed=secrets.randbelow(LARGEST_SEED) if seed is None else seed,
        attempts=0,
        given={name: digest(path) for name, path in sources(exercise)},
    )


def digest(path: Path) -> str:
    """SHA-256 of a file's content. Raises OSError."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sources(exercise: Exercise) -> Iterator[tuple[str, Path]]:
    """Name in a new workspace -> file of the exercise to copy."""
    yield exercise.statement.name, exercise.statement
    for parent, folders, files in os.walk(exercise.starter):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        for name in [*folders, *sorted(files)]:
            path = Path(parent) / name
            if path.is_symlink():
                raise ExerciseError(f"{path} is a symbolic link: a starter holds plain files")
        for name in sorted(files):
            path = Path(parent) / name
            yield path.relative_to(exercise.starter).as_posix(), path


def _known(exercise: Exercise, target: Path) -> WorkspaceInfo | None:
    """The workspace that is already there. Raises UsageError when it is of another exercise."""
    if not (target / WORKSPACE_FILE).is_file():
        return None
    found = workspace_info.read(target)
    if found.slug != exercise.slug:
        raise UsageError(
            f"{target} is the workspace of '{found.slug}'; nothing was written",
            fix="choose another folder",
        )
    return found


def refuse_links(target: Path, name: str) -> None:
    """No folder on the way to `name` inside the target may be a link, or a file."""
    path = target
    for step in Path(name).parent.parts:
        path /= step
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise UsageError(
                f"{path} is not a plain folder; nothing was written", fix="choose another folder"
            )


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    executable = source.stat().st_mode & stat.S_IXUSR
    # exclusive creation neither follows a link nor overwrites what appeared in between
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(target, flags, 0o777 if executable else 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(source.read_bytes())
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def put(source: Path, target: Path) -> None:
    """Write the whole file at once: who reads it finds the old one or the new one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.parent / f".{target.name}.{os.getpid()}"
    try:
        shutil.copyfile(source, unfinished)
        unfinished.chmod(0o755 if os.access(source, os.X_OK) else 0o644)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _remove(created: list[Path]) -> None:
    for path in created:
        path.unlink(missing_ok=True)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
