"""`grader update`: what a new version of the exercise brings, without touching what is theirs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from grader.errors import UsageError
from grader.model.exercise import Exercise
from grader.model.submission import SubmittedFile
from grader.workspace.info import WorkspaceInfo, write
from grader.workspace.start import digest, first_files, put, refuse_links


@dataclass(frozen=True, kw_only=True)
class Update:
    """Names of files, sorted. A file is the learner's once it differs from what it was given as."""

    added: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    """The learner had not changed them."""
    conflicts: tuple[str, ...] = ()
    """Both sides changed them: the learner's are as they were."""
    aside: Path | None = None
    """Where the exercise's side of each conflict is."""

    def __bool__(self) -> bool:
        return bool(self.added or self.replaced or self.conflicts)


def update(exercise: Exercise, info: WorkspaceInfo) -> Update:
    """Bring the workspace to the exercise as it is now.

    Files that the learner removed stay away; where nobody knows what was given once, a file that
    differs counts as the learner's. Raises UsageError when something cannot be written; then the
    workspace's version is the old one, and doing it again goes on.
    """
    files = {file.path: file for file in first_files(exercise)}
    new = {name: digest(file.content) for name, file in files.items()}
    added, replaced, conflicts = [], [], []
    for name, now in new.items():
        refuse_links(info.root, name)
        mine, before = _mine(info.root / name), info.given.get(name)
        if mine == now or before == now:
            continue
        if mine is None and before is None:
            added.append(name)
        elif mine is not None and mine == before:
            replaced.append(name)
        elif mine is not None:
            conflicts.append(name)
    try:
        for name in (*added, *replaced):
            put(files[name], info.root / name)
        aside = _aside(exercise, info, {name: files[name] for name in conflicts})
    except OSError as error:
        raise UsageError(f"{error.filename or info.root}: {error.strerror}") from None
    write(replace(info, version=exercise.version, given={**info.given, **new}))
    return Update(
        added=tuple(sorted(added)),
        replaced=tuple(sorted(replaced)),
        conflicts=tuple(sorted(conflicts)),
        aside=aside,
    )


def _mine(path: Path) -> str | None:
    """The digest of the learner's file; None when there is none; "" for what is no plain file."""
    if not os.path.lexists(path):
        return None
    try:
        return "" if path.is_symlink() or not path.is_file() else digest(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None


def _aside(
    exercise: Exercise, info: WorkspaceInfo, files: Mapping[str, SubmittedFile]
) -> Path | None:
    """A folder beside the workspace with the exercise's side of what both changed."""
    if not files:
        return None
    folder = info.root.with_name(f"{info.root.name}.version-{exercise.version}")
    for name, file in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(file.content)
    return folder
