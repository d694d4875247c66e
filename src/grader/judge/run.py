"""One run: the submission in its sandbox, the services, and pytest over the hidden tests."""

from __future__ import annotations

import base64
import contextlib
import io
import os
import random
import tarfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from grader.judge.channel import Channel
from grader.judge.client import AgentClient
from grader.judge.clock import Clock
from grader.judge.comparison import Comparisons, show
from grader.judge.errors import Fault, SandboxLost
from grader.judge.forward import Forwards
from grader.judge.gateway import Gateway
from grader.judge.paths import SESSION, SLOTS
from grader.judge.sandboxes import Sandboxes
from grader.judge.services import LOST, Service, make
from grader.judge.solution import Solution
from grader.judge.trail import TRAIL
from grader.judge.world import World

READY_SECONDS = 30.0
ALIVE_SECONDS = 3.0
"""A server that does not answer for so long counts as gone."""


@dataclass(frozen=True)
class Learner:
    """The learner's own numbers: `seed` never changes for one workspace, `attempt` counts up.

    `values` is what the exercise's `generate` returned for that seed.
    """

    seed: int
    attempt: int
    values: Mapping[str, Any]
    _make: Callable[[int], dict[str, Any]] = field(repr=False)

    def generate(self, seed: int) -> tuple[dict[str, Any], dict[str, bytes]]:
        """What another seed gives: its values, and the files of its workspace by name."""
        made = self._make(seed)
        files = {name: base64.b64decode(content) for name, content in made["files"].items()}
        return made["values"], files


class Run:
    """Everything one run holds; the process ends with it."""

    seed: int
    learner: Learner
    solution: Solution

    def __init__(self, prepared: Mapping[str, Any], channel: Channel) -> None:
        """`prepared` is what does not depend on the submission: it may be done ahead."""
        self.prepared = prepared
        self.channel = channel
        self.seconds = float(prepared["exercise"]["seconds"])
        self.rng = random.Random()  # noqa: S311 -- inputs must repeat, not be secret
        self.check = ""
        self.clock = Clock(self._tell_time)
        self._refusing: set[int] = set()
        self._forwards = Forwards()
        self._further = Sandboxes(
            self._more_sandboxes, self._greet, self.clock, int(prepared["further"])
        )
        self.world = World(SESSION, lambda: (self.solution.client, *self._further))
        self.services: dict[str, Service] = {}
        self.fixtures: dict[str, Any] = {}
        self.comparisons = Comparisons()
        self.given: list[tuple[str, str]] = []
        self.awarded: tuple[float, str] | None = None
        self.author = False
        self._env: Mapping[str, str] = {}
        self._gateway = Gateway(self)
        self._reference: Solution | None = None

    def prepare(self, folder: Path) -> None:
        """Unpack the tests, bring the services up. Raises Fault."""
        with tarfile.open(fileobj=io.BytesIO(base64.b64decode(self.prepared["tests"]))) as tar:
            # Python 3.11 before its fourth release has no filters; the archive is the host's own.
            tar.extraction_filter = getattr(tarfile, "data_filter", None)
            tar.extractall(folder)  # noqa: S202
        self.prepare_services()

    def begin(self) -> Mapping[str, Any]:
        """Wait for a submission, take its sandbox; the host's message. Raises Fault."""
        message = self.channel.wait("run")
        self.seed = int(message["seed"])
        self.author = bool(message["author"])
        TRAIL.open = bool(message["explain"])
        self.learner = Learner(
            int(message["learner_seed"]),
            int(message["attempt"]),
            message["values"],
            self._generate,
        )
        self.solution = self._solution(message["submission"])
        self._env = message["env"]
        self._take(message["sandbox"] or self.channel.request("sandbox", alone=True))
        return message

    def prepare_services(self) -> None:
        """Wait for the servers, make their template state, open the gateway. Raises Fault."""
        for name, options in self.prepared["services"].items():
            service = make(name, options)
            self._bring_up(name, service)
            path, ports = (
                str(SESSION / f"{name}.sock"),
                (int(options["port"]), int(options["inside"])),
            )
            link = self._gateway.link(name, path, *ports)
            self.services[name] = service
            self.fixtures[name] = service.fixture(link)

    def _bring_up(self, name: str, service: Service) -> None:
        service.wait_ready(READY_SECONDS)
        service.prepare(list(self.prepared["services"][name]["init"]))

    def _generate(self, seed: int) -> dict[str, Any]:
        with self.clock.stopped():
            return self.channel.request("generate", seed=seed)

    def _solution(self, archive: str) -> Solution:
        return Solution(base64.b64decode(archive), self.prepared["programs"], self._forwards)

    def _take(self, sandbox: Mapping[str, Any]) -> None:
        self.solution.attach(agent_of(sandbox), self._env, self._further)

    def _more_sandboxes(self, count: int, lost: list[str]) -> list[AgentClient]:
        reply = self.channel.request("replicas", count=count, lost=lost)
        made = [agent_of(sandbox) for sandbox in reply["sandboxes"]]
        for client in made:
            self.solution.load(client, self._env)
            client.request("reset")
        return made

    def _greet(self, client: AgentClient) -> None:
        """A sandbox that comes later reaches what the first one does, and nothing else."""
        for port in self._refusing:
            client.request("relay", port=port, open=False)
        self.world.greet(client)

    def _tell_time(self, seconds: float) -> None:
        self.channel.emit({"type": "running", "check": self.check, "seconds": seconds})

    def switch(self, port: int, opened: bool) -> None:
        """For the gateway: let the port refuse in every sandbox, or not."""
        (self._refusing.discard if opened else self._refusing.add)(port)
        for client in (self.solution.client, *self._further):
            with contextlib.suppress(SandboxLost):  # with the sandbox, its ports are gone too
                client.request("relay", port=port, open=opened)

    def reset(self) -> None:
        """A test's beginning: fresh processes, files, database, cache. Raises Fault."""
        self._refusing.clear()
        self.world.close()
        self._reset([self._reset_sandbox, self._further.reset])
        if self._reference is not None:
            self.channel.request("reference_reset")
            self._reference.reset()

    def serve(self) -> None:
        """Keep services and gateway, and no tests: for the reference's session, driven by another.

        Or for a submission that its owner tries by hand: then a sandbox is given.
        """
        self.prepare_services()
        message = self.channel.wait("run")
        jobs: list[Callable[[], None]] = []
        if message["sandbox"]:
            self.solution, self._env = self._solution(message["submission"]), message["env"]
            self._take(message["sandbox"])
            jobs = [self._reset_sandbox]
        while True:
            self._reset(jobs)
            self.channel.request("reset")  # answered when the next test begins

    def _reset(self, jobs: list[Callable[[], None]]) -> None:
        self._gateway.close()  # until nothing of the last test is left to come through
        self._at_once([*jobs, *(partial(self._renew, name) for name in self.services)])
        self._gateway.open()

    def _renew(self, name: str) -> None:
        """Fresh state; a server that the last test's program took down gets a successor."""
        service = self.services[name]
        try:
            service.reset()
        except LOST:
            self.channel.request("service", service=name)
            self._bring_up(name, service)
            service.reset()

    def gone_services(self) -> list[str]:
        """Servers that did not survive the test that just ended."""
        alive: set[str] = set()

        def look(name: str, service: Service) -> None:
            if service.alive():
                alive.add(name)

        threads = [
            threading.Thread(target=look, args=item, daemon=True) for item in self.services.items()
        ]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + ALIVE_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return [name for name in self.services if name not in alive]

    def _reset_sandbox(self) -> None:
        if not self.solution.client.lost:
            try:
                self.solution.reset()
                return
            except SandboxLost:
                pass
        # The last test's program took the sandbox down with it: the next test gets another.
        self.solution.client.close()
        self._take(self.channel.request("sandbox"))
        try:
            self.solution.reset()
        except SandboxLost as error:
            raise Fault(f"a sandbox that nothing has run in does not answer: {error}") from None

    def _at_once(self, jobs: list[Callable[[], None]]) -> None:
        errors: list[BaseException] = []

        def attempt(job: Callable[[], None]) -> None:
            try:
                job()
            except BaseException as error:  # noqa: BLE001 -- raised again below
                errors.append(error)

        threads = [threading.Thread(target=attempt, args=(job,), daemon=True) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def begin_check(self, check: str) -> None:
        """Forget the last check; the random numbers depend on the seed and this check alone."""
        self.check = check
        self.rng.seed(f"{self.seed}:{check}")
        self.comparisons = Comparisons()
        self.given = []
        self.awarded = None
        TRAIL.begin()

    def reference(self) -> Solution:
        """The reference solution, in a session apart from the learner's."""
        if self._reference is None:
            reply = self.channel.request("reference")
            made = self._solution(reply["submission"])
            made.attach(agent_of(reply), reply["env"])
            made.reset()
            self._reference = made
        return self._reference

    def award(self, points: float, of: float, message: str = "") -> None:
        """Partial credit: this much of the check's points, also when a later assert fails."""
        text = message or f"{points:g} of {of:g} right"
        self.awarded = (max(0.0, min(1.0, points / of)), text)

    def note(self, label: str, value: Any) -> Any:
        """Show this input with a failure; returns the value."""
        self.given.append((str(label), show(value)))
        return value


def agent_of(sandbox: Mapping[str, Any]) -> AgentClient:
    """Connect to the agent of a sandbox that the host made. Raises Fault."""
    return AgentClient(str(SLOTS / sandbox["slot"] / sandbox["socket"]), str(sandbox["key"]))


def quiet(folder: Path) -> int:
    """Send what tests print to a file, so that nothing but the channel leaves. Returns its fd."""
    fd = os.open(folder / "output", os.O_CREAT | os.O_RDWR | os.O_APPEND)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    return fd
