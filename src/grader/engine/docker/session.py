"""One session in Docker: the judge, its services and sandboxes, from start to end.

A warm session is used again before the SDK is even loaded: that takes longer than most checks, so
it happens in a thread while the judge works. Only the first words to the judge go without it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from grader.engine.base import Message, Sandbox, SessionSpec, Terminal
from grader.engine.docker.channel import Channel, attached
from grader.engine.docker.endpoint import chosen
from grader.engine.docker.parts import Parts, fingerprint
from grader.engine.docker.sandboxes import REFERENCE_SLOT, SLOTS, Sandboxes
from grader.engine.docker.warm import Record, WarmSessions
from grader.errors import SessionLost, UsageError
from grader.settings import Settings

if TYPE_CHECKING:
    import docker

    from grader.engine.docker.launch import Launcher


class DockerSession:
    """See engine.base.Session. Make it with `create` or `adopt`; end it with `end` or `park`."""

    def __init__(
        self,
        connect: Callable[[], docker.DockerClient],
        settings: Settings,
        spec: SessionSpec,
        parts: Parts,
        record: Record,
    ) -> None:
        self._reached_from = record.session  # the session whose judge reaches our sandboxes
        self._reference: DockerSession | None = None
        self._connect = connect
        self._settings = settings
        self._spec = spec
        self._parts = parts
        self.record = record
        self.reused = False
        self.spoiled = False
        self._pool = ThreadPoolExecutor(max_workers=4)
        self._launching: Future[Launcher] | None = None
        self._sandboxes = Sandboxes(self._start_sandbox, self._kill, self._pool)
        self._channel: Channel | None = None
        self._renewed = 0.0
        self._clients: list[str] = []

    # -- beginning ----------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        connect: Callable[[], docker.DockerClient],
        settings: Settings,
        spec: SessionSpec,
        parts: Parts,
        *,
        reference_for: str = "",
    ) -> DockerSession:
        """Start the judge, then everything else side by side. Raises InfrastructureError.

        `reference_for` is the session whose judge is to reach the one sandbox of this session.
        """
        passwords = {
            name: {role: secrets.token_urlsafe(18) for role in ("admin", "learner")}
            for name in parts.services
        }
        name = f"{WarmSessions(settings.state_dir).home}-{secrets.token_hex(6)}"
        made_for = fingerprint(spec, parts)
        record = Record(session=name, judge="", made_for=made_for, passwords=passwords)
        session = cls(connect, settings, spec, parts, record)
        if reference_for:
            session._reached_from = reference_for
            session._sandboxes = Sandboxes(
                session._start_sandbox, session._kill, session._pool, (REFERENCE_SLOT,)
            )
        try:
            session._start()
        except BaseException:
            session.end()
            raise
        return session

    def _start(self) -> None:
        self._launch()
        launcher = self._launcher
        slots = dict.fromkeys(SLOTS, self._parts.language.uid)
        # Not by this thread: Ctrl-C would cut the call off, and `end` could not wait for it, so the
        # engine might make the container after everything was removed.
        self.record.judge = self._pool.submit(launcher.make_judge, slots).result()
        self._channel = Channel(launcher.attach(self.record.judge))
        launcher.start(self.record.judge)
        self._renew_lease()  # before anything else: from here on the end is near if we are killed
        # With the judge, the volumes exist and are mounted: the rest can start at once.
        self._sandboxes.start_ahead()
        services = [
            self._pool.submit(launcher.start_service, name) for name in self._parts.services
        ]
        for started in services:
            started.result()

    @classmethod
    def adopt(
        cls,
        connect: Callable[[], docker.DockerClient],
        settings: Settings,
        spec: SessionSpec,
        parts: Parts,
        record: Record,
    ) -> DockerSession:
        """Use a session that an earlier process parked. Raises InfrastructureError."""
        session = cls(connect, settings, spec, parts, record)
        session.reused = True
        try:
            session._channel = attached(chosen(settings).url, record.judge)
            session._launch()
            if session._channel is None:
                session._channel = Channel(session._launcher.attach(record.judge))
            if record.waiting is None:  # its last user was killed in the middle of a run
                session._launcher.remove("sandbox")
            session._renew_lease()
            session._hear()
        except BaseException:
            session.close()
            raise
        if record.waiting is not None:
            session._sandboxes.adopt(record.waiting)
        return session

    def _launch(self) -> None:
        """Load the SDK and connect to the engine, in a thread."""
        since = time.time()

        def launch() -> Launcher:
            from grader.engine.docker.launch import Launcher, Plan

            plan = Plan(
                settings=self._settings,
                spec=self._spec,
                parts=self._parts,
                record=self.record,
                reached_from=self._reached_from,
            )
            return Launcher(self._connect(), plan, since)

        self._launching = self._pool.submit(launch)

    @property
    def _launcher(self) -> Launcher:
        assert self._launching is not None
        return self._launching.result()

    def _hear(self) -> None:
        """The judge answers, or the session is lost."""
        token = secrets.token_hex(4)
        self.send({"type": "ping", "id": token})
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            message = self.receive(1)
            if message is not None and message.get("id") == token:
                return
        raise SessionLost("the warm session's judge does not answer")

    def _renew_lease(self) -> None:
        self._renewed = time.monotonic()
        self.send({"type": "lease", "seconds": self._settings.idle_seconds})

    # -- engine.base.Session ------------------------------------------------------------------

    def services(self) -> Mapping[str, Mapping[str, Any]]:
        found = {}
        for name, runner in self._parts.services.items():
            passwords = self.record.passwords[name]
            accounts = {
                role: {"user": runner.accounts[role], "password": passwords[role]}
                for role in ("admin", "learner")
            }
            learner = accounts["learner"]
            env = runner.variables(port=runner.port, **learner)
            found[name] = {"port": runner.port, "inside": runner.port, "env": env, **accounts}
        return found

    def sandbox(self) -> Sandbox:
        ready = self._sandboxes.take()
        if self._spec.owner:  # somebody may come back: the next one is made ready meanwhile
            self._sandboxes.start_ahead()
        return ready

    def replicas(self, count: int) -> list[Sandbox]:
        return self._sandboxes.further(count)

    def discard(self, sandbox: Sandbox) -> None:
        self._sandboxes.discard(sandbox)

    def _start_sandbox(self, slot: str) -> Sandbox:
        return self._launcher.start_sandbox(slot)

    def replace_service(self, name: str) -> None:
        if name not in self._parts.services:
            raise SessionLost(f"there is no service '{name}' in this session")
        self._launcher.remove(name)
        self._launcher.start_service(name)

    def _kill(self, container: str) -> None:
        self._launcher.kill(container)

    def send(self, message: Message) -> None:
        assert self._channel is not None
        self._channel.send(message)

    def receive(self, timeout: float) -> Message | None:
        assert self._channel is not None
        deadline = time.monotonic() + timeout
        while True:
            due = self._renewed + max(self._settings.idle_seconds / 3, 1.0)
            if due <= time.monotonic():  # the lease lasts as long as somebody is listening
                self._renew_lease()
                continue
            left = deadline - time.monotonic()
            message = self._channel.receive(max(0.01, min(left, due - time.monotonic())))
            if message is not None or left <= 0:
                return message

    def out_of_memory(self, sandboxes: Sequence[Sandbox], begin: float, end: float) -> bool:
        return self._launcher.out_of_memory({one.name for one in sandboxes}, begin, end)

    def was_killed(self, sandbox: Sandbox) -> bool:
        return self._launcher.was_killed(sandbox.name)

    def enter(
        self, sandbox: Sandbox, argv: Sequence[str], env: Mapping[str, str], *, tty: bool
    ) -> Terminal:
        return self._launcher.enter(sandbox.name, argv, env, "/submission", tty=tty)

    def client(
        self, service: str, sandbox: Sandbox, env: Mapping[str, str], *, tty: bool
    ) -> Terminal:
        words = self._parts.services[service].client
        if not words:
            raise UsageError(f"{service} has no client to talk to it by hand")
        argv = [word.format(**env) for word in words]
        container = self._launcher.start_client(service, sandbox.name)
        self._clients.append(container)
        return self._launcher.enter(container, argv, env, "/", tty=tty)

    def reference(self) -> DockerSession:
        if self._reference is None:
            self._reference = DockerSession.create(
                self._connect,
                self._settings,
                replace(self._spec, owner=""),
                self._parts,
                reference_for=self.record.session,
            )
        return self._reference

    def spoil(self) -> None:
        self.spoiled = True

    # -- ending -------------------------------------------------------------------------------

    def park(self) -> Record:
        """Leave services and judge warm for the next run, and say how to find them."""
        self._renew_lease()
        used = {*self._sandboxes.used(), *self._clients}
        self.record.waiting = self._sandboxes.waiting()
        self.record.containers = [one for one in self.record.containers if one not in used]
        for container in used:
            self._pool.submit(self._launcher.kill, container)
        self.close(wait=False)  # the verdict need not wait until the sandbox is gone
        return self.record

    def end(self) -> None:
        """Remove every container and volume of the session; safe to call at any time."""
        self.close()
        if self._launching is not None and self._launching.exception() is None:
            self._launching.result().remove_all()

    def close(self, *, wait: bool = True) -> None:
        """Let go of the session in this process; a session apart for the reference ends."""
        if self._reference is not None:
            self._reference.end()
        self._pool.shutdown(wait=wait, cancel_futures=wait)
        if self._launching is not None:
            self._launching.add_done_callback(_close)
        if self._channel is not None:
            self._channel.close()


def _close(launching: Future[Launcher]) -> None:
    if not launching.cancelled() and launching.exception() is None:
        launching.result().close()
