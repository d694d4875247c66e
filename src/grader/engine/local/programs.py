"""Finds the programs that take the place of images: in wheels, then on this machine.

`runner.yaml` names them; what is not there ends in a MissingProgram that says how to bring it.
"""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from grader.engine.runners import Local, Runner
from grader.errors import InfrastructureError

_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*(?P<extras>\[[^]]*\])?")
_EXTRA = re.compile(r"""extra\s*==\s*["'](?P<name>[^"']+)["']""")
_NUMBER = re.compile(r"\d+(?:\.\d+)+")


class MissingProgram(InfrastructureError):
    """This machine lacks something that an exercise needs; `what` is its name."""

    def __init__(self, message: str, *, what: str, fix: str) -> None:
        super().__init__(message, fix=fix)
        self.what = what


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program that was found, and what must be readable for it to run."""

    path: Path
    needs: tuple[Path, ...] = ()
    """The folders of its wheel, or itself where a sandbox does not see it; else none."""

    def below(self, folder: Path) -> Path:
        """Where it is when all that it needs lies in `folder`; a system's stays where it is."""
        for path in self.needs:
            if self.path.is_relative_to(path):
                return folder / self.path.relative_to(path.parent)
        return self.path


def find(runner: Runner) -> Program | None:
    """The runner's program; None for a runner that needs none. Raises MissingProgram."""
    local = runner.local
    if local is None:
        raise MissingProgram(
            f"the engine local cannot run '{runner.name}': it needs an image",
            what=runner.name,
            fix="install Docker, and see: grader doctor",
        )
    if not local.programs:
        return None
    rejected = []
    for program in _candidates(local):
        number = version(program.path)
        if within(number, runner.versions):
            return program
        rejected.append(f"{program.path} is {number or 'of an unknown version'}")
    wanted = f"{local.programs[0]} {runner.versions}".strip()
    found = f" ({'; '.join(rejected)})" if rejected else ""
    raise MissingProgram(
        f"the engine local found no {wanted}{found}", what=local.programs[0], fix=_install(runner)
    )


def packages(runner: Runner) -> Mapping[str, Path]:
    """What the learner's interpreter finds: name in its site-packages -> where it is here.

    All that the runner's requirements name, and what these need. Raises MissingProgram.
    """
    local = runner.local or Local()
    found = {f"{name}.py": runner.folder / file for name, file in local.modules.items()}
    wanted = _requirements(runner.folder / local.requirements) if local.requirements else []
    seen: set[str] = set()
    for name, extras, needed in wanted:  # it grows meanwhile
        listed = _files(name)
        if listed is not None:
            found.update(listed)
        elif needed:
            raise _missing(name, runner.folder / local.requirements)
        if listed is not None and f"{name}{extras}" not in seen:
            seen.add(f"{name}{extras}")
            wanted += _needs(name, extras)
    return found


def require(file: Path) -> None:
    """Whether grader's own Python has all that a file names. Raises MissingProgram."""
    for name, _, _ in _requirements(file):
        if _files(name) is None:
            raise _missing(name, file)


def _missing(package: str, file: Path) -> MissingProgram:
    text = f"the engine local found no Python package {package}"
    return MissingProgram(text, what=package, fix=pip("-r", str(file)))


def _requirements(file: Path) -> list[tuple[str, str, bool]]:
    """Per line the package, its extras as they stand there, and that it must be there."""
    try:
        lines = file.read_text().split("\n")
    except OSError as error:
        raise InfrastructureError(f"{file}: cannot be read: {error.strerror}") from None
    matches = [match for line in lines if (match := _REQUIREMENT.match(line))]
    return [(match["name"], match["extras"] or "", True) for match in matches]


def _needs(name: str, extras: str) -> list[tuple[str, str, bool]]:
    """What an installed package needs. Whether a condition holds here, pip has decided already."""
    found = []
    for line in metadata.requires(name) or []:
        match, extra = _REQUIREMENT.match(line), _EXTRA.search(line)
        if match and (extra is None or extra["name"] in extras.strip("[]").split(",")):
            found.append((match["name"], match["extras"] or "", False))
    return found


def within(number: str, wanted: str) -> bool:
    """Whether `17.2` is in `>=17,<19`; every version is in ``."""
    if not wanted:
        return True
    if not number:
        return False
    have = _numbers(number)
    for part in wanted.split(","):
        bound = _numbers(part.lstrip("><="))
        if not (have >= bound if part.startswith(">=") else have < bound):
            return False
    return True


def _numbers(number: str) -> list[int]:
    return [int(part) for part in number.split(".")]


def _candidates(local: Local) -> Iterator[Program]:
    for path, needs in _in_wheel(local):
        yield Program(path=path, needs=needs)
    for name in local.programs:
        for folder in local.folders:
            for path in sorted(Path("/").glob(f"{folder[1:]}/{name}"), reverse=True):
                yield Program(path=path)
        on_path = shutil.which(name)
        if on_path is not None:
            yield _of_the_machine(Path(on_path).resolve())


def _of_the_machine(path: Path) -> Program:
    """A program on PATH. Outside of these folders (~/.nvm, say) a sandbox is shown it alone."""
    shown = any(path.is_relative_to(folder) for folder in ("/usr", "/bin", "/sbin"))
    return Program(path=path, needs=() if shown else (path,))


def _in_wheel(local: Local) -> Iterator[tuple[Path, tuple[Path, ...]]]:
    listed = _files(local.wheel.partition("==")[0]) if local.wheel else None
    if not listed:
        return
    first, _, below = local.wheel_folder.partition("/")
    needs = tuple(path for path in listed.values() if path.is_dir())
    for name in local.programs:
        for path in sorted(listed[first].glob(f"{below}/{name}")):
            yield path, needs


def _files(package: str) -> Mapping[str, Path] | None:
    """The top of what an installed package brings, by name; None when it is not installed."""
    try:
        distribution = metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return None
    site = Path(str(distribution.locate_file("")))
    names = {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}
    return {name: site / name for name in sorted(names)}


@functools.cache
def version(program: Path) -> str:
    """What `--version` says first that looks like one; "" when it says nothing of the kind."""
    try:
        said = subprocess.run(
            [str(program), "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    number = _NUMBER.search(said.stdout.decode(errors="replace"))
    return number.group() if number else ""


def _install(runner: Runner) -> str:
    local = runner.local or Local()
    return pip(local.wheel) if local.wheel else f"install {local.programs[0]} {runner.versions}"


def pip(*arguments: str) -> str:
    """The command that brings Python packages to where grader runs."""
    return " ".join([sys.executable, "-m", "pip", "install", *arguments])
