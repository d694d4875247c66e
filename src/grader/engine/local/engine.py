"""The engine for machines without Docker: real servers and real processes, held as they can be."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from grader.engine.base import SessionSpec
from grader.engine.docker.warm import Record
from grader.engine.local.confinement import confinement, gaps
from grader.engine.local.kit import Kit
from grader.engine.local.session import LocalSession
from grader.engine.local.sweep import end_oldest, remove, sweep, warm_sessions
from grader.errors import InfrastructureError
from grader.model.progress import Listener, Stage
from grader.settings import Settings


class LocalEngine:
    """See engine.base.Engine."""

    name = "local"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._warm = warm_sessions(settings)

    def prepare(self, spec: SessionSpec, listener: Listener) -> None:
        kit = Kit(self._settings, spec)
        if self._waiting(kit) is None:
            listener(Stage("Looking for the servers"))
            kit.complete()
            kit.node_modules  # noqa: B018 -- installing them is what is wanted

    def version(self, spec: SessionSpec) -> str:
        return Kit(self._settings, replace(spec, owner="")).fingerprint

    def release(self, spec: SessionSpec) -> None:
        name = self._name(spec)
        with self._warm.lock(name) as mine:
            old = self._warm.load(name) if mine else None
            if old is not None:
                self._warm.forget(name)
                remove(old.session)

    def gaps(self) -> Sequence[str]:
        return gaps(confinement())

    @contextlib.contextmanager
    def session(
        self, spec: SessionSpec, listener: Listener, *, fresh: bool = False
    ) -> Iterator[LocalSession]:
        kit, name = Kit(self._settings, spec), self._name(spec)
        with self._warm.lock(name) if spec.owner else contextlib.nullcontext(False) as mine:
            session = self._begin(kit, name if mine else "", listener, fresh=fresh)
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
        return self._warm.name(spec.owner, spec.exercise)

    def _waiting(self, kit: Kit) -> Record | None:
        """The owner's warm session, if it is what this run needs."""
        found = self._warm.load(self._name(kit.spec)) if kit.spec.owner else None
        if found is None or found.made_for != kit.fingerprint:
            return None
        return found if set(found.passwords) == set(kit.services) else None

    def _begin(self, kit: Kit, name: str, listener: Listener, *, fresh: bool) -> LocalSession:
        """The owner's warm session if there is one, else a new one. `name` "": never warm."""
        waiting = self._waiting(kit) if name and not fresh else None
        if waiting is not None:
            with contextlib.suppress(InfrastructureError):  # it ended meanwhile: a new one
                adopted = LocalSession.adopt(self._settings, kit, waiting)
                # On disk from now on without its sandbox: who finds this after a crash of ours
                # must not take the one that a run has used.
                self._warm.save(name, replace(waiting, waiting=None))
                return adopted
        old = self._warm.load(name) if name else None
        if old is not None:
            self._warm.forget(name)
            remove(old.session)
        sweep(self._settings)
        kit.complete()
        listener(Stage(f"Starting {', '.join([*kit.services, 'the judge', 'a sandbox'])}"))
        return LocalSession.create(self._settings, kit, self._warm.home)

    def _park(self, session: LocalSession, name: str) -> None:
        """A session that cannot be parked is ended: the verdict is known and stays."""
        try:
            self._warm.save(name, session.park())
        except InfrastructureError:
            self._warm.forget(name)
            with contextlib.suppress(InfrastructureError):
                session.end()
        if self._warm.beyond(self._settings.warm_sessions):
            end_oldest(self._settings)
