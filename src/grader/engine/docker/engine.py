"""The Docker engine: images, and sessions that stay warm between runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from grader import shipped
from grader.engine import runners
from grader.engine.base import SessionSpec
from grader.engine.docker.connect import connect
from grader.engine.docker.images import Images
from grader.engine.docker.limits import probe
from grader.engine.docker.removal import remove
from grader.engine.docker.session import DockerSession, Parts, fingerprint
from grader.engine.docker.sweep import sweep
from grader.engine.docker.warm import Record, WarmSessions
from grader.errors import ExerciseError, InfrastructureError
from grader.model.progress import Listener, Stage
from grader.settings import Settings

if TYPE_CHECKING:
    import docker


class DockerEngine:
    """See engine.base.Engine."""

    name = "docker"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._warm = WarmSessions(settings.state_dir)

    @cached_property
    def _client(self) -> docker.DockerClient:
        return connect(self._settings)

    @cached_property
    def _images(self) -> Images:
        return Images(self._client, self._settings)

    def prepare(self, spec: SessionSpec, listener: Listener) -> None:
        self._images.ensure(self._names(spec), listener)

    def gaps(self) -> Sequence[str]:
        return self._gaps

    @cached_property
    def _gaps(self) -> Sequence[str]:
        limits = probe(self._client, self._settings)
        return [limit.what for limit in limits if not limit.enforced]

    def _names(self, spec: SessionSpec) -> list[str]:
        known = runners.load(shipped.runners())
        for name in (spec.runner, *spec.services):
            if name not in known:
                raise ExerciseError(
                    f"exercise '{spec.exercise}' needs the runner '{name}', which does not exist",
                    fix=f"runners are: {', '.join(sorted(known))}",
                )
        return ["judge", spec.runner, *spec.services]

    def _parts(self, spec: SessionSpec) -> Parts:
        known = runners.load(shipped.runners())
        return Parts(
            judge=known["judge"],
            language=known[spec.runner],
            services={name: known[name] for name in spec.services},
            tags={name: self._images.tag(name) for name in self._names(spec)},
        )

    @contextlib.contextmanager
    def session(
        self, spec: SessionSpec, listener: Listener, *, fresh: bool = False
    ) -> Iterator[DockerSession]:
        parts = self._parts(spec)
        name = self._warm.name(str(self._client.api.base_url), spec.owner, spec.exercise)
        with self._warm.lock(name) if spec.owner else contextlib.nullcontext(False) as mine:
            session = self._begin(spec, parts, name if mine else "", listener, fresh=fresh)
            try:
                yield session
            except BaseException:
                if mine:
                    self._warm.forget(name)
                session.end()
                raise
            if mine and not session.spoiled:
                self._park(session, name)
            else:
                session.end()

    def _begin(
        self, spec: SessionSpec, parts: Parts, name: str, listener: Listener, *, fresh: bool
    ) -> DockerSession:
        """The owner's warm session if there is one, else a new one. `name` "": never warm."""
        waiting = self._warm.load(name) if name else None
        if waiting is not None:
            usable = not fresh and waiting.made_for == fingerprint(spec, parts)
            adopted = self._adopt(spec, parts, waiting) if usable else None
            if adopted is not None:
                # On disk from now on without its sandbox: who finds this after a crash of ours
                # must not take the one that a run has used.
                self._warm.save(name, replace(waiting, waiting=None))
                return adopted
            self._warm.forget(name)
            remove(self._client, waiting.session)
        sweep(self._client, self._settings)
        started = ", ".join([*parts.services, "the judge", "a sandbox"])
        listener(Stage(f"Starting {started}"))
        return DockerSession.create(self._client, self._settings, spec, parts)

    def _adopt(self, spec: SessionSpec, parts: Parts, waiting: Record) -> DockerSession | None:
        try:
            return DockerSession.adopt(self._client, self._settings, spec, parts, waiting)
        except InfrastructureError:  # it ended meanwhile; a new one takes its place
            return None

    def _park(self, session: DockerSession, name: str) -> None:
        """A session that cannot be parked is ended: the verdict is known and stays."""
        try:
            self._warm.save(name, session.park())
        except InfrastructureError:
            self._warm.forget(name)
            session.end()
