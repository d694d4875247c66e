"""A submission: an immutable snapshot of exactly the files an exercise asks for."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass

WORKSPACE_FILE = ".grader.json"
"""What a workspace says of itself. A submission has it where workspaces differ by learner."""


@dataclass(frozen=True, kw_only=True)
class SubmittedFile:
    """`path` is relative, with forward slashes and no `..`; a folder has no content."""

    path: str
    content: bytes = b""
    executable: bool = False
    folder: bool = False


@dataclass(frozen=True, kw_only=True)
class Submission:
    files: tuple[SubmittedFile, ...]

    @property
    def seed(self) -> int | None:
        """The learner's seed that its workspace was made for, where it says that."""
        for file in self.files:
            if file.path == WORKSPACE_FILE:
                return seed_in(file.content)
        return None

    @property
    def digest(self) -> str:
        """SHA-256 over names, modes and contents: equal submissions have equal digests."""
        return hashlib.sha256(self.archive()).hexdigest()

    def archive(self) -> bytes:
        """An uncompressed tar built by us alone: plain files and folders, owner and times fixed."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for file in sorted(self.files, key=lambda item: item.path):
                entry = tarfile.TarInfo(file.path)
                entry.mode = 0o755 if file.executable or file.folder else 0o644
                if file.folder:
                    entry.type = tarfile.DIRTYPE
                    tar.addfile(entry)
                else:
                    entry.size = len(file.content)
                    tar.addfile(entry, io.BytesIO(file.content))
        return buffer.getvalue()


def seed_file(seed: int) -> SubmittedFile:
    """The file by which a submission says whose workspace it is from."""
    return SubmittedFile(path=WORKSPACE_FILE, content=json.dumps({"seed": seed}).encode())


def seed_in(content: bytes) -> int | None:
    """The seed in such a file, or in that of a workspace; None when there is none."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return None
    seed = data.get("seed") if isinstance(data, dict) else None
    return seed if isinstance(seed, int) and 0 <= seed < 2**53 else None
