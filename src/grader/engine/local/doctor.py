"""What `grader doctor` looks at for the engine without Docker, and what `grader roadmap` asks."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from grader import shipped
from grader.engine import runners
from grader.engine.base import SessionSpec
from grader.engine.local import npm, programs
from grader.engine.local.confinement import Confinement, confinement, gaps
from grader.engine.local.kit import Kit, check_machine
from grader.engine.local.programs import MissingProgram
from grader.engine.runners import Runner
from grader.errors import GraderError, InfrastructureError
from grader.model.exercise import Limits
from grader.model.finding import Finding, State
from grader.model.progress import Listener, Stage
from grader.settings import Settings


def examine(settings: Settings, listener: Listener) -> list[Finding]:
    """Whether sessions can be made without Docker, and how programs are held back in them."""
    listener(Stage("Looking for servers and sandboxes of this machine"))
    try:
        known = runners.load(shipped.runners())
        programs.require(known["judge"].folder / "requirements.txt")
        found = confinement()
        check_machine(found)
    except GraderError as error:
        return [
            Finding(
                name="local",
                state=State.FAILS,
                found="not usable",
                cause=error.message,
                fix=error.fix,
            )
        ]
    return [_local(settings, known), _sandbox(found)]


def _local(settings: Settings, known: Mapping[str, Runner]) -> Finding:
    """Which runners have here what their images hold."""
    here: dict[str, str] = {}
    missing: list[MissingProgram] = []
    for name, runner in known.items():
        if runner.kind in ("language", "service"):
            try:
                here[name] = _where(settings, runner)
            except MissingProgram as error:
                missing.append(error)
    found = ", ".join(f"{name} {where}".strip() for name, where in here.items())
    facts = {"runners": list(here), "missing": [error.what for error in missing]}
    if not missing:
        return Finding(name="local", found=found, facts=facts)
    return Finding(
        name="local",
        state=State.WARNS,
        found=found or "no runner is usable",
        cause="; ".join(error.message for error in missing),
        fix=missing[0].fix,
        facts=facts,
    )


def _where(settings: Settings, runner: Runner) -> str:
    """The version of a runner's program. Raises MissingProgram."""
    programs.packages(runner)
    program = programs.find(runner)
    npm.require(settings, runner, program)
    return "" if program is None else programs.version(program.path)


def _sandbox(found: Confinement) -> Finding:
    left = ", or ".join(gaps(found))
    facts = {"bubblewrap": bool(found.bubblewrap), "root": found.root, "gaps": gaps(found)}
    if found.bubblewrap:
        text = "bubblewrap keeps programs from your files, other processes and the network; "
        return Finding(name="sandbox", found=f"{text}not from {left}", facts=facts)
    return Finding(
        name="sandbox",
        state=State.WARNS,
        found=f"nothing keeps a program from {left}",
        cause=found.why_not,
        fix=found.fix,
        facts=facts,
    )


def missing(settings: Settings, runner: str, services: Collection[str]) -> str:
    """What an exercise needs and this machine lacks, by name; "" when all is here."""
    spec = SessionSpec(exercise="", runner=runner, services=tuple(services), limits=Limits())
    try:
        Kit(settings, spec).complete()
    except MissingProgram as error:
        return error.what
    except InfrastructureError:
        return "Docker"
    return ""
