"""One session of the engine `local`: the judge, its services and sandboxes, from start to end."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from grader.engine.base import Message, Sandbox, Terminal
from grader.engine.docker.sandboxes import REFERENCE_SLOT, Sandboxes
from grader.engine.docker.warm import Record
from grader.engine.local import folder, sandbox
from grader.engine.local.control import Control, JudgeChannel, forget, launch
from grader.engine.local.kit import Kit
from grader.engine.local.sandbox import ENTER, entering, interpreter
from grader.engine.local.sweep import end
from grader.engine.local.terminal import LocalTerminal
from grader.engine.runners import Runner, size
from grader.errors import InfrastructureError, SessionLost, UsageError
from grader.model.exercise import MIB
from grader.settings import Settings

PORTS = range(30_000, 32_000)
"""For servers: beyond the agent's, below those that the kernel gives to outgoing connections."""
STARTING = 60
"""Seconds a session lives at least before there is a lease."""
JUDGE_MEMORY = 512 * MIB


class LocalSession:
    """See engine.base.Session. Make it with `create` or `adopt`; end it with `end` or `park`."""

    def __init__(self, settings: Settings, kit: Kit, record: Record) -> None:
        self._settings = settings
        self._kit = kit
        self.record = record
        self.reused = False
        self.spoiled = False
        self._folder = folder.of(record.session)
        self._slots = self._folder / "slots"
        self._reference: LocalSession | None = None
        self._pool = ThreadPoolExecutor(max_workers=4)
        self._sandboxes = Sandboxes(self._start_sandbox, self._kill, self._pool)
        self._control: Control | None = None
        self._supervisor = 0
        self._channel: JudgeChannel | None = None
        self._ports: dict[str, tuple[int, int]] = {}
        self._renewed = 0.0

    # -- beginning ----------------------------------------------------------------------------

    @classmethod
    def create(
        cls, settings: Settings, kit: Kit, home: str, slots: Path | None = None
    ) -> LocalSession:
        """Start the judge, the services and a sandbox. Raises InfrastructureError.

        `slots` are those of the session whose judge is to reach the one sandbox of this session.
        """
        passwords = {
            name: {role: secrets.token_urlsafe(18) for role in ("admin", "learner")}
            for name in kit.services
        }
        name = f"{home}-{secrets.token_hex(6)}"
        record = Record(session=name, judge="", made_for=kit.fingerprint, passwords=passwords)
        session = cls(settings, kit, record)
        if slots is not None:
            session._slots = slots
            session._sandboxes = Sandboxes(
                session._start_sandbox, session._kill, session._pool, (REFERENCE_SLOT,)
            )
        try:
            session._start()
        except OSError as error:
            session.end()
            raise InfrastructureError(
                f"{error.filename or session._folder}: a session cannot be made: {error.strerror}",
                fix="see: grader doctor",
            ) from error
        except BaseException:
            session.end()
            raise
        return session

    def _start(self) -> None:
        folder.make(self._folder)
        self._control, self._supervisor = launch(
            self._folder, max(self._settings.idle_seconds, STARTING)
        )
        if not self._kit.confinement.bubblewrap:
            root = self._kit.confinement.root
            folder.make_interpreter(self._folder, self._kit.packages, self._kit.agent, copy=root)
            for path in (self._kit.node_modules, self._kit.worker):
                if path is not None:
                    folder.lay(path, self._folder / path.name, copy=root)
        self._choose_ports()
        self._control.ask(self._judge())
        self._channel = self._control.judge()
        self._renew_lease()
        self._sandboxes.start_ahead()
        services = [self._pool.submit(self._start_service, name) for name in self._kit.services]
        for started in services:
            started.result()

    def _choose_ports(self) -> None:
        """Each server's own, and the one that it has in a sandbox."""
        apart = bool(self._kit.confinement.bubblewrap)
        taken: set[int] = set()
        for name, runner in self._kit.services.items():
            port = _free_port(taken)
            self._ports[name] = (port, runner.port if apart else _free_port(taken))
        (self._folder / "ports").write_bytes(msgspec.json.encode(self._ports))

    @classmethod
    def adopt(cls, settings: Settings, kit: Kit, record: Record) -> LocalSession:
        """Use a session that an earlier process parked. Raises InfrastructureError."""
        session = cls(settings, kit, record)
        session.reused = True
        try:
            session._control = Control(session._folder)
            session._channel = session._control.judge()
            session._read_ports()
            if record.waiting is None:  # its last user was killed in the middle of a run
                session._control.ask({"op": "kill", "names": record.containers})
            session._renew_lease()
            session._hear()
        except BaseException:
            session.close()
            raise
        if record.waiting is not None:
            session._sandboxes.adopt(record.waiting)
        return session

    def _read_ports(self) -> None:
        try:
            content = (self._folder / "ports").read_bytes()
            self._ports = msgspec.json.decode(content, type=dict[str, tuple[int, int]])
        except (OSError, ValueError) as error:
            raise SessionLost(f"the warm session's folder is damaged: {error}") from None

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

    # -- what is started ----------------------------------------------------------------------

    def _judge(self) -> Mapping[str, Any]:
        enter = {
            "argv": [sys.executable, "-I", "-m", "grader.judge"],
            "env": {"GRADER_ROOT": str(self._folder), "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"},
            "folder": str(self._folder / "tmp"),
            "user": 0,
            "own": [],
            "limits": {"CORE": 0, "NOFILE": 4096},
            "end_with": int(signal.SIGKILL),
        }
        return _plain_start("judge", enter, JUDGE_MEMORY, channel=True)

    def _start_service(self, name: str) -> None:
        runner = self._kit.services[name]
        user, files = self._kit.confinement.server_user(), self._folder / "services" / name
        data = files / "data"
        shutil.rmtree(files, ignore_errors=True)
        folder.copy_to(runner.folder, files)
        data.mkdir(mode=0o700)
        assert self._control is not None
        self._control.ask(self._service(runner, files, data, user))

    def _service(self, runner: Runner, files: Path, data: Path, user: int) -> Mapping[str, Any]:
        program, passwords = self._kit.programs[runner.name], self.record.passwords[runner.name]
        assert runner.local is not None
        path, before = sandbox.interpreter(), []
        libraries = {}
        if program is not None:
            path = folder.readable_program(self._folder, runner.name, program, user)
        else:
            if user and not folder.readable(path):
                user, before = 0, sandbox.read_only_but(data, self._kit.confinement)
            packages = self._kit.server_packages[runner.name]
            site = folder.server_packages(self._folder, runner.name, packages, copy=bool(user))
            libraries = {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
        enter = {
            "argv": ["/bin/sh", str(files / runner.local.start)],
            "env": {
                "GRADER_ADMIN_PASSWORD": passwords["admin"],
                "GRADER_LEARNER_PASSWORD": passwords["learner"],
                "GRADER_DATA": str(data),
                "GRADER_FILES": str(files),
                "GRADER_PORT": str(self._ports[runner.name][0]),
                "GRADER_PROGRAM": str(path),
                "LANG": "C.UTF-8",
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                **libraries,
            },
            "folder": str(data),
            "user": user,
            "own": [str(data)],
            "limits": {"CORE": 0, "NOFILE": 4096, "FSIZE": size(runner.data)},
            "end_with": int(signal.SIGINT),
        }
        start = _plain_start(runner.name, enter, size(runner.memory), channel=False)
        return {**start, "argv": [*before, *start["argv"]]}

    def _start_sandbox(self, slot: str) -> Sandbox:
        address = Sandbox(
            name=f"sandbox-{secrets.token_hex(6)}",
            slot=slot,
            socket=secrets.token_hex(6),
            key=secrets.token_urlsafe(18),
        )
        user = self._kit.confinement.sandbox_user()
        assert self._control is not None
        try:
            folder.make_box(self._folder, address.name, user)
        except OSError as error:
            raise SessionLost(f"a sandbox cannot be made: {error}") from None
        self.record.containers.append(address.name)
        self._control.ask(sandbox.request(self._plan, address, self._slots, user))
        return address

    @cached_property
    def _plan(self) -> sandbox.Plan:
        kit = self._kit
        return sandbox.Plan(
            folder=self._folder,
            confinement=kit.confinement,
            language=kit.language,
            program=kit.programs[kit.language.name],
            packages=kit.packages,
            node_modules=kit.node_modules,
            worker=kit.worker,
            agent=kit.agent,
            hidden=kit.hidden,
            relays={self._ports[name][1]: name for name in kit.services},
            limits=kit.spec.limits,
        )

    def _kill(self, name: str) -> None:
        assert self._control is not None
        self._control.ask({"op": "discard", "names": [name]})

    # -- engine.base.Session ------------------------------------------------------------------

    def services(self) -> Mapping[str, Mapping[str, Any]]:
        found = {}
        for name, runner in self._kit.services.items():
            port, inside = self._ports[name]
            passwords = self.record.passwords[name]
            accounts = {
                role: {"user": runner.accounts[role], "password": passwords[role]}
                for role in ("admin", "learner")
            }
            env = runner.variables(port=inside, **accounts["learner"])
            found[name] = {"port": port, "inside": inside, "env": env, **accounts}
        return found

    def sandbox(self) -> Sandbox:
        ready = self._sandboxes.take()
        if self._kit.spec.owner:
            self._sandboxes.start_ahead()
        return ready

    def replicas(self, count: int) -> list[Sandbox]:
        return self._sandboxes.further(count)

    def discard(self, sandbox: Sandbox) -> None:
        self._sandboxes.discard(sandbox)

    def replace_service(self, name: str) -> None:
        if name not in self._kit.services:
            raise SessionLost(f"there is no service '{name}' in this session")
        assert self._control is not None
        self._control.ask({"op": "kill", "names": [name]})
        self._start_service(name)

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
        """The supervisor notes it before it ends a process: there is nothing to wait for."""
        names = {one.name for one in sandboxes}
        assert self._control is not None
        events = self._control.ask({"op": "news"})["out_of_memory"]
        return any(name in names and begin <= at <= end for name, at in events)

    def was_killed(self, sandbox: Sandbox) -> bool:
        """Only under bubblewrap can a sandbox not end itself in this way."""
        assert self._control is not None
        status = self._control.ask({"op": "news"})["ended"].get(sandbox.name)
        confined = bool(self._kit.confinement.bubblewrap)
        return confined and status is not None and os.WIFSIGNALED(status)

    def enter(
        self, sandbox: Sandbox, argv: Sequence[str], env: Mapping[str, str], *, tty: bool
    ) -> Terminal:
        place = (self._slots / sandbox.slot).readlink()
        confined = bool(self._kit.confinement.bubblewrap)
        first = int(place.parts[2]) if confined else 0
        work = f"/proc/{first}/root/submission" if first else place.parent / "work"
        try:
            owner = Path(work).stat().st_uid
        except OSError as error:
            raise SessionLost(f"the sandbox has ended: {error.strerror}") from None
        user = owner if self._kit.confinement.root else 0
        words, told = entering(self._plan, sandbox, first, user, argv, env)
        return LocalTerminal(words, told, tty=tty)

    def client(
        self, service: str, sandbox: Sandbox, env: Mapping[str, str], *, tty: bool
    ) -> Terminal:
        """The client that lies beside the server, as the learner's own process."""
        del sandbox, env
        runner, program = self._kit.services[service], self._kit.programs[service]
        port, _ = self._ports[service]
        passwords = self.record.passwords[service]
        account = {"user": runner.accounts["learner"], "password": passwords["learner"]}
        own = runner.variables(port=port, **account)
        if not runner.client or program is None:
            raise UsageError(f"{service} has no client to talk to it by hand")
        name, *more = [word.format(**own) for word in runner.client]
        found = shutil.which(name, path=f"{program.path.parent}:/usr/local/bin:/usr/bin:/bin")
        if found is None:
            raise UsageError(
                f"this machine has no {name}, the client of {service}",
                fix="install it, or use Docker: grader --engine docker shell",
            )
        told = {
            "argv": [found, *more],
            "env": {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TERM": "xterm-256color", **own},
            "folder": "/",
            "user": 0,
            "own": [],
            "limits": {},
            "end_with": int(signal.SIGKILL),
        }
        return LocalTerminal([str(interpreter()), "-I", "-S", str(ENTER), "FD"], told, tty=tty)

    def reference(self) -> LocalSession:
        if self._reference is None:
            kit = Kit(self._settings, replace(self._kit.spec, owner=""))
            home = self.record.session.partition("-")[0]
            self._reference = LocalSession.create(self._settings, kit, home, self._slots)
        return self._reference

    def spoil(self) -> None:
        self.spoiled = True

    # -- ending -------------------------------------------------------------------------------

    def park(self) -> Record:
        """Leave services and judge warm for the next run, and say how to find them."""
        self._renew_lease()
        used = self._sandboxes.used()
        self.record.waiting = self._sandboxes.waiting()
        self.record.containers = [one for one in self.record.containers if one not in used]
        for name in used:
            self._kill(name)
        self.close()
        return self.record

    def end(self) -> None:
        """End every process of the session and remove its folder; safe to call at any time."""
        if self._reference is not None:
            self._reference.end()
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._control is not None:
            end(self._control, self._folder)
        if self._supervisor:
            forget(self._supervisor)
        shutil.rmtree(self._folder, ignore_errors=True)
        self.close()

    def close(self) -> None:
        """Let go of the session in this process; a session apart for the reference ends."""
        if self._reference is not None:
            self._reference.end()
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._channel is not None:
            self._channel.close()
        if self._control is not None:
            self._control.close()


def _plain_start(
    name: str, enter: Mapping[str, Any], memory: int, *, channel: bool
) -> Mapping[str, Any]:
    """What the supervisor is asked to start for one of ours: nothing keeps it in."""
    return {
        "op": "start",
        "name": name,
        "argv": [str(sandbox.interpreter()), "-I", "-S", str(sandbox.ENTER), "3"],
        "channel": channel,
        "info": False,
        "link": "",
        "slot": "",
        "memory": memory,
        "enter": enter,
    }


def _free_port(taken: set[int]) -> int:
    """A port of the loopback on which nobody listens. Raises SessionLost."""
    for port in random.sample(PORTS, 200):
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in taken:
            taken.add(port)
            return port
    raise SessionLost("no port is free for a server")
