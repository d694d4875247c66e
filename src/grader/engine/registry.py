"""Which engines there are, by name, and which one this machine gets when none is named."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace

from grader.engine.base import Engine
from grader.errors import EngineUnavailable, UsageError
from grader.model.exercise import Exercise
from grader.model.finding import Finding, State
from grader.model.progress import Listener
from grader.settings import Settings

ANSWER_WITHIN = 2.0
"""Seconds in which Docker's socket takes a connection when somebody listens there."""


def engine(settings: Settings) -> Engine:
    """The engine that the settings name, else the one of this machine.

    Raises UsageError for a name there is none of.
    """
    make = ENGINES.get(settings.engine or automatic(settings)[0])
    if make is None:
        raise UsageError(
            f"there is no engine '{settings.engine}'", fix=f"engines are: {', '.join(ENGINES)}"
        )
    return make(settings)


def automatic(settings: Settings) -> tuple[str, str]:
    """`docker` when one answers, else `local`, with the reason why it is not Docker.

    An engine that is reached over a network counts as answering: the user has named it.
    """
    from grader.engine.docker.endpoint import chosen

    try:
        where = chosen(settings)
    except EngineUnavailable:  # a context that is damaged: using it says what to mend
        return "docker", ""
    if not where.url.startswith("unix://"):
        return "docker", ""
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(ANSWER_WITHIN)
            probe.connect(where.url.removeprefix("unix://"))
    except PermissionError:
        return "local", "this user may not use Docker"
    except OSError:
        return "local", "no Docker answers"
    return "docker", ""


def examine(settings: Settings, listener: Listener) -> list[Finding]:
    """What `grader doctor` says of the engine that the settings name, else of all that are used.

    When no Docker answers and nobody named it, that is a warning: there is another engine.
    """
    findings: list[Finding] = []
    if settings.engine != "local":
        from grader.engine.docker.doctor import examine as look_at_docker

        findings += look_at_docker(settings, listener)
    if (settings.engine or automatic(settings)[0]) == "local":
        from grader.engine.local.doctor import examine as look_at_local

        findings = [_instead(finding) for finding in findings] + look_at_local(settings, listener)
    return findings


def _instead(finding: Finding) -> Finding:
    failed = finding.state is State.FAILS
    return replace(finding, state=State.WARNS) if failed else finding


def missing(settings: Settings) -> Callable[[Exercise], str]:
    """Says what an exercise needs and the engine lacks that would run it; "" when it can run.

    Docker brings what it lacks by itself.
    """
    if (settings.engine or automatic(settings)[0]) != "local":
        return lambda _: ""
    from grader.engine.local.doctor import missing as missing_here

    return lambda exercise: missing_here(settings, exercise.runner, exercise.services)


def stop(settings: Settings) -> int:
    """End every session that waits for its owner; how many there were.

    Those of every engine that answers, unless the settings name one. Raises InfrastructureError.
    """
    ended = 0
    if settings.engine in ("", "local"):
        from grader.engine.local.sweep import stop as stop_local

        ended += stop_local(settings)
    if (settings.engine or automatic(settings)[0]) == "docker":
        from grader.engine.docker.sweep import stop as stop_docker

        ended += stop_docker(settings)
    return ended


def _docker(settings: Settings) -> Engine:
    from grader.engine.docker.engine import DockerEngine  # its import takes 0.1 s

    return DockerEngine(settings)


def _local(settings: Settings) -> Engine:
    from grader.engine.local.engine import LocalEngine

    return LocalEngine(settings)


def _fake(settings: Settings) -> Engine:
    from grader.engine.fake import FakeEngine

    del settings
    return FakeEngine()


ENGINES: dict[str, Callable[[Settings], Engine]] = {
    "docker": _docker,
    "local": _local,
    "fake": _fake,
}
