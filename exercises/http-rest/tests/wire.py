"""HTTP/1.1 over a plain socket, to see what a client library hides: where an answer ends."""

import contextlib
import socket
from dataclasses import dataclass, field

import httpx

SECONDS = 5
QUIET = 1  # seconds without a byte after which an answer to a closing request is complete
MOST = 1 << 20  # bytes
LIMITS = {"timeout": {"read": SECONDS}}


@dataclass
class Answer:
    version: str
    status: int
    headers: dict = field(default_factory=dict)
    content: bytes = b""

    @property
    def says_close(self):
        return "close" in self.headers.get("connection", "").lower()


class Wire:
    """One connection, for as many requests as the server lets it have."""

    def __init__(self, server):
        self._server = server
        self._socket = socket.create_connection(("127.0.0.1", server.port), SECONDS)
        self._file = self._socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._file.close()
        self._socket.close()

    def send(self, method, path, headers=(), body=b"", hold_back=0):
        """Sends a request, without the last `hold_back` bytes of its body."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self._server.port}"]
        lines += [f"{name}: {value}" for name, value in dict(headers).items()]
        if body:
            lines += ["Content-Type: application/json"] * ("Content-Type" not in dict(headers))
            lines += [f"Content-Length: {len(body)}"]
        head = "\r\n".join(lines).encode() + b"\r\n\r\n"
        self.send_bytes(head + body[: len(body) - hold_back])

    def send_bytes(self, data):
        with contextlib.suppress(ConnectionError):  # reading tells
            self._socket.sendall(data)

    def read(self, method, path, body=True):
        """The next answer; None when the server closed the connection instead."""
        asked = httpx.Request(method, f"{self._server.url}{path}", extensions=LIMITS)
        try:
            answer = self._head(method, path)
            if answer is not None and body:
                answer.content = self._body(method, answer)
        except TimeoutError:
            raise httpx.ReadTimeout("no answer", request=asked) from None
        except ConnectionError:
            return None
        except (ValueError, IndexError):
            raise httpx.RemoteProtocolError("this is not HTTP/1.1", request=asked) from None
        return answer

    def ask(self, method, path, headers=(), body=b""):
        self.send(method, path, headers, body)
        return self.read(method, path)

    def _body(self, method, answer):
        """RFC 9112, section 6.3."""
        if method == "HEAD" or answer.status in (204, 304):
            return b""
        if "chunked" in answer.headers.get("transfer-encoding", "").lower():
            return self._chunks()
        if "content-length" in answer.headers:
            return self._exactly(int(answer.headers["content-length"]))
        return self._file.read(MOST)

    def _chunks(self):
        content = b""
        while size := int(self._line().partition(b";")[0], 16):
            content += self._exactly(size)
            self._line()
            if len(content) > MOST:
                raise ValueError
        while self._line():
            pass
        return content

    def _head(self, method, path):
        first = self._line()
        if not first:
            return None
        assert first[:7] == b"HTTP/1.", (
            f"On an open connection, the answer to {method} {path} was expected. These bytes came, "
            "and they do not begin an answer. Either they belong to the answer before: its "
            "Content-Length is too small, or it should not have a body. Or your server took what "
            "was left of an earlier request for a new one."
        )
        version, status = first.decode("latin-1").split(" ")[:2]
        answer = Answer(version, int(status))
        for _ in range(100):
            line = self._line().decode("latin-1")
            if not line:
                return answer
            name, _, value = line.partition(":")
            answer.headers[name.strip().lower()] = value.strip()
        raise ValueError

    def _line(self):
        return self._file.readline(1 << 16).rstrip(b"\r\n")

    def _exactly(self, size):
        data = self._file.read(min(size, MOST))
        if len(data) < size:
            raise ConnectionError
        return data

    def rest(self):
        """Every byte that still comes, until the server closes or has nothing more to say."""
        data = b""
        self._socket.settimeout(QUIET)
        try:
            while len(data) < MOST and (part := self._file.read1(1 << 16)):
                data += part
        except (TimeoutError, ConnectionError):
            pass
        return data


def whole(server, method, path, headers=()):
    """The answer to a request on a connection of its own, and all bytes after its head."""
    with Wire(server) as wire:
        wire.send(method, path, {**dict(headers), "Connection": "close"})
        answer = wire.read(method, path, body=False)
        if answer is None:
            asked = httpx.Request(method, f"{server.url}{path}")
            raise httpx.ReadError("closed", request=asked)
        return answer, wire.rest()
