"""What every engine needs of the machine that grader itself runs on."""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path

from grader.model.finding import Finding, State

OLDEST_PYTHON = (3, 11)
ANOTHER_FOLDER = "name a folder that you can write: export GRADER_STATE_DIR=FOLDER"


def python(version: tuple[int, ...], executable: str) -> Finding:
    """The Python that runs grader: its version and where it is."""
    text = ".".join(map(str, version))
    facts = {"version": text, "executable": executable}
    found = f"{text}, {executable}"
    if version >= OLDEST_PYTHON:
        return Finding(name="python", found=found, facts=facts)
    needed = ".".join(map(str, OLDEST_PYTHON))
    return Finding(
        name="python",
        state=State.FAILS,
        found=found,
        cause=f"grader needs Python {needed} or newer",
        fix=f"install Python {needed}, and grader again with it",
        facts=facts,
    )


def state_folder(folder: Path) -> Finding:
    """Whether grader can remember its warm sessions: the folder can be made and written."""
    facts = {"folder": str(folder)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        why = f"{error.filename or folder}: {os.strerror(error.errno or 0)}"
        mine = isinstance(error, PermissionError) and folder.is_dir()
        return Finding(
            name="state",
            state=State.FAILS,
            found=str(folder),
            cause=f"it cannot be written: {why}",
            fix=f"sudo chown -R $USER {shlex.quote(str(folder))}" if mine else ANOTHER_FOLDER,
            facts=facts,
        )
    return Finding(name="state", found=str(folder), facts=facts)
