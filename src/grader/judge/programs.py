"""The learner's programs that run in the background, in a hidden test's hands."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.judge.client import AgentClient, broken
from grader.judge.errors import Broke, OutOfTime, SandboxLost, unreadable
from grader.judge.trail import TRAIL

READY_SECONDS = 10.0
"""How long a program may take until it is ready; less when the check's time is over before."""
LOOK_AT_FIRST, LOOK_AT_LAST = 0.02, 0.2
"""Seconds between two looks whether it is ready: they take time, and leave lines in its log."""
PATIENCE = 12.0
"""Seconds that an agent in a busy sandbox may take to say how a program is."""
_ALL = 1 << 22
_SOME = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program as exercise.yaml defines it; `ready` holds `http` or `log` or neither (a port)."""

    name: str
    run: Sequence[str]
    kind: str
    port: str
    ready: Mapping[str, str] | None
    stop: float


class Process:
    """A program that runs in the background of one sandbox.

    An end that the test ordered, or waited for, is no crash; any other one is told in the report.
    """

    def __init__(self, program: Program, sandbox: AgentClient, env: Mapping[str, str]) -> None:
        self._program = program
        self._sandbox = sandbox
        self._env = dict(env)
        self._what = f"The program '{program.name}'"
        self._number = 0
        self._earlier = ""
        self._expected = False
        self._launch()

    # -- for hidden tests ---------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        try:
            return self._look(0)[0] is None
        except SandboxLost:
            return False

    def kill(self) -> None:
        """SIGKILL for it and its children; returns when it is gone."""
        self._expected = True
        self._sandbox.request("kill", program=self._number)

    def signal(self, number: int) -> None:
        """Send a signal (signal.SIGTERM) to the program itself, not to its children."""
        self._expected = True
        self._sandbox.request("signal", program=self._number, signal=int(number))

    def wait(self, seconds: float = 5) -> int:
        """Wait for its end: its exit code, negative for a signal. Raises Broke when it runs on."""
        code = self._waited(seconds)
        if code is None:
            raise Broke("timeout", f"{self._what} did not end within {seconds:g} s.")
        self._expected = True
        return code

    def restart(self) -> None:
        """SIGTERM, SIGKILL when it has not ended within its `stop` seconds, then start anew."""
        if self.alive:
            self.signal(15)
            self._waited(self._program.stop)
        self.kill()
        self._earlier = self.logs()[-_SOME:]
        self._launch()
        self.wait_ready()

    def logs(self) -> str:
        """What it printed so far, both streams, those before a restart included."""
        return self._earlier + self._look(_ALL)[1]

    @property
    def memory(self) -> int:
        """Resident bytes of its processes; shared pages count once for each."""
        size = self._sandbox.request("memory", program=self._number).get("bytes")
        if not isinstance(size, int):
            raise unreadable()
        return size

    # -- for the runtime ----------------------------------------------------------------------

    def wait_ready(self) -> None:
        """Return when it is ready. Raises Broke when it ends before, or is not in time."""
        if self._program.ready is None:
            return
        began, missing, pause = time.monotonic(), "", LOOK_AT_FIRST
        try:
            while missing := self._not_ready(self._program.ready):
                ended = self.ended(" before it was ready")
                if ended is not None:
                    raise ended
                if time.monotonic() - began > READY_SECONDS:
                    raise OutOfTime
                time.sleep(pause)
                pause = min(pause * 1.3, LOOK_AT_LAST)
        except OutOfTime:
            seconds = time.monotonic() - began
            text = f"{self._what} was not ready after {seconds:.0f} s: {missing or 'no answer'}."
            raise Broke("ready", text) from None

    def ended(self, when: str = "", within: float = PATIENCE) -> Broke | None:
        """How it ended by itself; None while it runs, and when the test wanted its end."""
        if self._expected:
            return None
        code, _, overflowed = self._look(0, within)
        if code is None:
            return None
        if overflowed:
            return Broke("output", f"{self._what} printed more than is allowed, and was ended.")
        if code < 0:
            return Broke("killed", f"{self._what} was ended by signal {-code}{when}.")
        return Broke("exit", f"{self._what} ended with exit code {code}{when}.")

    def report(self, size: int) -> str:
        """For the report: how it is, and the end of what it printed."""
        code, text, _ = self._look(size, 1)
        state = "runs" if code is None else f"ended with exit code {code}"
        if code is not None and code < 0:
            state = f"was ended by signal {-code}"
        text = (self._earlier + text)[-size:].strip("\n")
        silent = "" if text else ", and printed nothing"
        return f"[{self._program.name} {state}{silent}]\n{text}"

    def close(self) -> None:
        """The check is over; the sandbox ends the process."""

    def _launch(self) -> None:
        reply = self._sandbox.request("start", argv=list(self._program.run), env=self._env)
        number = reply.get("program")
        if "broke" in reply:
            raise broken(reply, self._what, 0)
        if not isinstance(number, int):
            raise unreadable()
        self._number, self._expected = number, False
        TRAIL.saw(f"started the program '{self._program.name}'")

    def _not_ready(self, ready: Mapping[str, str]) -> str:
        """What is missing; "" when it is ready."""
        if re.search(ready["log"], self._look(_SOME)[1], re.MULTILINE):
            return ""
        return f"nothing that it printed matches '{ready['log']}'"

    def _waited(self, seconds: float) -> int | None:
        reply = self._sandbox.request("wait", within=seconds, program=self._number, timeout=seconds)
        return _code(reply)

    def _look(self, tail: int, within: float = PATIENCE) -> tuple[int | None, str, bool]:
        """Its exit code, None while it runs; the end of its output; whether that was too much."""
        reply = self._sandbox.request(
            "look", within=within, grace=1, program=self._number, tail=tail or 1
        )
        try:
            printed = base64.b64decode(str(reply.get("printed", "")), validate=True)
        except ValueError:
            raise unreadable() from None
        return _code(reply), printed.decode("utf-8", "replace"), reply.get("overflowed") is True


def _code(reply: Mapping[str, Any]) -> int | None:
    code = reply.get("code")
    if code is not None and not isinstance(code, int):
        raise unreadable()
    return code
