"""HTTP for the `world` fixture: a handler of a hidden test answers the learner's requests."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from grader.judge.world import Served

MOST_BODY = 4 * 1024 * 1024
MOST_REQUESTS = 20_000
"""Requests that one server keeps."""
PATIENCE = 15.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as it came: `path` without the query, `headers` whatever the case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Message
    body: bytes

    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


Answer = tuple[int, Any] | tuple[int, Any, Mapping[str, str]]
Handler = Callable[[Request], Answer]


class HttpServer:
    """What `world.serve` returns."""

    def __init__(self, handler: Handler, *, secure: bool) -> None:
        self.served: Served
        self._handler = handler
        self._scheme = "https" if secure else "http"
        self._requests: list[Request] = []
        self._arrived = threading.Condition()
        self._flowing = threading.Event()
        self._flowing.set()

    @property
    def port(self) -> int:
        """Its port on the loopback of every sandbox of this check."""
        return self.served.port

    @property
    def url(self) -> str:
        """Where the learner's program finds it."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def refused(self) -> list[str]:
        """Why TLS handshakes failed, as OpenSSL says it."""
        return self.served.refused

    @property
    def requests(self) -> list[Request]:
        """Those that came, in order of arrival."""
        with self._arrived:
            return list(self._requests)

    def hold(self) -> None:
        """Take requests, and answer none until `release`."""
        self._flowing.clear()

    def release(self) -> None:
        """Answer again, those that wait included."""
        self._flowing.set()

    def wait(self, count: int, within: float = PATIENCE) -> None:
        """Return when so many requests have come in all; the check fails after `within` seconds."""
        with self._arrived:
            came = self._arrived.wait_for(lambda: len(self._requests) >= count, within)
            found = len(self._requests)
        assert came, f"{count} requests should have come by now; there were {found}."

    def close(self) -> None:
        """Refuse connections and end the open ones; `requests` stays readable."""
        self._flowing.set()
        self.served.close()

    # -- for the runtime ----------------------------------------------------------------------

    def talk(self, connection: socket.socket) -> None:
        """Answer what comes over one connection, until its end."""
        _Talk(self, connection)

    def answer(self, request: Request) -> Answer:
        """What the test's handler says to one request, as soon as answers are not held."""
        with self._arrived:
            if len(self._requests) < MOST_REQUESTS:
                self._requests.append(request)
            self._arrived.notify_all()
        self._flowing.wait()
        return self._handler(request)


class _Talk(BaseHTTPRequestHandler):
    """One connection, until its client closes it or asks to."""

    protocol_version = "HTTP/1.1"
    server_version = "world"
    sys_version = ""

    def __init__(self, http: HttpServer, connection: socket.socket) -> None:
        self._http = http
        super().__init__(connection, ("127.0.0.1", 0), None)  # type: ignore[arg-type]  # not used

    def handle_one_request(self) -> None:
        """Any method is the handler's to judge; what HTTP itself forbids is answered here."""
        self.raw_requestline = self.rfile.readline(65_537)
        if not self.raw_requestline:
            self.close_connection = True
            return
        if len(self.raw_requestline) > 65_536:
            self.requestline = self.request_version = self.command = ""
            self.send_error(414)
            self.close_connection = True
            return
        if not self.parse_request():  # has answered
            return
        body = self._body()
        if body is None:
            self.close_connection = True
            return
        url = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=url.path,
            query=tuple(parse_qsl(url.query, keep_blank_values=True)[:1000]),
            headers=self.headers,
            body=body,
        )
        status, content, *more = self._http.answer(request)
        self._send(int(status), content, dict(more[0]) if more else {})

    def _body(self) -> bytes | None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunked()
        text = self.headers.get("Content-Length", "0").strip()
        if not text.isascii() or not text.isdigit() or len(text) > 12:
            self.send_error(400)
            return None
        if int(text) > MOST_BODY:
            self.send_error(413)
            return None
        return self.rfile.read(int(text))

    def _chunked(self) -> bytes | None:
        """RFC 9112, section 7.1; extensions and trailers are read and dropped."""
        body = b""
        while True:
            digits = self.rfile.readline(1000).split(b";")[0].strip()
            if not digits or len(digits) > 8 or digits.strip(b"0123456789abcdefABCDEF"):
                self.send_error(400)
                return None
            size = int(digits, 16)
            if len(body) + size > MOST_BODY:
                self.send_error(413)
                return None
            if size == 0:
                while self.rfile.readline(65_537).strip():
                    pass
                return body
            body += self.rfile.read(size)
            self.rfile.readline(10)

    def _send(self, status: int, content: Any, headers: dict[str, str]) -> None:
        kind = ""
        if content is None:
            content = b""
        elif isinstance(content, str):
            kind, content = "text/plain; charset=utf-8", content.encode()
        elif not isinstance(content, bytes):
            kind, content = "application/json", json.dumps(content).encode()
        names = {name.lower() for name in headers}
        self.send_response(status)
        if kind and "content-type" not in names:
            self.send_header("Content-Type", kind)
        bare = status < 200 or status in (204, 304)
        if not bare and not names & {"content-length", "transfer-encoding"}:
            self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD" and not bare:
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- its base names it so
        """Nothing: what came is in `requests`."""
