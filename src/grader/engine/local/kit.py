"""What a session of the engine `local` is made of, found when it is first needed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from grader import shipped
from grader.engine.base import SessionSpec
from grader.engine.docker.tags import Tags
from grader.engine.local import folder, npm, programs, sandbox
from grader.engine.local.confinement import Confinement, confinement
from grader.engine.local.programs import Program
from grader.engine.runners import Runner
from grader.errors import ExerciseError, InfrastructureError
from grader.settings import Settings


class Kit:
    """The runners of a session and what takes the place of their images."""

    def __init__(self, settings: Settings, spec: SessionSpec) -> None:
        """Raises ExerciseError for a runner there is none of."""
        self._settings = settings
        self.spec = spec
        self._tags = Tags(settings)
        known = self._tags.runners
        for name in (spec.runner, *spec.services):
            if name not in known:
                raise ExerciseError(
                    f"exercise '{spec.exercise}' needs the runner '{name}', which does not exist",
                    fix=f"runners are: {', '.join(sorted(known))}",
                )
        self.judge = known["judge"]
        self.language: Runner = known[spec.runner]
        self.services: Mapping[str, Runner] = {name: known[name] for name in spec.services}

    @cached_property
    def fingerprint(self) -> str:
        """Equal for sessions that can stand in for each other."""
        names = ("judge", self.spec.runner, *self.spec.services)
        tags = sorted(self._tags.tag(name) for name in names)
        return repr((self.spec, tags, sys.prefix, shutil.which("bwrap")))

    def complete(self) -> None:
        """Whether all is there. Raises MissingProgram, InfrastructureError."""
        check_machine(self.confinement)
        programs.require(self.judge.folder / "requirements.txt")
        self.programs, self.packages, self.server_packages  # noqa: B018 -- looking is what is wanted
        npm.require(self._settings, self.language, self.programs[self.language.name])

    @cached_property
    def programs(self) -> Mapping[str, Program | None]:
        """By runner. Raises MissingProgram."""
        runners = [self.language, *self.services.values()]
        return {runner.name: programs.find(runner) for runner in runners}

    @cached_property
    def packages(self) -> Mapping[str, Path]:
        """What the learner's interpreter finds. Raises MissingProgram."""
        return programs.packages(self.language)

    @cached_property
    def node_modules(self) -> Path | None:
        """What the learner's JavaScript finds; installed when it is asked for at first.

        Raises MissingProgram, and InfrastructureError when it cannot be installed.
        """
        return npm.install(self._settings, self.language, self.programs[self.language.name])

    @property
    def worker(self) -> Path | None:
        """What calls functions of a language that is not Python."""
        name = self.language.local.worker if self.language.local is not None else ""
        return self.language.folder / name if name else None

    @cached_property
    def server_packages(self) -> Mapping[str, Mapping[str, Path]]:
        """Of each server in Python, what its interpreter finds. Raises MissingProgram."""
        return {
            name: programs.packages(runner)
            for name, runner in self.services.items()
            if runner.local is not None and not runner.local.programs
        }

    @cached_property
    def confinement(self) -> Confinement:
        return confinement()

    @property
    def agent(self) -> Path:
        return shipped.package() / "agent"

    @property
    def hidden(self) -> tuple[Path, ...]:
        """What no sandbox may see: hidden tests, and grader's own files."""
        listed = [shipped.package(), shipped.exercises(), self._settings.exercises]
        return tuple(path.resolve() for path in listed if path is not None)


def check_machine(found: Confinement) -> None:
    """Whether programs may run here at all. Raises InfrastructureError.

    Where nothing else holds a program back, it must not be root as well.
    """
    if not sys.platform.startswith("linux"):
        raise InfrastructureError(
            "the engine local needs Linux", fix="install Docker, and see: grader doctor"
        )
    if found.root and not found.bubblewrap and not folder.readable(sandbox.interpreter()):
        raise InfrastructureError(
            f"{found.why_not}; without it programs do not run as root, and no other user can run "
            f"{sandbox.interpreter()}",
            fix=f"{found.fix}, or run grader as another user",
        )
