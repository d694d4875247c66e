"""Tells when something in a folder is written."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

from grader.errors import UsageError
from grader.model.submission import WORKSPACE_FILE

QUIET_MS, LONGEST_MS = 30, 150
"""A save is over when nothing was written for so long; told at the latest after the other."""
POLL_MS = 150
MOUNTS = Path("/proc/self/mountinfo")
SILENT = frozenset(
    {
        *("9p", "drvfs", "virtiofs", "vboxsf", "prl_fs", "vmhgfs", "fakeowner", "osxfs"),
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "glusterfs"),
    }
)
"""File systems whose other side may write without the kernel of this machine knowing."""


def changes(folder: Path, ended: threading.Event, *, mounts: Path = MOUNTS) -> Iterator[None]:
    """Yield after each save in the folder or below, until `ended` is set.

    Where the file system tells nobody of them, it is looked at again and again. Raises UsageError
    when the folder cannot be watched.
    """
    from watchfiles import watch

    if not folder.is_dir():  # the library would wait for it for ever
        raise UsageError(f"{folder} cannot be watched: it is no folder")
    try:
        for _ in watch(
            folder,
            watch_filter=lambda _, path: not Path(path).name.startswith(WORKSPACE_FILE),
            step=QUIET_MS,
            debounce=LONGEST_MS,
            rust_timeout=500,
            stop_event=ended,
            raise_interrupt=False,
            force_polling=silent(folder, mounts) or None,  # None: it knows further cases itself
            poll_delay_ms=POLL_MS,
            ignore_permission_denied=True,
        ):
            yield
    except OSError as error:
        raise UsageError(f"{folder} cannot be watched: {error}") from None


def silent(folder: Path, mounts: Path = MOUNTS) -> bool:
    """Whether the folder lies on a file system that does not tell of every write (proc(5))."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:  # no Linux
        return False
    place, longest, kind = folder.resolve(), -1, ""
    for line in lines:
        before, _, after = line.partition(" - ")
        point = Path(before.split(" ")[4].replace("\\040", " ")) if after else None
        if point is not None and place.is_relative_to(point) and len(point.parts) >= longest:
            longest, kind = len(point.parts), after.split(" ")[0]
    return kind in SILENT or kind.startswith("fuse")
