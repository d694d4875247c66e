"""The command's side of a session's supervisor, and of its judge."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from grader.engine.docker.channel import Channel
from grader.errors import SessionLost

STARTING = 20.0
"""Seconds until a new supervisor must answer."""
ANSWERING = 30.0
MAX_MESSAGE = 1 << 17


class JudgeChannel(Channel):
    """JSON lines on the judge's socket itself: nothing puts frames around them."""

    def _unframe(self) -> None:
        self._lines += self._frames
        self._frames.clear()


class Control:
    """One connection to a supervisor. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        """Raises SessionLost when nobody answers there."""
        self._asking = threading.Lock()
        self._folder = folder
        self._sock = self._connected()

    def _connected(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.settimeout(ANSWERING)
        try:
            number = os.open(self._folder / "control", os.O_PATH)
            try:
                sock.connect(f"/proc/self/fd/{number}/socket")  # the whole path may be too long
            finally:
                os.close(number)
        except OSError as error:
            sock.close()
            raise SessionLost(f"the session's supervisor is gone: {error}") from None
        return sock

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Raises SessionLost, also when the supervisor could not do it."""
        return self._ask(request)[0]

    def judge(self) -> JudgeChannel:
        """A connection to the judge's standard streams. Raises SessionLost."""
        _, descriptors = self._ask({"op": "judge"})
        if not descriptors:
            raise SessionLost("the session has no judge")
        return JudgeChannel(socket.socket(fileno=descriptors[0]))

    def _ask(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], list[int]]:
        try:
            with self._asking, self._whole():
                self._sock.sendall(json.dumps(request).encode())
                data, descriptors, _, _ = socket.recv_fds(self._sock, MAX_MESSAGE, 1)
        except OSError as error:
            raise SessionLost(f"the session's supervisor does not answer: {error}") from None
        if not data:
            raise SessionLost("the session's supervisor has ended")
        reply: dict[str, Any] = json.loads(data)
        if "fault" in reply:
            raise SessionLost(f"the session's supervisor: {reply['fault']}")
        return reply, descriptors

    @contextlib.contextmanager
    def _whole(self) -> Iterator[None]:
        """Who is interrupted between question and answer must not leave the answer to the next."""
        try:
            yield
        except BaseException:
            self._sock.close()
            self._sock = self._connected()
            raise

    def close(self) -> None:
        self._sock.close()


def launch(folder: Path, grace: float) -> tuple[Control, int]:
    """Start the supervisor of a session: the connection to it, and its process number.

    Raises SessionLost.
    """
    log = os.open(folder / "log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-m", "grader.engine.local.supervisor", str(folder), str(grace)],
            {},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, nothing, 0),
                (os.POSIX_SPAWN_DUP2, log, 1),
                (os.POSIX_SPAWN_DUP2, log, 2),
            ],
            setsid=True,
        )
    finally:
        os.close(log)
        os.close(nothing)
    try:
        return _answering(folder, pid), pid
    except BaseException:  # Ctrl-C, too: nobody else knows of it
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        forget(pid)
        raise


def _answering(folder: Path, pid: int) -> Control:
    deadline = time.monotonic() + STARTING
    while True:
        try:
            return Control(folder)
        except SessionLost:
            if not _alive(pid) or time.monotonic() > deadline:
                said = (folder / "log").read_text(errors="replace")[-500:]
                raise SessionLost(f"the session's supervisor did not start: {said}") from None
        time.sleep(0.003)


def _alive(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def forget(pid: int) -> None:
    """Wait for a supervisor that has ended, if it is a child of ours."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
