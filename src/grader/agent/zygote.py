"""A small process that starts interpreters: forks with the usual libraries already imported.

For a language that is not Python it starts what calls functions there, with the same handles.

It never runs the learner's code itself, has one thread, and tells the agent how each of its
children ended.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import select
import signal
import socket
import sys
from typing import Any

from . import wire
from .worker import Worker


def run(sock: socket.socket, preload: list[str]) -> None:
    """Serve spawn requests until the agent goes away."""
    sys.dont_write_bytecode = True  # the submission's folder holds what the learner's code wrote
    for name in preload:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    os.set_blocking(wake_read, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    while True:
        ready, _, _ = select.select([sock.fileno(), wake_read], [], [])
        if wake_read in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(wake_read, 4096)
            _reap(sock)
        if sock.fileno() in ready:
            body, fds, _, _ = socket.recv_fds(sock, 1 << 20, 3)
            if not body:
                return
            _spawn(sock, wire.parse(body), fds)


def _reap(sock: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        wire.send(sock, {"exited": pid, "code": os.waitstatus_to_exitcode(status)})


def _spawn(sock: socket.socket, request: dict[str, Any], fds: list[int]) -> None:
    try:
        pid = os.fork()
    except OSError as error:  # the process limit: the learner's other processes hold them all
        wire.send(sock, {"failed": str(error)})
        pid = -1
    if pid == 0:
        _child(request, fds)
    for fd in fds:
        os.close(fd)
    if pid > 0:
        wire.send(sock, {"spawned": pid})


def _make_ordinary() -> None:
    """The agent keeps its memory to itself; the learner's process is like any other (prctl(2))."""
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE


def _child(request: dict[str, Any], fds: list[int]) -> None:
    status = 1
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _make_ordinary()
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")  # when memory runs out the kernel ends us, not the agent
        control, out, err = fds
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.dup2(control, 3)
        os.set_inheritable(3, True)  # dup2 leaves it as it is when it is 3 already
        os.closerange(4, 1024)
        os.environ.clear()
        os.environ.update(request["env"])
        folder: str = request["folder"]
        os.chdir(folder)
        if request["worker"]:
            os.execvpe(request["worker"][0], [*request["worker"], folder], request["env"])
        # The learner's code finds its own modules first, and nothing of the agent's.
        sys.path.insert(0, folder)
        ours = __name__.partition(".")[0]
        for name in [name for name in sys.modules if name.partition(".")[0] == ours]:
            del sys.modules[name]
        sys.argv = [folder]
        Worker(socket.socket(fileno=3), folder).serve()
        status = 0
    finally:
        os._exit(status)
