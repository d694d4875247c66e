"""The archive that a learner hands in: the files that were checked, and the report of that."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

from grader.errors import UsageError
from grader.model.submission import Submission
from grader.workspace.collect import REPORT_FILE

_TIME = (1980, 1, 1, 0, 0, 0)
"""The same files make the same archive; a zip begins to count there."""


def pack(submission: Submission, report: bytes) -> bytes:
    """A zip archive of a submission that `grader grade` takes, with its report beside it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(submission.files, key=lambda one: one.path):
            entry = zipfile.ZipInfo(f"{file.path}/" if file.folder else file.path, _TIME)
            kind = stat.S_IFDIR if file.folder else stat.S_IFREG
            mode = 0o755 if file.folder or file.executable else 0o644
            _add(archive, entry, kind | mode, file.content)
        _add(archive, zipfile.ZipInfo(REPORT_FILE, _TIME), stat.S_IFREG | 0o644, report)
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, mode: int, content: bytes) -> None:
    entry.create_system = 3  # Unix, on every machine: else the modes would mean nothing
    entry.external_attr = mode << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)


def check_replaceable(path: Path) -> None:
    """Raises UsageError when there is something at `path` that an earlier hand-in did not write."""
    if not path.exists():
        return
    try:
        with zipfile.ZipFile(path) as archive:
            archive.getinfo(REPORT_FILE)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, NotImplementedError):
        raise UsageError(
            f"{path} is there already and is no archive of grader submit",
            fix="move it away, or name another file: --output FILE",
        ) from None
