"""The judge's side of the agent's socket. Every answer is untrusted data of bounded size."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grader.agent import wire
from grader.judge.errors import Broke, Raised, SandboxLost

STARTING = 15.0
"""Seconds a new sandbox may take until its agent listens."""
GRACE = 5.0
"""Seconds an answer may be late before the sandbox counts as lost."""


@dataclass(frozen=True)
class HandleNumber:
    """The number by which the learner's interpreter knows an object that it keeps."""

    value: int


class AgentClient:
    """Thread-safe: each thread has a connection of its own."""

    def __init__(self, path: str, key: str) -> None:
        self._path = path
        self._key = key
        self._local = threading.local()
        self._all: list[socket.socket] = []
        self.lost = False

    def _connection(self) -> socket.socket:
        existing: socket.socket | None = getattr(self._local, "sock", None)
        if existing is not None:
            return existing
        sock = self._connected()
        wire.send(sock, {"key": self._key})
        wire.receive(sock, 4096, GRACE)
        self._local.sock = sock
        self._all.append(sock)
        return sock

    def _connected(self) -> socket.socket:
        """A sandbox that was started this moment has no agent listening yet: wait for the first."""
        deadline = time.monotonic() + (0 if self._all else STARTING)
        while True:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.settimeout(GRACE)
            try:
                sock.connect(self._path)
                return sock
            except (FileNotFoundError, ConnectionRefusedError):
                sock.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def request(
        self, op: str, *, within: float = 8.0, grace: float = GRACE, **body: Any
    ) -> dict[str, Any]:
        """Ask for one operation. Raises SandboxLost; `broke` replies are the caller's to judge."""
        try:
            sock = self._connection()
            sock.settimeout(within + grace)
            wire.send(sock, {"op": op, **body})
            reply = wire.receive(sock, within=within + grace)
        except TimeoutError:
            self.lost = True
            raise SandboxLost("Your program kept its sandbox from answering.") from None
        except (OSError, EOFError):
            self.lost = True
            raise SandboxLost("Your program ended the whole sandbox it runs in.") from None
        except wire.BadData as error:
            self.lost = True
            raise Broke("answer", f"Your program sent what cannot be read: {error}.") from None
        except BaseException:
            self._drop()  # a time limit cut in: an answer may still be on its way
            raise
        if "fault" in reply:
            raise SandboxLost(f"The sandbox could not do '{op}': {str(reply['fault'])[:500]}")
        return reply

    def _drop(self) -> None:
        sock: socket.socket | None = getattr(self._local, "sock", None)
        if sock is not None:
            sock.close()
            self._local.sock = None

    def close(self) -> None:
        for sock in self._all:
            with contextlib.suppress(OSError):
                sock.close()


def value_of(reply: Mapping[str, Any], what: str, timeout: float) -> Any:
    """The decoded value of a call's reply, or the exception that says why there is none."""
    if "raised" in reply and isinstance(reply["raised"], dict):
        raised = reply["raised"]
        try:
            args = tuple(wire.decode(item) for item in list(raised.get("args", []))[:10])
        except wire.BadData:
            args = ()
        raise Raised(raised, args)
    if "broke" in reply:
        raise broken(reply, what, timeout)
    try:
        return wire.decode(reply.get("value"), handle=HandleNumber)
    except wire.BadData as error:
        raise Broke("answer", f"{what} returned {error}.") from None


def broken(reply: Mapping[str, Any], what: str, timeout: float) -> Broke:
    """The sentence for each way a process can end without an answer."""
    reason = str(reply.get("broke"))
    if reason == "timeout":
        return Broke("timeout", f"{what} did not finish within {timeout:g} s.")
    if reason == "output":
        return Broke("output", f"{what} printed more than is allowed, and was ended.")
    if reason == "pids":
        return Broke("pids", "No process could be started: your program holds all it may have.")
    if reason == "start":
        return Broke("start", f"{what} could not be started: {str(reply.get('detail'))[:300]}")
    if reason == "answer":
        return Broke("answer", f"{what} returned what cannot be read: {reply.get('detail')}."[:500])
    code = reply.get("code")
    if isinstance(code, int) and code < 0:
        return Broke("killed", f"{what} was ended by signal {-code}.")
    return Broke("exit", f"{what} ended the process (exit code {code}) instead of answering.")


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()
