"""The judge's side of the agent's socket. Every answer is untrusted data of bounded size."""

from __future__ import annotations

import base64
import binascii
import contextlib
import itertools
import queue
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.agent import wire
from grader.judge.errors import Broke, Fault, Raised, SandboxLost, unreadable

STARTING = 30.0
"""Seconds a new sandbox may take until its agent answers."""
A_DAY = 86400.0
GRACE = 5.0
"""Seconds an answer may be late before the sandbox counts as lost."""


@dataclass(frozen=True)
class HandleNumber:
    """The number by which the learner's interpreter knows an object that it keeps."""

    value: int


class AgentClient:
    """One connection, made before any of the learner's code runs in there. Thread-safe."""

    def __init__(self, path: str, key: str) -> None:
        """Raises Fault when the new sandbox does not answer: nobody but us can be to blame."""
        self._path = Path(path)
        self._sock = _connected(path, key)
        # With a time limit of its own: none at all would need a blocking socket, and whether a
        # socket blocks is one property of both duplicates.
        self._reader = self._sock.dup()
        self._reader.settimeout(A_DAY)
        self._sending = threading.Lock()
        self._numbers = itertools.count(1)
        self._waiting: dict[int, queue.SimpleQueue[dict[str, Any] | Broke]] = {}
        self._end: Broke | None = None
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def lost(self) -> bool:
        return self._end is not None

    @property
    def slot(self) -> str:
        """The name of the volume through which this sandbox is reached."""
        return self._path.parent.name

    def socket_path(self, name: str) -> str:
        """Where on this side a socket is that the agent opens under this name."""
        return str(self._path.with_name(name))

    def request(
        self, op: str, *, within: float = 8.0, grace: float = GRACE, **body: Any
    ) -> dict[str, Any]:
        """Ask for one operation. Raises SandboxLost; `broke` replies are the caller's to judge."""
        number = next(self._numbers)
        answer: queue.SimpleQueue[dict[str, Any] | Broke] = queue.SimpleQueue()
        self._waiting[number] = answer
        try:
            if self._end is not None:
                raise self._end
            try:
                with self._sending:
                    self._sock.settimeout(within + grace)
                    wire.send(self._sock, {"op": op, "number": number, **body})
                reply = answer.get(timeout=within + grace)
            except (TimeoutError, queue.Empty):
                reply = SandboxLost("Your program kept its sandbox from answering.")
                self._end = reply
            except OSError:
                reply = self._end or SandboxLost("Your program ended the whole sandbox it runs in.")
        finally:
            self._waiting.pop(number, None)
        if isinstance(reply, Broke):
            raise reply
        if "fault" in reply:
            raise SandboxLost(f"The sandbox could not do '{op}': {said(reply, 'fault')}")
        return reply

    def _read(self) -> None:
        """Hand each reply to whoever asked; at the end tell everybody."""
        try:
            while True:
                reply = wire.receive(self._reader)
                number = reply.get("number")
                waiting = self._waiting.get(number) if isinstance(number, int) else None
                if waiting is not None:
                    waiting.put(reply)
        except (OSError, EOFError):
            end = SandboxLost("Your program ended the whole sandbox it runs in.")
        except wire.BadData as error:
            end = SandboxLost(f"Your program sent what cannot be read: {error}.")
        except MemoryError:
            end = SandboxLost("Your program sent more than can be read.")
        self._end = self._end or end
        for answer in list(self._waiting.values()):
            answer.put(end)
        self._reader.close()
        self._sock.close()

    def close(self) -> None:
        self._end = self._end or SandboxLost("The sandbox is not used any more.")
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)


def _connected(path: str, key: str) -> socket.socket:
    deadline = time.monotonic() + STARTING
    while True:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(GRACE)
        try:
            sock.connect(path)
            wire.send(sock, {"key": key})
            wire.receive(sock, 4096, GRACE)
            return sock
        except (OSError, EOFError, wire.BadData):
            sock.close()
            if time.monotonic() > deadline:
                raise Fault("a new sandbox does not answer") from None
            time.sleep(0.01)


def value_of(reply: Mapping[str, Any], what: str, timeout: float) -> Any:
    """The decoded value of a call's reply, or the exception that says why there is none."""
    if "raised" in reply and isinstance(reply["raised"], dict):
        raised = reply["raised"]
        try:
            args = tuple(wire.decode(item) for item in _list(raised.get("args"))[:10])
        except wire.BadData:
            args = ()
        raise Raised(raised, args)
    if "broke" in reply:
        raise broken(reply, what, timeout)
    try:
        return wire.decode(reply.get("value"), handle=HandleNumber)
    except wire.BadData as error:
        raise Broke("answer", f"{what} returned {error}.") from None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def broken(reply: Mapping[str, Any], what: str, timeout: float) -> Broke:
    """The sentence for each way a process can end without an answer."""
    reason = said(reply, "broke")
    if reason == "timeout":
        return Broke("timeout", f"{what} did not finish within {timeout:g} s.")
    if reason == "output":
        return Broke("output", f"{what} printed more than is allowed, and was ended.")
    if reason == "pids":
        return Broke("pids", "No process could be started: your program holds all it may have.")
    if reason == "start":
        return Broke("start", f"{what} could not be started: {said(reply, 'detail')}")
    if reason == "answer":
        return Broke("answer", f"{what} returned what cannot be read: {said(reply, 'detail')}.")
    code = reply.get("code")
    if not isinstance(code, int) or not -255 <= code <= 255:
        return Broke("exit", f"{what} ended the process instead of answering.")
    if code < 0:
        return Broke("killed", f"{what} was ended by signal {-code}.")
    return Broke("exit", f"{what} ended the process (exit code {code}) instead of answering.")


def said(reply: Mapping[str, Any], key: str, limit: int = 300) -> str:
    """What the sandbox says is text, if it is; bounded."""
    value = reply.get(key)
    return value[:limit] if isinstance(value, str) else ""


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def unbase64(text: Any) -> bytes:
    """What the sandbox sent as bytes. Raises Broke when it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise unreadable() from None
