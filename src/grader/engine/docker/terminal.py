"""A program that the learner starts by hand in a container of their session."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from grader.engine.docker.errors import translated

OURS = ("KEY", "SOCKET", "FOLDER", "SCRATCH", "RELAYS", "PRELOAD", "OUTPUT", "LEASE", "LEASE_GRACE")
"""Variables of the container that are the agent's alone, without GRADER_."""


class DockerTerminal:
    """See engine.base.Terminal."""

    def __init__(
        self,
        api: Any,
        container: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        folder: str,
        *,
        tty: bool,
    ) -> None:
        """Raises InfrastructureError."""
        without = [word for name in OURS for word in ("-u", f"GRADER_{name}")]
        with translated("starting a program in a sandbox"):
            self._id = api.exec_create(
                container,
                ["env", *without, *argv],
                stdin=True,
                tty=tty,
                environment=dict(env),
                workdir=folder,
            )["Id"]
            self._attached = api.exec_start(self._id, socket=True, tty=tty)
        self._api = api
        self._tty = tty
        self._sock: socket.socket = getattr(self._attached, "_sock", self._attached)
        self._sock.settimeout(30)
        self._frames = bytearray()

    def fileno(self) -> int:
        return self._sock.fileno()

    def read(self) -> list[tuple[int, bytes]] | None:
        """What came since: (1 for its output, 2 for its errors; bytes). None at its end."""
        try:
            data = self._sock.recv(1 << 16)
        except OSError:
            data = b""
        if not data:
            return None
        if self._tty:
            return [(1, data)]
        self._frames += data
        return list(self._unframed())

    def _unframed(self) -> Any:
        while len(self._frames) >= 8:
            stream, size = struct.unpack_from(">BxxxI", self._frames)
            if len(self._frames) < 8 + size:
                return
            yield stream, bytes(self._frames[8 : 8 + size])
            del self._frames[: 8 + size]

    def waiting(self) -> bool:
        """Whether bytes have come that no `select` tells of: those that TLS holds."""
        pending = getattr(self._sock, "pending", None)
        return pending is not None and bool(pending())

    def write(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # it has ended; `read` says so
            self._sock.sendall(data)

    def close_input(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    def resize(self, rows: int, columns: int) -> None:
        with contextlib.suppress(Exception):
            self._api.exec_resize(self._id, height=rows, width=columns)

    def wait(self) -> int:
        """Its exit code. Raises InfrastructureError."""
        with translated("asking how a program ended"):
            return int(self._api.exec_inspect(self._id)["ExitCode"] or 0)

    def close(self) -> None:
        self._attached.close()
