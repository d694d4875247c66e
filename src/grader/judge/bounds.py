"""What one HTTP answer of a learner's server may have."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from typing import Any

import httpx

from grader.judge.errors import Broke

MOST_BODY = 10 * 1024 * 1024
"""Bytes of one answer's body, as sent and as decompressed."""
MOST_HEADERS = 100
_PIECE = 4096
"""Bytes that are decompressed at once: deflate makes a thousand times as many of them at most."""


class Bounds:
    """What one answer may have. Past a bound the check is `broke`, with a sentence."""

    def __init__(self, request: httpx.Request) -> None:
        self._request = request
        whole = request.extensions.get("grader.whole")
        self._deadline = None if whole is None else time.monotonic() + whole
        self._sent = 0
        self._decoded = 0
        self._encoding = ""
        self._decoder: Any = None

    def check_headers(self, response: httpx.Response) -> None:
        """Raises Broke for too many headers, and for what a body could not be read safely with."""
        headers, charset = response.headers, response.charset_encoding
        if len(headers.raw) > MOST_HEADERS:
            raise self._broke(f"with more than {MOST_HEADERS} headers")
        encodings = headers.get_list("content-encoding", split_commas=True)
        if len(encodings) > 1:
            raise self._broke("with more than one Content-Encoding")
        self._encoding = encodings[0].strip().lower() if encodings else ""
        if charset is not None:
            try:
                b"x".decode(charset)
            except LookupError as error:
                if "not a text encoding" in str(error):  # zlib, say: it would grow when decoded
                    raise self._broke(f"with a charset that is none: {charset[:40]}") from None
            except ValueError:  # a NUL in the name: httpx falls back to UTF-8
                pass

    def pieces(self, part: bytes) -> Iterator[bytes]:
        """The part in small pieces, each counted before it goes on."""
        for start in range(0, len(part), _PIECE):
            piece = part[start : start + _PIECE]
            self._sent += len(piece)
            self._decoded += self._grown(piece)
            if max(self._sent, self._decoded) > MOST_BODY:
                raise self._broke(f"with more than {MOST_BODY // 1024 // 1024} MiB")
            yield piece
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise httpx.ReadTimeout("the answer dripped", request=self._request)

    def _grown(self, piece: bytes) -> int:
        """How many bytes httpx will decompress this to."""
        if self._encoding not in ("gzip", "x-gzip", "deflate"):
            return len(piece)
        if self._decoder is None:
            self._decoder = zlib.decompressobj(zlib.MAX_WBITS | 32)
            try:
                return len(self._decoder.decompress(piece))
            except zlib.error:  # deflate without its header, which many servers send
                self._decoder = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            return len(self._decoder.decompress(piece))
        except zlib.error:
            return 0  # httpx meets the same, and says so

    def _broke(self, how: str) -> Broke:
        return Broke("answer", f"{what(self._request)} was answered {how}.")


def what(request: httpx.Request) -> str:
    """`GET /books`, for messages."""
    return f"{request.method} {request.url.raw_path.decode('ascii', 'replace')}"[:120]
