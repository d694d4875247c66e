"""The judge's parent process: warm, it forks one process per run and passes messages on.

Messages are JSON lines. From the host on stdin: `ping`, `lease`, `prepare`, `run`, `reply`,
`cancel`. To the host on stdout: `pong`, the events of a run (each with its `run`), `finished`,
`fault`. Nothing else can write to that stdout: a run's process has its own output redirected
before tests load.

What a run needs beside the submission (services, collected tests) can be made ready before it:
`prepare` forks the process of the next run, which waits there until a `run` for the same comes.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import selectors
import shutil
import signal
import socket
import time
from typing import Any

from grader.judge.child import perform
from grader.judge.lines import Lines
from grader.judge.paths import LEASE, RUN
from grader.judge.standstill import LOOK_EVERY, Deadline

PREPARED = ("exercise", "services", "tests", "programs", "further", "serve", "make")
"""The keys of a `run` that do not depend on the submission: `prepare` has the same."""
PREPARE = 90.0
"""Seconds that fresh state may take before a check: the learner's code has no part in it."""
LATE = 3.0
"""Seconds a check may run past its limit before its process is ended from outside."""


class Parent:
    def __init__(self) -> None:
        self._out = os.dup(1)
        os.dup2(2, 1)
        self._selector = selectors.DefaultSelector()
        self._from_host = Lines()
        self._message: dict[str, Any] = {}
        self._prepared: dict[str, Any] = {}
        self._waiting = False
        self._pid = 0
        self._sock: socket.socket | None = None
        self._from_child = Lines()
        self._check = ""
        self._began = 0.0
        self._deadline = Deadline(PREPARE)
        self._done: dict[str, str] = {}
        self._finished = False
        self._running = False
        self._used = 0.0

    def serve(self) -> None:
        self._selector.register(0, selectors.EVENT_READ)
        self._say({"type": "ready"})
        while True:
            for key, _ in self._selector.select(LOOK_EVERY if self._check else None):
                if key.fd == 0:
                    if not self._read_host():
                        return
                elif key.fileobj is self._sock:  # else the host has just ended that run
                    self._read_child()
            if self._check and self._deadline.is_over():
                self._end_late()

    # -- the host's side ----------------------------------------------------------------------

    def _say(self, message: dict[str, Any]) -> None:
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        while line:
            line = line[os.write(self._out, line) :]

    def _read_host(self) -> bool:
        data = os.read(0, 1 << 20)
        if not data:
            return False
        for message in self._from_host.feed(data):
            if message is None:  # half a line of a host that was killed
                continue
            with contextlib.suppress(RecursionError):  # nested deeper than can be written again
                self._handle(message)
        return True

    def _handle(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        if kind == "ping":
            self._say({"type": "pong", "id": message.get("id")})
        elif kind == "lease" and _is_number(message.get("seconds")):
            new = LEASE.with_suffix(".new")  # replaced at once: nobody reads half a number
            new.write_text(str(int(time.time() + float(message["seconds"]))))
            new.replace(LEASE)
        elif kind == "prepare" and self._sock is None:
            self._prepared = {key: message.get(key) for key in PREPARED}
            self._fork()
        elif kind == "run" and isinstance(message.get("run"), str):
            prepared = {key: message.pop(key, None) for key in PREPARED}
            if not (self._waiting and self._prepared == prepared):
                self._end()
                self._prepared = prepared
                self._fork()
            self._message, self._done, self._used = message, {}, 0.0
            self._go()
        elif kind == "reply" and self._sock is not None:
            with contextlib.suppress(OSError):
                self._sock.sendall(json.dumps(message).encode() + b"\n")
        elif kind == "cancel":
            self._end()

    # -- the run's side -----------------------------------------------------------------------

    def _fork(self) -> None:
        ours, theirs = socket.socketpair()
        RUN.mkdir(mode=0o700)
        if self._prepared["programs"]:
            importlib.import_module("grader.judge.web")  # once here, and not in each run
        gc.freeze()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                os.setsid()
                ours.close()
                os.close(self._out)
                perform(self._prepared, theirs, RUN)
            finally:
                os._exit(0)
        theirs.close()
        self._sock = ours
        self._from_child.clear()
        self._finished, self._waiting = False, True
        self._selector.register(ours, selectors.EVENT_READ)

    def _go(self) -> None:
        """Hand the waiting process its submission."""
        assert self._sock is not None
        self._waiting = False
        message = {**self._message, "done": self._done, "used": self._used}
        with contextlib.suppress(OSError):  # it ended; what it said before says why
            self._sock.sendall(json.dumps(message).encode() + b"\n")

    def _read_child(self) -> None:
        assert self._sock is not None
        data = b""
        with contextlib.suppress(OSError):
            data = self._sock.recv(1 << 20)
        if not data:
            self._child_ended()
            return
        for event in self._from_child.feed(data):
            try:
                if event is None or not _is_event(event):
                    raise ValueError
                self._event(event)
            except (ValueError, RecursionError):
                if not self._waiting:
                    self._fault("the judge's process said what is not understood")
                self._end()
                return

    def _event(self, event: dict[str, Any]) -> None:
        if self._waiting:
            return  # it could not make ready; the next run tries again, and hears why
        kind = event.get("type")
        if kind == "started":
            self._check = event["check"]
            self._begin(PREPARE, running=False)
        elif kind == "running":
            if self._running:  # more time, to look at what the check left
                self._used += self._deadline.spent
            self._begin(float(event["seconds"]), running=True)
        elif kind == "outcome":
            self._done[event["check"]] = event["outcome"]
            self._used += self._deadline.spent
            self._check = ""
        elif kind in ("finished", "fault", "made"):
            self._finished = True
        self._say({**event, "run": self._message["run"]})

    def _begin(self, limit: float, *, running: bool) -> None:
        self._began, self._running = time.time(), running
        self._deadline = Deadline(limit + LATE)

    def _fault(self, text: str) -> None:
        fault = {"type": "fault", "message": text, "author": False}
        self._say({**fault, "run": self._message["run"]})

    def _end_late(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)

    def _child_ended(self) -> None:
        """A run that died in a check lost that check only; the others still get their turn."""
        check, finished = self._check, self._finished or self._waiting
        self._end()
        if finished:
            return
        if not check or not self._running:
            text = f"the judge's process ended outside of any check, before {check or 'the first'}"
            self._fault(text)
            return
        self._event(
            {
                "type": "outcome",
                "check": check,
                "outcome": "broke",
                "reason": "timeout",
                "message": "Your program's answers kept the check from finishing in its time.",
                "ratio": 0.0,
                "begin": self._began,
                "end": time.time(),
                "stopped": 0.0,
            }
        )
        self._message["sandbox"] = None  # whatever it did in there, the next check gets a new one
        self._fork()
        self._go()

    def _end(self) -> None:
        """End the run's processes, if there are any, and what they left on disk."""
        if self._sock is not None:
            self._selector.unregister(self._sock)
            self._sock.close()
            self._sock = None
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._pid, 0)
        self._check, self._waiting = "", False
        shutil.rmtree(RUN, ignore_errors=True)


_PARTS: dict[str, dict[str, type]] = {
    "started": {"check": str},
    "running": {"seconds": float},
    "outcome": {"check": str, "outcome": str, "begin": float, "end": float},
}
"""What the parent itself needs of an event; the host reads the rest."""


def _is_event(event: dict[str, Any]) -> bool:
    kind = event.get("type")
    parts = _PARTS.get(kind, {}) if isinstance(kind, str) else {}
    return all(
        _is_number(event.get(name)) if wanted is float else isinstance(event.get(name), wanted)
        for name, wanted in parts.items()
    )


def _is_number(value: object) -> bool:
    """Whether it is one to count seconds with."""
    return isinstance(value, int | float) and 0 <= value < 1e11


if __name__ == "__main__":
    Parent().serve()
