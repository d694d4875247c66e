"""One session in Docker: the judge, its services and sandboxes, from start to end."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any

import docker

from grader.engine.base import Message, Sandbox, SessionSpec
from grader.engine.docker import containers
from grader.engine.docker.channel import Channel
from grader.engine.docker.errors import translated
from grader.engine.docker.memory import MemoryWatch
from grader.engine.docker.removal import remove, remove_role
from grader.engine.docker.warm import Record, WarmSessions
from grader.engine.runners import Runner
from grader.errors import SessionLost
from grader.settings import Settings

SLOTS = ("slot0", "slot1", "slot2")
REFERENCE_SLOT = "reference"
ANSWER_WITHIN = 20.0
STARTING = 60
"""Seconds a container lives at least before there is a lease: starting it may take long."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The runners and image tags a session is made of."""

    judge: Runner
    language: Runner
    services: Mapping[str, Runner]
    tags: Mapping[str, str]


def fingerprint(spec: SessionSpec, parts: Parts) -> str:
    """Equal for sessions that can stand in for each other."""
    return repr((spec, sorted(parts.tags.items())))


class DockerSession:
    """See engine.base.Session. Make it with `create` or `adopt`; end it with `end` or `park`."""

    def __init__(
        self,
        client: docker.DockerClient,
        settings: Settings,
        spec: SessionSpec,
        parts: Parts,
        record: Record,
    ) -> None:
        self._reached_from = record.session  # the session whose judge reaches our sandboxes
        self._slots: tuple[str, ...] = SLOTS
        self._reference: DockerSession | None = None
        self._client = client
        self._settings = settings
        self._spec = spec
        self._parts = parts
        self.record = record
        self.reused = False
        self.spoiled = False
        self._pool = ThreadPoolExecutor(max_workers=4)
        self._jobs: list[Future[None]] = []
        self._ahead: Future[Sandbox] | None = None
        self._used: dict[str, str] = {}
        self._channel: Channel | None = None
        self._renewed = 0.0
        self._memory: MemoryWatch | None = None

    # -- beginning ----------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        client: docker.DockerClient,
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
        made_for = fingerprint(spec, parts)
        name = f"{WarmSessions(settings.state_dir).home}-{secrets.token_hex(6)}"
        record = Record(session=name, judge="", made_for=made_for, passwords=passwords)
        session = cls(client, settings, spec, parts, record)
        if reference_for:
            session._reached_from, session._slots = reference_for, (REFERENCE_SLOT,)
        try:
            with translated("starting a session"):
                session._start()
        except BaseException:
            session.end()
            raise
        return session

    def _start(self) -> None:
        labels = self._labels("judge")
        slots = dict.fromkeys((*SLOTS, REFERENCE_SLOT), self._parts.language.uid)
        tag = self._parts.tags["judge"]
        made = containers.judge(self.record.session, tag, self._parts.judge, slots, labels)
        self.record.judge = self._create(made)
        self._attach()
        self._client.api.start(self.record.judge)
        self._renew_lease()  # before anything else: from here on the end is near if we are killed
        # With the judge, the volumes exist and are mounted: the rest can start at once.
        self._ahead = self._pool.submit(self._start_sandbox, self._slots[0])
        services = [self._pool.submit(self._start_service, name) for name in self._parts.services]
        for started in services:
            started.result()

    @classmethod
    def adopt(
        cls,
        client: docker.DockerClient,
        settings: Settings,
        spec: SessionSpec,
        parts: Parts,
        record: Record,
    ) -> DockerSession:
        """Use a session that an earlier process parked. Raises InfrastructureError."""
        session = cls(client, settings, spec, parts, record)
        session.reused = True
        try:
            with translated("using the warm session again"):
                if record.waiting is None:  # its last user was killed in the middle of a run
                    remove_role(client, record.session, "sandbox")
                session._attach()
            session._renew_lease()
            session._hear()
        except BaseException:
            session.close()
            raise
        if record.waiting is not None:
            ready: Future[Sandbox] = Future()
            ready.set_result(Sandbox(**record.waiting))
            session._ahead = ready
        return session

    def _attach(self) -> None:
        raw = self._client.api.attach_socket(
            self.record.judge, params={"stdin": 1, "stdout": 1, "stream": 1}
        )
        self._channel = Channel(raw)
        self._memory = MemoryWatch(self._client, self.record.session)

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

    # -- containers ---------------------------------------------------------------------------

    def _labels(self, role: str) -> dict[str, str]:
        return {
            containers.LABEL: self.record.session,
            "grader.role": role,
            "grader.exercise": self._spec.exercise,
            "grader.owner": self._spec.owner,
            "grader.pid": str(os.getpid()),
            "grader.started": str(int(time.time())),
        }

    def _create(self, made: containers.Container) -> str:
        api = self._client.api
        values = containers.arguments(api, made)
        grace = max(self._settings.idle_seconds, STARTING)
        values["environment"]["GRADER_LEASE_GRACE"] = str(grace)
        answer = api.create_container(**values)
        self.record.containers.append(answer["Id"])
        return str(answer["Id"])

    def _start_service(self, name: str) -> None:
        made = containers.service(
            self.record.session,
            self._parts.tags[name],
            self._parts.services[name],
            self.record.judge,
            self._parts.judge.uid,
            self.record.passwords[name],
            self._labels(name),
        )
        with translated(f"starting the service {name}"):
            self._client.api.start(self._create(made))

    def _start_sandbox(self, slot: str) -> Sandbox:
        # A name nobody knows before: nothing that lies in this place already is taken for it.
        address = Sandbox(
            name="", slot=slot, socket=secrets.token_hex(6), key=secrets.token_urlsafe(18)
        )
        made = containers.sandbox(
            self.record.session,
            self._parts.tags[self._parts.language.name],
            self._parts.language,
            self._parts.judge.uid,
            containers.slot_mount(
                self._reached_from,
                slot,
                self._parts.language.uid,
                containers.SLOT_FOLDER,
                read_only=False,
            ),
            address,
            self._parts.services,
            self._spec.limits,
            self._labels("sandbox"),
            self._settings.runtime,
        )
        with translated("starting a sandbox"):
            container = self._create(made)
            self._client.api.start(container)
        return replace(address, name=container)

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
            found[name] = {"port": runner.port, "env": env, **accounts}
        return found

    def sandbox(self) -> Sandbox:
        ahead, self._ahead = self._ahead, None
        ready = ahead.result() if ahead is not None else self._start_sandbox(self._free_slot())
        self._used[ready.slot] = ready.name
        if self._spec.owner:  # somebody may come back: the next one is made ready meanwhile
            self._ahead = self._pool.submit(self._start_sandbox, self._free_slot())
        return ready

    def _free_slot(self) -> str:
        for slot in self._slots:
            if slot not in self._used:
                return slot
        raise SessionLost("every place for a sandbox is taken")

    def discard(self, sandbox: Sandbox) -> None:
        self._kill(sandbox.name)
        self._used.pop(sandbox.slot, None)

    def replace_service(self, name: str) -> None:
        if name not in self._parts.services:
            raise SessionLost(f"there is no service '{name}' in this session")
        remove_role(self._client, self.record.session, name)
        self._start_service(name)

    def _kill(self, container: str) -> None:
        """End a container; the engine removes it then by itself."""
        with contextlib.suppress(docker.errors.APIError):  # it is gone already
            self._client.api.kill(container)

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

    def out_of_memory(self, sandbox: Sandbox, begin: float, end: float) -> bool:
        assert self._memory is not None
        return self._memory.met_limit(sandbox.name, begin, end)

    def was_killed(self, sandbox: Sandbox) -> bool:
        assert self._memory is not None
        return self._memory.was_killed(sandbox.name)

    def reference(self) -> DockerSession:
        if self._reference is None:
            self._reference = DockerSession.create(
                self._client,
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
        if self._ahead is not None:
            ready = self._ahead.result()
            self.record.waiting = asdict(ready)
        alive = {*(() if self._ahead is None else (self._ahead.result().name,))}
        used = set(self._used.values())
        self.record.containers = [
            one for one in self.record.containers if one in alive or one not in used
        ]
        for container in used:
            self._pool.submit(self._kill, container)
        self.close(wait=False)  # the verdict need not wait until the sandbox is gone
        return self.record

    def end(self) -> None:
        """Remove every container and volume of the session; safe to call at any time."""
        self.close()
        remove(self._client, self.record.session)

    def close(self, *, wait: bool = True) -> None:
        """Let go of the session in this process; a session apart for the reference ends."""
        if self._reference is not None:
            self._reference.end()
        self._pool.shutdown(wait=wait, cancel_futures=wait)
        if self._memory is not None:
            self._memory.close()
        if self._channel is not None:
            self._channel.close()
