"""The folder of one session on disk: made whole before its supervisor starts."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from grader.engine.local import sandbox
from grader.engine.local.programs import Program

PREFIX = "grader-"
LONGEST = 40
"""Characters of the path above it at most: a unix socket's name has 107."""
PARTS = ("control", "session", "slots", "tmp", "boxes", "services", "python")


def above() -> Path:
    """The folder that the sessions of this machine are in."""
    named = Path(tempfile.gettempdir())
    return named if len(str(named)) <= LONGEST else Path("/tmp")  # noqa: S108 -- mkdir is exclusive


def of(session: str) -> Path:
    """The folder of a session."""
    return above() / f"{PREFIX}{session}"


def sessions(home: str) -> Iterator[str]:
    """The ids of sessions that have a folder, and begin as those of this user do."""
    for path in above().glob(f"{PREFIX}{home}-*"):
        yield path.name.removeprefix(PREFIX)


def make(folder: Path) -> None:
    """Raises OSError. Other users of the machine may pass through it, and list nothing."""
    folder.mkdir(mode=0o711)
    for name in PARTS:
        (folder / name).mkdir(mode=0o700 if name in ("control", "tmp") else 0o755)
    (folder / "owner").write_text(str(os.getpid()))
    home = sandbox.interpreter().parent
    (folder / "python" / "pyvenv.cfg").write_text(
        f"home = {home}\ninclude-system-site-packages = false\n"
    )


def make_box(folder: Path, name: str, user: int) -> None:
    """What a sandbox has of its own on disk. Raises OSError."""
    box = folder / "boxes" / name
    box.mkdir()
    number = user or 10001
    (box / "passwd").write_text(
        f"root:x:0:0::/:/bin/false\nlearner:x:{number}:{number}::/submission:/bin/sh\n"
    )
    (box / "group").write_text(f"root:x:0:\nlearner:x:{number}:\n")
    (box / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
    for part in ("work", "tmp", "slot"):
        (box / part).mkdir(mode=0o700)
        if user:
            os.chown(box / part, user, user)


def make_interpreter(folder: Path, packages: Mapping[str, Path], agent: Path, user: int) -> None:
    """The learner's interpreter on disk, for sandboxes without bubblewrap. Raises OSError."""
    site = folder / "python" / "lib" / sandbox.NAME / "site-packages"
    site.mkdir(parents=True)
    programs = folder / "python" / "bin"
    programs.mkdir()
    for name in ("python", "python3"):
        (programs / name).symlink_to(sandbox.interpreter())
    for name, path in {**packages, "grader_agent": agent}.items():
        if user and not readable(path):
            _copy(path, site / name)
        else:
            (site / name).symlink_to(path)


def readable_program(folder: Path, name: str, program: Program, user: int) -> Path:
    """The program's path, copied with its wheel when another user could not run it here."""
    if not user or readable(program.path):
        return program.path
    target = folder / "services" / f"{name}.program"
    for path in program.needs:
        _copy(path, target / path.name)
    above_it = next(path for path in program.needs if program.path.is_relative_to(path))
    return target / program.path.relative_to(above_it.parent)


def readable(path: Path) -> bool:
    """Whether every user of this machine may read and run it."""
    try:
        passable = all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)
        return passable and bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy2(source, target)
