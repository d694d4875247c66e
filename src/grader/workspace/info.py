"""`.grader.json`: what a workspace remembers about its exercise."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import msgspec

from grader.errors import UsageError
from grader.model.submission import WORKSPACE_FILE

FORMAT = 1
LARGEST_SEED = 2**53 - 1
"""Seeds stay exact in every JSON reader."""
LARGEST = 256 * 1024
"""Bytes of `.grader.json`; ours has some two hundred, and a hundred for each file of the start."""


@dataclass(frozen=True, kw_only=True)
class WorkspaceInfo:
    """A workspace: where it is and what it is for. `exercise` is set when it was named by path."""

    root: Path
    slug: str
    exercise: Path | None
    version: int
    seed: int
    attempts: int
    given: Mapping[str, str] = field(default_factory=dict)
    """Name -> SHA-256 of each file as the exercise gave it; empty where an earlier grader began."""


Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_SEED)]


class _File(msgspec.Struct):
    """`.grader.json` as it is written. Keys of later versions are ignored."""

    format: int
    slug: str
    exercise: str | None
    version: Count
    seed: Count
    attempts: Count = 0
    given: dict[str, str] = {}


def read(path: Path) -> WorkspaceInfo:
    """The workspace that `path` is, or lies in; links on the way are followed first.

    Raises UsageError when it lies in none, or when `.grader.json` cannot be read.
    """
    try:
        start = path.resolve()
        for folder in (start, *start.parents):
            file = folder / WORKSPACE_FILE
            if file.is_file():
                return _read(folder, file)
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, up to Python 3.12
        reason = getattr(error, "strerror", None) or "its links go in a circle"
        fix = "name the folder that grader start made"
        raise UsageError(f"{path} cannot be read: {reason}", fix=fix) from None
    raise UsageError(
        f"{path} is not in a workspace: there is no {WORKSPACE_FILE} in it or above it",
        fix="make one with: grader start SLUG",
    )


def _read(folder: Path, file: Path) -> WorkspaceInfo:
    try:
        with file.open("rb") as source:
            content = source.read(LARGEST + 1)
        data = msgspec.json.decode(content[:LARGEST], type=_File)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise UsageError(
            f"{file} is damaged: {error}",
            fix="put the file back, or start in a new folder with: grader start SLUG",
        ) from None
    if data.format != FORMAT:
        raise UsageError(
            f"{file} has format {data.format}; this grader reads format {FORMAT}",
            fix="update grader",
        )
    return WorkspaceInfo(
        root=folder,
        slug=data.slug,
        exercise=Path(data.exercise) if data.exercise else None,
        version=data.version,
        seed=data.seed,
        attempts=data.attempts,
        given=data.given,
    )


def write(info: WorkspaceInfo) -> None:
    """Write `.grader.json` in one step: readers see the old file or the new one.

    Raises UsageError when the folder cannot be written.
    """
    data = _File(
        format=FORMAT,
        slug=info.slug,
        exercise=str(info.exercise) if info.exercise else None,
        version=info.version,
        seed=info.seed,
        attempts=info.attempts,
        given=dict(info.given),
    )
    content = msgspec.json.format(msgspec.json.encode(data), indent=2) + b"\n"
    file = info.root / WORKSPACE_FILE
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f"{WORKSPACE_FILE}.", dir=info.root)
        try:
            with os.fdopen(descriptor, "wb") as target:
                target.write(content)
            Path(temporary).chmod(0o644)
            Path(temporary).replace(file)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from None


def count_attempt(path: Path) -> int:
    """Add one graded try to the workspace at `path`; the number of tries so far.

    Raises UsageError like `read` and `write`.
    """
    info = read(path)
    counted = replace(info, attempts=info.attempts + 1)
    write(counted)
    return counted.attempts
