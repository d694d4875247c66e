"""`grader start`: a folder with everything the learner begins with, who owns it from then on."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from grader.errors import ExerciseError, UsageError
from grader.model.exercise import Exercise
from grader.model.submission import WORKSPACE_FILE, SubmittedFile
from grader.workspace import info as workspace_info
from grader.workspace.collect import SKIPPED
from grader.workspace.info import LARGEST_SEED, WorkspaceInfo

Files = Callable[[int], Sequence[SubmittedFile]]
"""The files of a new workspace, for the learner's seed."""


def start(
    exercise: Exercise,
    target: Path,
    *,
    seed: int | None = None,
    folder: Path | None = None,
    files: Files | None = None,
) -> list[Path]:
    """Make the workspace of `exercise` in `target`; the files that were created, sorted.

    `seed` None draws one. `folder` is the exercise's own folder when the user named it by path.
    `files` None: those that lie in the exercise. A file that exists is never overwritten: in a
    workspace of the same exercise only missing files are added, and none to a git repository that
    is there; anywhere else an existing file is a UsageError and nothing is written.
    """
    known = _known(exercise, target)
    info = known or _new(exercise, target, seed, folder)
    wanted = list(files(info.seed) if files else first_files(exercise))
    taken = [file.path for file in wanted if os.path.lexists(target / file.path)]
    if taken and known is None:
        raise UsageError(
            f"{target} already holds {_listed(taken)}; nothing was written",
            fix="choose another folder",
        )
    kept = [folder for folder in exercise.repositories if os.path.lexists(target / folder)]
    missing = [
        file
        for file in wanted
        if file.path not in taken and not any(file.path.startswith(f"{one}/") for one in kept)
    ]
    for file in wanted:
        refuse_links(target, file.path)
    created: list[Path] = []
    try:
        for file in missing:
            if file.folder:
                (target / file.path).mkdir(parents=True, exist_ok=True)
                continue
            _write(file, target / file.path)
            created.append(target / file.path)
        if known is None:
            target.mkdir(parents=True, exist_ok=True)
            workspace_info.write(replace(info, given=_given(exercise, wanted)))
        elif created:
            given = _given(exercise, [file for file in missing if not file.folder])
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
        given={},
    )


def digest(content: bytes) -> str:
    """SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()


def _given(exercise: Exercise, files: Sequence[SubmittedFile]) -> dict[str, str]:
    """The digests of those that a new version of the exercise could bring in."""
    static = {name for name, _ in _sources(exercise)}
    return {file.path: digest(file.content) for file in files if file.path in static}


def first_files(exercise: Exercise) -> list[SubmittedFile]:
    """What lies in the exercise for every learner: the statement and the starter."""
    return [
        SubmittedFile(
            path=name,
            content=path.read_bytes(),
            executable=bool(path.stat().st_mode & stat.S_IXUSR),
        )
        for name, path in _sources(exercise)
    ]


def _sources(exercise: Exercise) -> Iterator[tuple[str, Path]]:
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


def _write(source: SubmittedFile, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # exclusive creation neither follows a link nor overwrites what appeared in between
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(target, flags, 0o777 if source.executable else 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(source.content)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def put(source: SubmittedFile, target: Path) -> None:
    """Write the whole file at once: who reads it finds the old one or the new one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.parent / f".{target.name}.{os.getpid()}"
    try:
        unfinished.write_bytes(source.content)
        unfinished.chmod(0o755 if source.executable else 0o644)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _remove(created: list[Path]) -> None:
    for path in created:
        path.unlink(missing_ok=True)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
