"""A WebSocket client for a learner's server: messages are bounded, and waited for so long."""

from __future__ import annotations

from typing import Any

from websockets import exceptions
from websockets.sync.client import ClientConnection, connect

from grader.judge.errors import Broke
from grader.judge.forward import REFUSED, Forward

TIMEOUT = 5.0
"""Seconds until the connection is open, and until a message comes, unless the test says so."""
MOST_MESSAGE = 1024 * 1024
"""Bytes of one message, decompressed."""


class WebSocket(ClientConnection):
    """An open connection; see websockets.sync.client.ClientConnection."""

    what = "The WebSocket"

    def recv(self, timeout: float | None = TIMEOUT, decode: bool | None = None) -> Any:
        """The next message. Raises Silent (a TimeoutError) when none comes in time."""
        try:
            return super().recv(timeout, decode)
        except TimeoutError:
            raise Silent(f"{self.what} sent nothing within {timeout:g} s.") from None


class Silent(Broke, TimeoutError):
    """No message came in time."""

    def __init__(self, message: str) -> None:
        Broke.__init__(self, "timeout", message)


def open_websocket(forward: Forward, path: str, options: dict[str, Any]) -> WebSocket:
    """Open a WebSocket. `options` are those of websockets.sync.client.connect."""
    what = f"WebSocket {path}"[:120]
    before = forward.refused
    settings = {
        "open_timeout": TIMEOUT,
        "close_timeout": 1.0,
        "max_size": MOST_MESSAGE,
        "proxy": None,
        "create_connection": WebSocket,
        **options,
    }
    try:
        made = connect(f"ws://127.0.0.1:{forward.port}{path}", **settings)
    except TimeoutError:
        text = f"{what} was not opened within {settings['open_timeout']:g} s."
        raise Broke("timeout", text) from None
    except (OSError, EOFError, exceptions.InvalidMessage, exceptions.ConnectionClosed) as error:
        if forward.refused > before:
            raise Broke("refused", REFUSED.format(what=what)) from error
        raise Broke("closed", f"{what}: the connection was closed before it was open.") from error
    assert isinstance(made, WebSocket)
    made.what = what
    return made


def broken_by(error: BaseException) -> Broke | None:
    """What an exception of websockets says of the learner's program; None: it says nothing."""
    if isinstance(error, exceptions.ConnectionClosed):
        return Broke("closed", f"The WebSocket was closed: {error}."[:300])
    if isinstance(error, exceptions.InvalidHandshake):
        return Broke("answer", f"The WebSocket was not opened: {error}."[:300])
    return None
