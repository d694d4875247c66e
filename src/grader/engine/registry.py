"""Which engines there are, by name."""

from __future__ import annotations

from collections.abc import Callable

from grader.engine.base import Engine
from grader.errors import UsageError
from grader.settings import Settings


def engine(settings: Settings) -> Engine:
    """The engine that the settings name. Raises UsageError for a name there is none of."""
    make = ENGINES.get(settings.engine)
    if make is None:
        raise UsageError(
            f"there is no engine '{settings.engine}'", fix=f"engines are: {', '.join(ENGINES)}"
        )
    return make(settings)


def _docker(settings: Settings) -> Engine:
    from grader.engine.docker.engine import DockerEngine  # its import takes 0.1 s

    return DockerEngine(settings)


def _fake(settings: Settings) -> Engine:
    from grader.engine.fake import FakeEngine

    del settings
    return FakeEngine()


ENGINES: dict[str, Callable[[Settings], Engine]] = {"docker": _docker, "fake": _fake}
