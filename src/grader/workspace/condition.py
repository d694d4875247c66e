"""What `grader doctor` says of the workspace that one is in."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from grader.model.finding import Finding, State
from grader.workspace.changes import silent
from grader.workspace.collect import SKIPPED

MOST = 2000
"""Files that are looked at."""
START = 4096
"""Bytes of each."""


def examine(root: Path, kernel: str, *, quiet_about_saves: bool | None = None) -> Finding:
    """Where the folder lies, and whether its scripts can be started.

    `kernel` is its release as uname says it: that of WSL names Microsoft.
    """
    scripts = _windows_scripts(root)
    slow = "microsoft" in kernel.lower() and root.resolve().parts[:2] == ("/", "mnt")
    blind = silent(root) if quiet_about_saves is None else quiet_about_saves
    facts = {"folder": str(root), "windows_line_endings": scripts, "on_windows_drive": slow}
    found = str(root)
    if scripts:
        named = " ".join(shlex.quote(name) for name in scripts[:5])
        return Finding(
            name="folder",
            state=State.WARNS,
            found=found,
            cause=f"scripts that Linux cannot start, because of Windows line endings: {named}",
            fix=f"sed -i 's/\\r$//' {named}",
            facts=facts,
        )
    if slow:
        return Finding(
            name="folder",
            state=State.WARNS,
            found=found,
            cause="it lies on a drive of Windows: reading it from WSL is slow",
            fix=f"work in Linux's own folders: cp -R {shlex.quote(str(root))} ~/",
            facts=facts,
        )
    if blind:
        found += "; its file system does not tell of saves, so --watch looks for them"
    return Finding(name="folder", found=found, facts=facts)


def _windows_scripts(root: Path) -> list[str]:
    """Files whose first line names a program and ends as in Windows: `#!/bin/sh\\r`."""
    found: list[str] = []
    seen = 0
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        for name in sorted(files):
            seen += 1
            path = Path(folder, name)
            if path.is_symlink() or not path.is_file():
                continue
            try:
                with path.open("rb") as file:
                    first = file.read(START).partition(b"\n")[0]
            except OSError:  # not for us
                continue
            if first.startswith(b"#!") and first.endswith(b"\r"):
                found.append(path.relative_to(root).as_posix())
        if seen > MOST:
            break
    return found
