"""A submission: an immutable snapshot of exactly the files an exercise asks for."""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import dataclass


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
