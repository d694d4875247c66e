"""The learner's servers, in a hidden test's hands."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

from grader.judge.client import AgentClient
from grader.judge.errors import Broke, unreadable
from grader.judge.forward import Forward, Forwards
from grader.judge.programs import Process, Program

if TYPE_CHECKING:
    from grader.judge import web
    from grader.judge.websocket import WebSocket


class Server(Process):
    """A program that listens on a port of its sandbox's loopback.

    The same port on the judge's own loopback leads there, so any client of a test can use `url`.
    """

    def __init__(
        self, program: Program, sandbox: AgentClient, env: Mapping[str, str], forwards: Forwards
    ) -> None:
        self._forward = _open(sandbox, forwards)
        self._http: web.Sync | None = None
        try:
            super().__init__(program, sandbox, {**env, program.port: str(self._forward.port)})
        except BaseException:
            self._forward.close()
            raise

    @property
    def port(self) -> int:
        """The port, the same in the sandbox and for the test; kept by `restart`."""
        return self._forward.port

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, in the sandbox and for the test."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def http(self) -> web.Sync:
        """An httpx.Client of this server: 5 s for an answer, no redirects, bounded bodies."""
        if self._http is None:
            from grader.judge import web

            self._http = web.sync_client(self.port, lambda: self._forward)
        return self._http

    @property
    def ahttp(self) -> web.Async:
        """A new httpx.AsyncClient of this server, for `async with` in one event loop."""
        from grader.judge import web

        return web.async_client(self.port, lambda: self._forward)

    def ws(self, path: str, **options: Any) -> WebSocket:
        """Open a WebSocket; `options` are those of websockets.sync.client.connect."""
        from grader.judge.websocket import open_websocket

        return open_websocket(self._forward, path, options)

    def kill(self) -> None:
        """SIGKILL for it and its children; returns when it and its connections are gone."""
        super().kill()
        self._forward.cut()

    def close(self) -> None:
        self._forward.close()
        if self._http is not None:
            self._http.close()

    @property
    def forward(self) -> Forward:
        """For the runtime: the way to it."""
        return self._forward

    def _not_ready(self, ready: Mapping[str, str]) -> str:
        if ready["log"]:
            return super()._not_ready(ready)
        if ready["http"]:
            return self._not_answering(ready["http"])
        if self._sandbox.request("listening", port=self.port).get("listening") is True:
            return ""
        return self._nobody_listens()

    def _nobody_listens(self) -> str:
        """Where it should listen, and where it does instead."""
        should = f"127.0.0.1 at the port in {self._program.port}"
        found = self._sandbox.request("listeners").get("listeners")
        places = [place for place in found if isinstance(place, str)] if _is_list(found) else []
        if not places:
            return f"nothing accepts connections on {should}"
        instead = ", ".join(place[:60] for place in places[:5])
        return f"nothing accepts connections on {should}, which is {self.port}, but on {instead}"

    def _not_answering(self, path: str) -> str:
        import httpx

        try:
            status = self.http.get(path, timeout=2).status_code
        except httpx.ConnectError:
            return self._nobody_listens()
        except httpx.HTTPError as error:
            return f"GET {path} was not answered ({type(error).__name__})"
        return "" if 200 <= status < 400 else f"GET {path} was answered with status {status}"


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _open(sandbox: AgentClient, forwards: Forwards) -> Forward:
    """A port that is free in the sandbox and on this side, and the way from here to there."""
    for _ in range(20):
        port = sandbox.request("free_port").get("port")
        if not isinstance(port, int) or not 1024 <= port < 65536:
            raise unreadable()
        name = secrets.token_hex(6)
        try:
            forward = forwards.open(port, sandbox.socket_path(name))
        except OSError:  # taken on this side
            continue
        sandbox.request("forward", port=port, socket=name)
        return forward
    raise Broke("start", "No port is free for the program: yours hold them all.")
