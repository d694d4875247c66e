"""The interpreters of one test, as the agent sees them: forked by the zygote, called by frames."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import select
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from . import wire, zygote
from .processes import Capture, kill_group

Reply = dict[str, Any]
Answer = Callable[[Reply], None]
LOOK_EVERY = 0.02
"""Seconds between looks at the clock while replies are waited for."""
SEND_SECONDS = 3600.0
STARTING = 8.0
"""Seconds in which a worker that is not forked should be there; no call's time is spent on that."""
FRAME_SECONDS = 5.0
"""A reply that has begun must be whole in so long."""


class Zygote:
    """The agent's end of the fork server."""

    def __init__(self, preload: list[str], worker: list[str] | None = None) -> None:
        """`worker`: the command that calls functions, for a language that is not Python."""
        self.worker = worker or []
        self._sock, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self._sock.close()
                zygote.run(theirs, preload)
            finally:
                os._exit(0)
        theirs.close()
        self._spawning = threading.Lock()
        self._spawned: queue.SimpleQueue[Reply] = queue.SimpleQueue()
        self._exits: dict[int, queue.SimpleQueue[int]] = {}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(EOFError, OSError, wire.BadData):
            while True:
                message = wire.receive(self._sock)
                if "exited" in message:
                    kill_group(message["exited"])  # a child of it may hold its socket open
                    self._exit_of(message["exited"]).put(message["code"])
                else:
                    self._spawned.put(message)
        self._spawned.put({"failed": "the process that starts interpreters was ended"})

    def _exit_of(self, pid: int) -> queue.SimpleQueue[int]:
        return self._exits.setdefault(pid, queue.SimpleQueue())

    def spawn(self, folder: str, env: Mapping[str, str], fds: list[int]) -> int:
        """Fork an interpreter; its process number. Raises OSError when no process can be made."""
        body = json.dumps({"folder": folder, "env": dict(env), "worker": self.worker}).encode()
        with self._spawning:
            socket.send_fds(self._sock, [body], fds)
            try:
                answer = self._spawned.get(timeout=20)
            except queue.Empty:
                raise OSError("no interpreter could be started in time") from None
        if "failed" in answer:
            raise OSError(answer["failed"])
        return int(answer["spawned"])

    def exit_code(self, pid: int, within: float) -> int | None:
        """How an interpreter ended; negative for a signal; None when it is not known yet."""
        with contextlib.suppress(queue.Empty):
            return self._exit_of(pid).get(timeout=within)
        return None


class Interpreter:
    """One process with the learner's code imported. Calls may run in parallel."""

    def __init__(self, zygote: Zygote, folder: str, env: Mapping[str, str], output: int) -> None:
        self._zygote = zygote
        self._sock, theirs = socket.socketpair()
        self._sender = self._sock.dup()  # with no share in the reader's time limits
        self._sender.settimeout(SEND_SECONDS)
        out_read, out_write = os.pipe()
        err_read, err_write = os.pipe()
        try:
            self.pid = zygote.spawn(folder, env, [theirs.fileno(), out_write, err_write])
        except OSError:
            os.close(out_read)
            os.close(err_read)
            raise
        finally:
            theirs.close()
            os.close(out_write)
            os.close(err_write)
        self._out = Capture(out_read, output, self.kill)
        self._err = Capture(err_read, output, self.kill)
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._waiting: dict[int, tuple[float, Answer]] = {}
        self._timed_out = False
        self._ready = threading.Event()
        if not zygote.worker:
            self._ready.set()
        self._end: Reply | None = None
        self._outbox: queue.SimpleQueue[Mapping[str, Any] | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._write, daemon=True).start()

    def kill(self) -> None:
        kill_group(self.pid)

    def wait_ready(self) -> None:
        """Return when it takes calls, has ended, or its time for that is over."""
        self._ready.wait(STARTING)

    def request(self, request: Mapping[str, Any], timeout: float, answer: Answer) -> None:
        """Send one request; `answer` is called with `value`, `raised`, or `broke` with a reason."""
        with self._lock:
            end = self._end
            if end is None:
                number = next(self._numbers)
                self._waiting[number] = (time.monotonic() + timeout, answer)
                self._outbox.put({**request, "id": number})
        if end is not None:
            answer(end)

    def _write(self) -> None:
        """In a thread of its own: a process that was stopped takes nothing."""
        with contextlib.suppress(OSError):  # it is ending then; the reader says how
            while (request := self._outbox.get()) is not None:
                wire.send(self._sender, request)

    def _read(self) -> None:
        """Hand replies out until the process ends, and end it when a reply is late."""
        detail = ""
        try:
            while True:
                if select.select([self._sock.fileno()], [], [], LOOK_EVERY)[0]:
                    reply = wire.receive(self._sock, within=FRAME_SECONDS)
                    self._hand_out(reply)
                self._end_late()
        except (EOFError, ConnectionError):
            pass
        except (wire.BadData, OSError) as error:
            detail = str(error)
            self.kill()
        end = self._ending(detail)
        with self._lock:
            self._end = end
            self._ready.set()
            left = [answer for _, answer in self._waiting.values()]
            self._waiting.clear()
            self._outbox.put(None)
            self._sock.close()
            self._sender.close()
        for answer in left:
            answer(end)

    def _hand_out(self, reply: Reply) -> None:
        number = reply.get("id")
        if not self._ready.is_set():  # the worker's first words, before any of the learner's code
            self._ready.set()
            return
        with self._lock:
            waiting = self._waiting.pop(number, None) if isinstance(number, int) else None
        if waiting is not None:
            waiting[1](reply)

    def _end_late(self) -> None:
        now = time.monotonic()
        with self._lock:
            late = any(deadline < now for deadline, _ in self._waiting.values())
        if late and not self._timed_out:
            self._timed_out = True
            self.kill()

    def _ending(self, detail: str) -> Reply:
        code = self._zygote.exit_code(self.pid, 1.0)
        if code is None:  # it closed the socket and lives on
            self.kill()
            code = self._zygote.exit_code(self.pid, 1.0)
        if self._timed_out:
            return {"broke": "timeout"}
        if self._out.overflowed or self._err.overflowed:
            return {"broke": "output"}
        if detail:
            return {"broke": "answer", "detail": detail}
        return {"broke": "ended", "code": code}

    def output(self) -> bytes:
        """What it printed so far, both streams."""
        return self._out.finish(0.02) + self._err.finish(0.02)
