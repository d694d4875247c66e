"""Holds one session of the engine `local`: what dockerd and each container's process 1 are there.

`python -I -m grader.engine.local.supervisor FOLDER GRACE`. It starts, watches and ends what it is
told to through FOLDER/control/socket (SOCK_SEQPACKET, one JSON object each way), and outlives the
command that started it. When the session's lease ends (the epoch second in FOLDER/session/lease;
without one, GRACE seconds from the start) it ends all and removes FOLDER. When it is killed, the
kernel ends what it started. One thread, standard library only: it is there in some 30 ms.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from grader.engine.local import watch

LOOK_EVERY = 0.02
"""Seconds between looks at memory while a command is connected; a second when none is."""
AT_EASE = 1.0
ENDING = 2.0
"""Seconds that a server has to end by itself."""
LONGEST_LOG = 1 << 20
"""Bytes that servers may have said until it is forgotten."""
MAX_MESSAGE = 1 << 17
Request = dict[str, Any]


@dataclass(kw_only=True)
class Running:
    """One process that was started, with all below it."""

    name: str
    pid: int
    first: int
    """Process 1 of its own namespace, or 0: its end is the end of all in there."""
    memory: int
    stop: int
    status: int | None = None


class Supervisor:
    """See the module."""

    def __init__(self, folder: Path, grace: float) -> None:
        self._folder = folder
        self._lease_without_file = time.time() + grace
        self._running: dict[str, Running] = {}
        self._judge: socket.socket | None = None
        self._out_of_memory: list[tuple[str, float]] = []
        self._selector = selectors.DefaultSelector()
        self._unwanted: list[Running] = []
        self._connected = 0
        self._over = False
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: orphans come to us

    def serve(self) -> None:
        """Until the lease ends, or somebody says `end`."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(f"/proc/self/fd/{os.open(self._folder / 'control', os.O_PATH)}/socket")
            listener.listen(16)
            self._selector.register(listener, selectors.EVENT_READ)
            looked = 0.0
            while not self._over:
                ready = self._selector.select(LOOK_EVERY if self._connected else AT_EASE)
                for key, _ in ready:
                    if key.fileobj is listener:
                        self._accept(listener)
                    else:
                        self._answer(key.fileobj)
                if time.monotonic() - looked >= LOOK_EVERY:
                    looked = time.monotonic()
                    self._look()
            self._end()

    def _accept(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.settimeout(10)
        self._selector.register(connection, selectors.EVENT_READ)
        self._connected += 1

    def _answer(self, connection: Any) -> None:
        """One request of a command. What it can ask for is a closed list."""
        try:
            data = connection.recv(MAX_MESSAGE)
            request = json.loads(data) if data else None
        except (OSError, ValueError):
            request = None
        if request is None:
            self._selector.unregister(connection)
            connection.close()
            self._connected -= 1
            return
        operations: dict[str, Callable[[Request], Request]] = {
            "start": self._start,
            "kill": self._kill,
            "discard": self._discard,
            "news": self._news,
            "judge": self._hand_judge,
            "end": self._say_over,
        }
        try:
            reply = operations[request["op"]](request)
        except (OSError, KeyError, ValueError) as error:
            reply = {"fault": f"{type(error).__name__}: {error}"}
        fds = [self._judge.fileno()] if self._judge is not None and "judge" in reply else []
        with contextlib.suppress(OSError):  # it has gone meanwhile
            socket.send_fds(connection, [json.dumps(reply).encode()], fds)
        while self._unwanted:
            self._kill_one(self._unwanted.pop())

    # -- the operations -----------------------------------------------------------------------

    def _start(self, request: Request) -> Request:
        """Start `argv` and hand it `enter` in descriptor 3; `link` will lead to its slot.

        `info`: it is bubblewrap and says in descriptor 4 what it made; its /slot is the slot.
        """
        with contextlib.ExitStack() as opened:
            told, tell = map(opened.enter_context, _pipe())
            learn, say = map(opened.enter_context, _pipe())
            standard: Any = opened.enter_context(Path(os.devnull).open("r+b"))
            if request["channel"]:
                self._judge, standard = socket.socketpair()
                opened.enter_context(standard)
            tell.write(json.dumps(request["enter"]).encode())
            tell.close()
            log = 2
            ours = [standard.fileno(), standard.fileno(), log, told.fileno(), say.fileno()]
            pid = _spawn(request["argv"], ours)
            say.close()
            first = _first_process(learn.read()) if request["info"] else 0
        if request["link"]:
            link = Path(request["link"])
            link.unlink(missing_ok=True)
            link.symlink_to(f"/proc/{first}/root/slot" if first else request["slot"])
        self._running[request["name"]] = Running(
            name=request["name"],
            pid=pid,
            first=first,
            memory=request["memory"],
            stop=request["enter"]["end_with"],
        )
        return {"pid": pid}

    def _kill(self, request: Request) -> Request:
        """End some at once, with all below them."""
        for name in request["names"]:
            if name in self._running:
                self._kill_one(self._running[name])
        return {}

    def _discard(self, request: Request) -> Request:
        """End some sandboxes, soon: nobody waits for it."""
        self._unwanted += [one for one in self._running.values() if one.name in request["names"]]
        return {}

    def _kill_one(self, one: Running) -> None:
        if one.status is None:
            if one.first:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one.first, signal.SIGKILL)
            watch.end(one.pid)
            _, one.status = os.waitpid(one.pid, 0)
        self._running.pop(one.name, None)
        self._reap()
        remove(self._folder / "boxes" / one.name)

    def _news(self, _request: Request) -> Request:
        """Who runs, and what happened: who met the memory limit and when, who ended and how."""
        self._reap()
        running = {one.name: one.pid for one in self._running.values() if one.status is None}
        ended = {one.name: one.status for one in self._running.values() if one.status is not None}
        return {"running": running, "ended": ended, "out_of_memory": self._out_of_memory}

    def _hand_judge(self, _request: Request) -> Request:
        return {"judge": True}

    def _say_over(self, _request: Request) -> Request:
        """The reply comes when all is gone."""
        self._end()
        return {}

    # -- watching -----------------------------------------------------------------------------

    def _look(self) -> None:
        self._reap()
        for one in self._running.values():
            if one.memory and one.status is None:
                victim = watch.over_limit(watch.tree(one.pid), one.memory)
                if victim:
                    self._out_of_memory.append((one.name, time.time()))
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(victim, signal.SIGKILL)
        if time.time() > self._lease_end():
            self._over = True
        log = self._folder / "log"
        with contextlib.suppress(OSError):
            if log.stat().st_size > LONGEST_LOG:
                os.truncate(log, 0)

    def _lease_end(self) -> float:
        try:
            return float((self._folder / "session" / "lease").read_text())
        except (OSError, ValueError):
            return self._lease_without_file

    def _reap(self) -> None:
        """Note who has ended. A child that nobody started was left by a sandbox that ended."""
        ours = {one.pid: one for one in self._running.values() if one.status is None}
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] in ours:
                    ours.pop(ended[0]).status = ended[1]
        for pid in watch.children(os.getpid()):
            if pid not in ours:
                watch.end(pid)

    def _end(self) -> None:
        """End everything, the sandboxes first, and remove the folder."""
        self._over = True
        for one in reversed(list(self._running.values())):
            if one.status is None and one.stop not in (0, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one.pid, one.stop)
                deadline = time.monotonic() + ENDING
                while _alive(one.pid) and time.monotonic() < deadline:
                    time.sleep(0.005)
            self._kill_one(one)
        remove(self._folder)


def _pipe() -> tuple[IO[bytes], IO[bytes]]:
    read, write = os.pipe()
    return os.fdopen(read, "rb"), os.fdopen(write, "wb")


def _spawn(argv: list[str], descriptors: list[int]) -> int:
    """Start a program that has these of ours as its 0, 1, 2, ... and no other."""
    # A number of ours may be one that another is moved to: first all go out of the way.
    moved = [fcntl.fcntl(ours, fcntl.F_DUPFD_CLOEXEC, 64) for ours in descriptors]
    try:
        actions = [(os.POSIX_SPAWN_DUP2, ours, number) for number, ours in enumerate(moved)]
        return os.posix_spawn(argv[0], argv, {}, file_actions=actions, setsid=True)
    finally:
        for ours in moved:
            os.close(ours)


def _first_process(said: bytes) -> int:
    """Process 1 of the namespace that bubblewrap made; 0 when it could make none."""
    return int(json.loads(said)["child-pid"]) if said else 0


def remove(folder: Path) -> None:
    """Remove a folder and all in it, also what a program has closed; nothing above is touched."""
    for root, names, _ in os.walk(folder):
        for name in names:
            path = Path(root, name)
            if not path.is_symlink():
                with contextlib.suppress(OSError):  # before the walk goes on into it
                    path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1]
    except OSError:
        return False
    return state not in ("Z", "X")


if __name__ == "__main__":
    Supervisor(Path(sys.argv[1]), float(sys.argv[2])).serve()
