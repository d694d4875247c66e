"""The npm packages of a language, which its image holds: installed once for each lock file."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from grader.engine.local.programs import MissingProgram, Program
from grader.engine.runners import Local, Runner
from grader.errors import InfrastructureError
from grader.settings import Settings

MODULES = "node_modules"
WITHIN = 300
"""Seconds that an installation may take."""


def folder(settings: Settings, runner: Runner) -> Path | None:
    """Where the packages are, or will be; None for a runner without a lock file."""
    lock = (runner.local or Local()).lock
    if not lock:
        return None
    digest = hashlib.sha256((runner.folder / lock).read_bytes()).hexdigest()[:16]
    return settings.state_dir / "npm" / f"{runner.name}-{digest}" / MODULES


def require(settings: Settings, runner: Runner, program: Program | None) -> None:
    """Whether the packages are here, or npm is, which brings them. Raises MissingProgram."""
    there = folder(settings, runner)
    if there is not None and not there.is_dir():
        _npm(program)


def install(settings: Settings, runner: Runner, program: Program | None) -> Path | None:
    """The folder of the packages, with all of them in it. Asks the registry at the first time.

    Raises MissingProgram, and InfrastructureError with npm's own words.
    """
    there = folder(settings, runner)
    if there is None or there.is_dir():
        return there
    npm, lock = _npm(program), runner.folder / (runner.local or Local()).lock
    there.parent.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=there.parent.parent) as made:
        for file in (lock, lock.with_name("package.json")):
            shutil.copy(file, made)
        _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], Path(made), runner)
        whole = Path(made) / "whole"
        whole.mkdir(mode=0o755)
        (Path(made) / MODULES).rename(whole / MODULES)
        try:
            whole.rename(there.parent)
        except OSError:  # somebody else was faster
            if not there.is_dir():
                raise
    return there


def _npm(program: Program | None) -> Sequence[str]:
    """The command. Where Node.js comes with npm, it is the one that belongs to it."""
    if program is not None:
        its_own = program.path.parent.parent / "lib" / MODULES / "npm" / "bin" / "npm-cli.js"
        if its_own.is_file():
            return [str(program.path), str(its_own)]
    found = shutil.which("npm")
    if found is None:
        raise MissingProgram("the engine local found no npm", what="npm", fix="install npm")
    return [found]


def _run(command: Sequence[str], folder: Path, runner: Runner) -> None:
    what = f"npm cannot install the packages of '{runner.name}'"
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=WITHIN,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InfrastructureError(f"{what}: it took longer than {WITHIN} s") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise InfrastructureError(
            f"{what}: {' '.join(said[:3])[:300] or f'exit code {done.returncode}'}",
            fix="give it a way to a registry: npm config set registry URL, or set a proxy",
        )
