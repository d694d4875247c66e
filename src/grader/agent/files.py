"""The submission's files: kept in memory, laid out fresh for each test."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import stat
import tarfile
from pathlib import Path
from typing import NamedTuple

MOST_COLLECTED = 5000


class Collected(NamedTuple):
    """Contents of plain files by name, and by name what each entry is."""

    files: dict[str, bytes]
    kinds: dict[str, str]


class Files:
    """`folder` is where the learner's code runs; `scratch` are the other places it can write."""

    def __init__(self, folder: str, scratch: list[str]) -> None:
        self.folder = Path(folder)
        self._scratch = [Path(path) for path in scratch]
        self._content: list[tuple[str, int, bytes | None]] = []

    def load(self, archive: bytes) -> None:
        """Remember the files of a tar that the host built; the disk is written by reset()."""
        self._content = []
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for entry in tar:
                stream = tar.extractfile(entry)
                content = stream.read() if stream is not None else None
                self._content.append((entry.name, entry.mode, content))

    def reset(self) -> None:
        """Leave exactly the submission's files, whatever was made or changed since."""
        for place in [self.folder, *self._scratch]:
            empty(place)
        for name, mode, content in self._content:
            path = self.folder / name
            if content is None:
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(mode)

    def write(self, name: str, content: bytes) -> None:
        """Put one file of a test beside the submission's."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def read(self, name: str, limit: int) -> bytes | None:
        """At most `limit` bytes of a plain file below the folder; None when there is none."""
        path = self.folder / name
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                return None
            with os.fdopen(os.dup(fd), "rb") as file:
                return file.read(limit)
        finally:
            os.close(fd)

    def collect(self, globs: list[str], limit: int) -> Collected | None:
        """All below the folder that a glob matches, sorted by name; links are not followed.

        None when it is more than MOST_COLLECTED entries, or plain files of more than `limit` bytes
        together.
        """
        found, kinds = dict[str, bytes](), dict[str, str]()
        for pattern in globs:
            for path in self.folder.glob(f"{pattern}/*" if pattern.endswith("**") else pattern):
                name = str(path.relative_to(self.folder))
                if name == "." or name in kinds:
                    continue
                kinds[name] = kind_of(path)
                content = self.read(name, limit + 1)
                if content is not None:
                    found[name] = content
                    limit -= len(content)
                if limit < 0 or len(kinds) > MOST_COLLECTED:
                    return None
        return Collected({name: found[name] for name in sorted(found)}, dict(sorted(kinds.items())))


def kind_of(path: Path) -> str:
    """`file`, `folder`, `link to ...`, or `other` for pipes and the like, and what is gone."""
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            return f"link to {os.readlink(path)}"
    except OSError:
        return "other"
    return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other"


def empty(place: Path | str) -> None:
    """Remove all that a folder holds, whatever its permissions."""
    with contextlib.suppress(FileNotFoundError):
        with contextlib.suppress(PermissionError):
            os.chmod(place, stat.S_IMODE(os.stat(place).st_mode) | 0o700)
        for entry in list(os.scandir(place)):
            if entry.is_dir(follow_symlinks=False):
                _unlock(entry.path)
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)


def _unlock(folder: str) -> None:
    """Folders that the learner's code closed to itself must be opened before they can go."""
    with contextlib.suppress(OSError):
        os.chmod(folder, 0o700)
    for root, names, _ in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            if not os.path.islink(path):
                with contextlib.suppress(OSError):
                    os.chmod(path, 0o700)
