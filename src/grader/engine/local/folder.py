"""The folder of one session on disk: made whole before its supervisor starts."""

from __future__ import annotations

import os
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
    folder.mkdir(mode=0o700)
    for name in PARTS:
        _mkdir(folder / name, 0o700 if name in ("control", "tmp") else 0o755)
    folder.chmod(0o711)
    (folder / "owner").write_text(str(os.getpid()))
    home = sandbox.interpreter().parent
    settings = folder / "python" / "pyvenv.cfg"
    settings.write_text(f"home = {home}\ninclude-system-site-packages = false\n")
    settings.chmod(0o644)


def make_box(folder: Path, name: str, user: int) -> None:
    """What a sandbox has of its own on disk. Raises OSError."""
    box = folder / "boxes" / name
    _mkdir(box, 0o755)
    number = user or 10001
    (box / "passwd").write_text(
        f"root:x:0:0::/:/bin/false\nlearner:x:{number}:{number}::/submission:/bin/sh\n"
    )
    (box / "group").write_text(f"root:x:0:\nlearner:x:{number}:\n")
    (box / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
    for name in ("passwd", "group", "hosts"):
        (box / name).chmod(0o644)
    for part in ("work", "tmp", "slot"):
        (box / part).mkdir(mode=0o700)
        if user:
            os.chown(box / part, user, user)


def make_interpreter(
    folder: Path, packages: Mapping[str, Path], agent: Path, *, copy: bool
) -> None:
    """The learner's interpreter on disk, for sandboxes without bubblewrap. Raises OSError.

    `copy`: another user runs it, who may not be able to read what lies elsewhere.
    """
    site = folder / "python" / "lib" / sandbox.NAME / "site-packages"
    programs = folder / "python" / "bin"
    for path in (site.parent.parent, site.parent, site, programs):
        _mkdir(path, 0o755)
    for name in ("python", "python3"):
        (programs / name).symlink_to(sandbox.interpreter())
    for name, path in {**packages, "grader_agent": agent}.items():
        lay(path, site / name, copy=copy)


def server_packages(folder: Path, name: str, packages: Mapping[str, Path], *, copy: bool) -> Path:
    """Where the interpreter of a server in Python finds its packages. Raises OSError."""
    site = folder / "services" / f"{name}.packages"
    if not site.exists():
        _mkdir(site, 0o755)
        for package, path in packages.items():
            lay(path, site / package, copy=copy)
    return site


def lay(path: Path, target: Path, *, copy: bool) -> None:
    """Make what lies elsewhere be found at `target`, too. `copy` as above. Raises OSError."""
    if copy and not readable(path):
        copy_to(path, target)
    else:
        target.symlink_to(path)


def readable_program(folder: Path, name: str, program: Program, user: int) -> Path:
    """The program's path, copied with its wheel when another user could not run it here."""
    if not user or readable(program.path):
        return program.path
    target = folder / "services" / f"{name}.program"
    _mkdir(target, 0o755)
    for path in program.needs:
        copy_to(path, target / path.name)
    return program.below(target)


def readable(path: Path) -> bool:
    """Whether every user of this machine may read and run it."""
    try:
        passable = all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)
        return passable and bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def copy_to(source: Path, target: Path) -> None:
    """A file or a folder, for every user to read. Raises OSError."""
    if not source.is_dir():
        target.write_bytes(source.read_bytes())
        target.chmod(0o755 if source.stat().st_mode & stat.S_IXUSR else 0o644)
        return
    _mkdir(target, 0o755)
    for path in source.iterdir():
        if path.name != "__pycache__":
            copy_to(path, target / path.name)


def _mkdir(path: Path, mode: int) -> None:
    """Whatever this process's umask is."""
    path.mkdir()
    path.chmod(mode)
