"""A program that the learner starts by hand in a sandbox of the engine `local`."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import selectors
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from typing import Any

from grader.errors import InfrastructureError

READ = 1 << 16


class LocalTerminal:
    """See engine.base.Terminal. It has a terminal of its own, not the one that grader has."""

    def __init__(self, argv: Sequence[str], enter: Mapping[str, Any], *, tty: bool) -> None:
        """Start `argv`, whose word `FD` is the descriptor in which it finds `enter`.

        Raises InfrastructureError.
        """
        told, tell = os.pipe()
        self._master, slave = os.openpty() if tty else (-1, -1)
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(
                [str(told) if word == "FD" else word for word in argv],
                env={},
                stdin=slave if tty else pipe,
                stdout=slave if tty else pipe,
                stderr=slave if tty else pipe,
                pass_fds=(told,),
                start_new_session=True,
                preexec_fn=_take_terminal if tty else None,  # no thread of ours holds a lock there
                bufsize=0,
            )
        except OSError as error:
            os.close(tell)
            raise InfrastructureError(f"{argv[0]}: cannot be started: {error.strerror}") from None
        finally:
            os.close(told)
            if tty:
                os.close(slave)
        with os.fdopen(tell, "wb") as file:
            file.write(json.dumps(enter).encode())
        self._streams: dict[int, int] = {}
        self._selector = selectors.EpollSelector()
        self._follow(tty)

    def _follow(self, tty: bool) -> None:
        if tty:
            self._streams = {self._master: 1}
        else:
            assert self._process.stdout is not None
            assert self._process.stderr is not None
            self._streams = {self._process.stdout.fileno(): 1, self._process.stderr.fileno(): 2}
        for descriptor in self._streams:
            self._selector.register(descriptor, selectors.EVENT_READ)

    def fileno(self) -> int:
        return self._selector.fileno()

    def waiting(self) -> bool:
        return False

    def read(self) -> list[tuple[int, bytes]] | None:
        found = []
        for key, _ in self._selector.select(0):
            data = b""
            with contextlib.suppress(OSError):  # the last process behind a terminal has ended
                data = os.read(key.fd, READ)
            if data:
                found.append((self._streams[key.fd], data))
            else:
                self._selector.unregister(key.fd)
                del self._streams[key.fd]
        return found if self._streams or found else None

    def write(self, data: bytes) -> None:
        goal = self._master if self._process.stdin is None else self._process.stdin.fileno()
        with contextlib.suppress(OSError):
            while data:
                data = data[os.write(goal, data) :]

    def close_input(self) -> None:
        with contextlib.suppress(OSError):
            if self._process.stdin is None:
                os.write(self._master, b"\x04")
            else:
                self._process.stdin.close()

    def resize(self, rows: int, columns: int) -> None:
        if self._master >= 0:
            size = struct.pack("HHHH", rows, columns, 0, 0)
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def wait(self) -> int:
        code = self._process.wait()
        return 128 - code if code < 0 else code

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, 9)
        self._process.wait()
        self._selector.close()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        if self._master >= 0:
            os.close(self._master)


def _take_terminal() -> None:
    """The new session's terminal is its standard input: keys like Ctrl-C reach what runs there."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
