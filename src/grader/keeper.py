"""The session apart in which the reference solution runs: its judge only keeps the services."""

from __future__ import annotations

import time

from grader import events
from grader.engine.base import Message, Session
from grader.errors import SessionLost

WITHIN = 120.0
"""Seconds that bringing services up, or making them fresh, may take."""


class Keeper:
    """The judge of the reference's session: it only keeps the services there."""

    def __init__(self, session: Session, message: Message) -> None:
        self._session = session
        self._token = message["run"]
        session.send({**message, "serve": True})
        self._ready = self._wait()

    def _wait(self) -> int:
        """The number of the judge's request for the next reset: all before it is done."""
        deadline = time.monotonic() + WITHIN
        while (left := deadline - time.monotonic()) > 0:
            message = self._session.receive(left)
            if message is None or message.get("run") != self._token:
                continue
            match events.read(message):
                case events.Request(number, "service") as request:
                    self._session.replace_service(request.service)
                    self._session.send({"type": "reply", "id": number})
                case events.Request(number):
                    return number
                case event:
                    text = getattr(event, "message", "it does not keep the services")
                    raise SessionLost(f"the reference's session: {text}")
        raise SessionLost("the reference's session does not answer")

    def reset(self) -> None:
        self._session.send({"type": "reply", "id": self._ready})
        self._ready = self._wait()
