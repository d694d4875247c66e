"""Programs of the learner that run in the background: servers and daemons."""

from __future__ import annotations

import errno
import os
import random
import socket
import struct
import subprocess
from collections.abc import Mapping
from typing import Any

from .processes import FIRST_TO_GO, Capture, kill_group

PORTS = range(20_000, 30_000)
"""Below the ports that the kernel gives to outgoing connections: one of those cannot take it."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Program:
    """One background program. Its output, both streams in one, is capped; past that it ends."""

    def __init__(self, argv: list[str], folder: str, env: Mapping[str, str], output: int) -> None:
        """Raises OSError when it cannot be started at all."""
        self._process = subprocess.Popen(
            [*FIRST_TO_GO, *argv],
            cwd=folder,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            bufsize=0,
        )
        assert self._process.stdout
        self._output = Capture(os.dup(self._process.stdout.fileno()), output, self._end)
        self._process.stdout.close()

    def _end(self) -> None:
        kill_group(self._process.pid)

    def look(self, tail: int) -> tuple[dict[str, Any], bytes]:
        """How it is, and at most the last `tail` bytes of what it printed."""
        code = self._process.poll()
        printed = self._output.finish(0 if code is None else 0.2)
        return {"code": code, "overflowed": self._output.overflowed}, printed[-tail:]

    def signal(self, number: int) -> None:
        """Send a signal to the program itself, not to its children."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it and its children at once, and return when it is gone (TimeoutExpired)."""
        kill_group(self._process.pid)
        self._process.wait(5)

    def wait(self, timeout: float) -> int | None:
        """Its exit code, negative for a signal; None when it runs on."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def memory(self) -> int:
        """Resident bytes of its processes; shared pages count once for each."""
        pages = 0
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    with open(f"/proc/{name}/stat", "rb") as file:
                        fields = file.read(2048).rpartition(b") ")[2].split()
                except OSError:
                    continue
                if int(fields[3]) == self._process.pid:  # of its session
                    pages += int(fields[21])
        return pages * _PAGE


def start(argv: list[str], folder: str, env: Mapping[str, str], output: int) -> Program | str:
    """The running program, or why there is none: `pids` or the system's own words."""
    try:
        return Program(argv, folder, env, output)
    except OSError as error:
        return "pids" if error.errno == errno.EAGAIN else str(error)
    except RuntimeError:  # no thread can be made: the learner's processes hold all
        return "pids"


def free_port() -> int:
    """A port of the loopback on which nobody listens. Raises OSError when none is found."""
    for port in random.sample(PORTS, 100):
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port was found")


def listening(port: int) -> bool:
    """Whether somebody accepts connections on a port of the loopback."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def listeners(ours: set[int]) -> list[str]:
    """`0.0.0.0:8000`: where this namespace listens, but for ports of ours (proc_net_tcp(5))."""
    found = []
    for name, family, size in (("tcp", socket.AF_INET, 8), ("tcp6", socket.AF_INET6, 32)):
        try:
            with open(f"/proc/net/{name}", encoding="ascii") as file:
                lines = file.read(1 << 20).splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            address, _, port = fields[1].partition(":")
            if fields[3] == "0A" and len(address) == size and int(port, 16) not in ours:
                words = [address[at : at + 8] for at in range(0, size, 8)]
                raw = b"".join(struct.pack("=I", int(word, 16)) for word in words)
                host = socket.inet_ntop(family, raw)
                found.append(f"{host if size == 8 else f'[{host}]'}:{int(port, 16)}")
    return sorted(found)
