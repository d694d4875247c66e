"""Unit tests reach nothing outside the process: no network, no variables of the user's."""

from __future__ import annotations

import socket
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _nothing_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connecting over the network fails the test; GRADER_* and DOCKER_* are not set."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        assert self.family == socket.AF_UNIX, f"a unit test connects to {address}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    import os

    for name in list(os.environ):
        if name.startswith(("GRADER_", "DOCKER_")):
            monkeypatch.delenv(name)
