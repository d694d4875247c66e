"""Processes of the learner: their output with a cap, their end, and nothing left of them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from typing import IO, Any

# A shell sets this before it becomes the learner's program: when memory runs out, the kernel then
# ends the program and not the agent.
FIRST_TO_GO = ["/bin/sh", "-c", 'echo 1000 > /proc/self/oom_score_adj; exec "$@"', "sh"]


class Capture:
    """Reads one pipe to its end, keeps the first `limit` bytes, calls `overflow` once past them."""

    def __init__(self, fd: int, limit: int, overflow: Callable[[], None]) -> None:
        self._fd = fd
        self._limit = limit
        self._overflow = overflow
        self._content = bytearray()
        self.overflowed = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError), os.fdopen(self._fd, "rb", buffering=0) as pipe:
            while part := pipe.read(65536):
                room = self._limit - len(self._content)
                self._content += part[: max(room, 0)]
                if len(part) > room and not self.overflowed:
                    self.overflowed = True
                    self._overflow()

    def finish(self, within: float) -> bytes:
        """What was read, after waiting a little for the rest: a daemon may hold the pipe open."""
        self._thread.join(within)
        return bytes(self._content)


def run(
    argv: list[str],
    *,
    folder: str,
    env: Mapping[str, str],
    stdin: bytes,
    timeout: float,
    output: int,
) -> dict[str, Any]:
    """Run one program to its end. The answer has `code`, or `broke` with the reason."""
    try:
        process = subprocess.Popen(
            [*FIRST_TO_GO, *argv],
            cwd=folder,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
        )
    except OSError as error:
        return {"broke": "start", "detail": str(error)}

    def stop() -> None:
        kill_group(process.pid)

    assert process.stdin
    assert process.stdout
    assert process.stderr
    try:
        out = Capture(os.dup(process.stdout.fileno()), output, stop)
        err = Capture(os.dup(process.stderr.fileno()), output, stop)
        threading.Thread(target=_feed, args=(process.stdin, stdin), daemon=True).start()
    except RuntimeError:  # no thread can be made: the program holds them all already
        stop()
        process.wait()
        return {"broke": "pids"}
    finally:
        process.stdout.close()
        process.stderr.close()
    broke = ""
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        broke = "timeout"
    stop()
    process.wait()
    answer = {
        "code": process.returncode,
        "stdout": out.finish(0.5),
        "stderr": err.finish(0.5),
    }
    if out.overflowed or err.overflowed:
        broke = "output"
    return {**answer, "broke": broke} if broke else answer


def _feed(pipe: IO[bytes], content: bytes) -> None:
    """Write what the program takes; one that does not read, or ends, is not our trouble."""
    left = memoryview(content)
    with contextlib.suppress(OSError):
        while left:
            left = left[os.write(pipe.fileno(), left[:65536]) :]
    with contextlib.suppress(OSError):
        pipe.close()


def kill_group(pid: int) -> None:
    """End a process and all of its session that did not leave it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def kill_strays(zygote: int, *, shared: bool = False) -> None:
    """End every process of this sandbox but process 1, the zygote and this one.

    Stopping them all at once leaves a fork bomb nobody to fork with. `shared`: other processes of
    this machine can be seen, so only our descendants count, and they are stopped one by one.
    Raises RuntimeError when some are still there after some seconds, or the zygote is gone.
    """
    deadline = time.monotonic() + 4
    while True:
        if not shared:
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGSTOP)
        found = _descendants(os.getpid()) if shared else _alive()
        strays = [pid for pid in found if pid not in (1, zygote, os.getpid())]
        for number in (signal.SIGSTOP, signal.SIGKILL) if shared else (signal.SIGKILL,):
            for pid in strays:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
        if not strays:
            break
        if time.monotonic() > deadline:
            raise RuntimeError("the learner's processes cannot be ended")
        time.sleep(0.001)
    if zygote not in found:
        raise RuntimeError("the process that starts interpreters was ended")
    os.kill(zygote, signal.SIGCONT)


def _alive() -> dict[int, int]:
    """Processes in this namespace and their parents, but for those that wait to be reaped."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    fields = file.read(512).rpartition(b") ")[2].split()
            except OSError:
                continue
            if fields and fields[0] not in (b"Z", b"X"):
                parents[int(name)] = int(fields[1])
    return parents


def _descendants(root: int) -> set[int]:
    """All below one process. An orphan is a child of the agent's again (adopt_orphans)."""
    parents, below = _alive(), {root}
    while more := {pid for pid, parent in parents.items() if parent in below} - below:
        below |= more
    return below - {root}
