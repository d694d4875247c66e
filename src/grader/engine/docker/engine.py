"""The Docker engine: images, and sessions that stay warm between runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from grader.engine.base import SessionSpec
from grader.engine.docker.endpoint import chosen
from grader.engine.docker.parts import Parts, fingerprint
from grader.engine.docker.session import DockerSession
from grader.engine.docker.tags import Tags
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
    def _tags(self) -> Tags:
        return Tags(self._settings)

    @cached_property
    def _client(self) -> docker.DockerClient:
        from grader.engine.docker.connect import connect  # it loads the SDK

        return connect(self._settings)

    def prepare(self, spec: SessionSpec, listener: Listener) -> None:
        if self._waiting(spec, self._parts(spec)) is None:
            self._bring_images(spec, listener)

    def _bring_images(self, spec: SessionSpec, listener: Listener) -> None:
        listener(Stage("Looking for the images"))  # an engine far away may take its time
        from grader.engine.docker.images import Images

        Images(self._client, self._settings).ensure(self._names(spec), listener)

    def version(self, spec: SessionSpec) -> str:
        made_of = fingerprint(replace(spec, owner=""), self._parts(spec))
        return f"{made_of} {self._settings.runtime}"

    def release(self, spec: SessionSpec) -> None:
        name = self._name(spec)
        with self._warm.lock(name) as mine:
            if mine:
                self._sweep(name)

    def gaps(self) -> Sequence[str]:
        return self._gaps

    @cached_property
    def _gaps(self) -> Sequence[str]:
        from grader.engine.docker.limits import probe

        limits = probe(self._client, self._settings)
        return [limit.what for limit in limits if not limit.enforced]

    def _names(self, spec: SessionSpec) -> list[str]:
        known = self._tags.runners
        for name in (spec.runner, *spec.services):
            if name not in known:
                raise ExerciseError(
                    f"exercise '{spec.exercise}' needs the runner '{name}', which does not exist",
                    fix=f"runners are: {', '.join(sorted(known))}",
                )
        return ["judge", spec.runner, *spec.services]

    def _parts(self, spec: SessionSpec) -> Parts:
        names, known = self._names(spec), self._tags.runners
        return Parts(
            judge=known["judge"],
            language=known[spec.runner],
            services={name: known[name] for name in spec.services},
            tags={name: self._tags.tag(name) for name in names},
        )

    @contextlib.contextmanager
    def session(
        self, spec: SessionSpec, listener: Listener, *, fresh: bool = False
    ) -> Iterator[DockerSession]:
        parts, name = self._parts(spec), self._name(spec)
        with self._warm.lock(name) if spec.owner else contextlib.nullcontext(False) as mine:
            session = self._begin(spec, parts, name if mine else "", listener, fresh=fresh)
            try:
                yield session
            except BaseException:
                if mine:
                    self._warm.forget(name)
                session.end()
                raise
            if mine and not session.spoiled and self._settings.warm_sessions > 0:
                self._park(session, name)
            else:
                if mine:
                    self._warm.forget(name)
                session.end()

    def _name(self, spec: SessionSpec) -> str:
        return self._warm.name(chosen(self._settings).url, spec.owner, spec.exercise)

    def _waiting(self, spec: SessionSpec, parts: Parts) -> Record | None:
        """The owner's warm session, if it is what this run needs."""
        found = self._warm.load(self._name(spec)) if spec.owner else None
        if found is None or found.made_for != fingerprint(spec, parts):
            return None
        return found if set(found.passwords) == set(parts.services) else None

    def _begin(
        self, spec: SessionSpec, parts: Parts, name: str, listener: Listener, *, fresh: bool
    ) -> DockerSession:
        """The owner's warm session if there is one, else a new one. `name` "": never warm."""
        waiting = self._waiting(spec, parts) if name and not fresh else None
        adopted = None if waiting is None else self._adopt(spec, parts, waiting)
        if adopted is not None and waiting is not None:
            # On disk from now on without its sandbox: who finds this after a crash of ours
            # must not take the one that a run has used.
            self._warm.save(name, replace(waiting, waiting=None))
            return adopted
        known = "_client" in self.__dict__  # this engine has answered before
        try:
            return self._create(spec, parts, name, listener)
        except InfrastructureError:
            from grader.engine.docker.connect import was_away

            if not (known and was_away(self._client, self._settings)):
                raise
        return self._create(spec, parts, name, listener)

    def _create(
        self, spec: SessionSpec, parts: Parts, name: str, listener: Listener
    ) -> DockerSession:
        self._sweep(name)
        self._bring_images(spec, listener)  # they may be gone since the warm session was made
        started = ", ".join([*parts.services, "the judge", "a sandbox"])
        listener(Stage(f"Starting {started}"))
        return DockerSession.create(lambda: self._client, self._settings, spec, parts)

    def _sweep(self, name: str) -> None:
        """Remove the owner's session, if one waits, and what dead ones left."""
        from grader.engine.docker.removal import remove
        from grader.engine.docker.sweep import sweep

        old = self._warm.load(name) if name else None
        if old is not None:
            self._warm.forget(name)
            remove(self._client, old.session)
        sweep(self._client, self._settings)

    def _adopt(self, spec: SessionSpec, parts: Parts, waiting: Record) -> DockerSession | None:
        try:
            return DockerSession.adopt(lambda: self._client, self._settings, spec, parts, waiting)
        except InfrastructureError:  # it ended meanwhile; a new one takes its place
            return None

    def _park(self, session: DockerSession, name: str) -> None:
        """A session that cannot be parked is ended: the verdict is known and stays."""
        try:
            self._warm.save(name, session.park())
        except InfrastructureError:
            self._warm.forget(name)
            with contextlib.suppress(InfrastructureError):  # then the next sweep ends it
                session.end()
        if self._warm.beyond(self._settings.warm_sessions):
            from grader.engine.docker.sweep import end_oldest

            end_oldest(self._client, self._settings)
