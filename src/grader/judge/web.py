"""HTTP clients for a learner's server. Every answer is untrusted data, and bounded.

httpx's own exceptions pass through a test, which may expect one; `broken_by` says what each means
when nobody did. Only imported by those who need it: httpx takes 60 to 90 ms.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx

from grader.judge.bounds import Bounds, what
from grader.judge.errors import Broke
from grader.judge.forward import REFUSED, Forward
from grader.judge.trail import TRAIL

TIMEOUT = 5.0
"""Seconds a whole answer may take, unless the test says otherwise."""

Pick = Callable[[], Forward | None]
"""The server that gets the next request, or None when there is none."""


class Sync(httpx.Client):
    """A client of one server or of several replicas. Redirects are not followed by default."""

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """See httpx. Without `stream` the time limit is one for the whole answer."""
        _limit_whole(request, options)
        response = super().send(request, **options)
        TRAIL.saw(f"{what(request)} was answered with {response.status_code}")
        return response


class Async(httpx.AsyncClient):
    """The same for asyncio."""

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """See httpx. Without `stream` the time limit is one for the whole answer."""
        _limit_whole(request, options)
        response = await super().send(request, **options)
        TRAIL.saw(f"{what(request)} was answered with {response.status_code}")
        return response


def sync_client(port: int, pick: Pick) -> Sync:
    """A client whose requests to `port` go to whom `pick` says."""
    return Sync(transport=_SyncTransport(port, pick), **_options(port))


def async_client(port: int, pick: Pick) -> Async:
    """The same for asyncio."""
    return Async(transport=_AsyncTransport(port, pick), **_options(port))


def _options(port: int) -> dict[str, Any]:
    timeout = httpx.Timeout(TIMEOUT, pool=None)
    return {"base_url": f"http://127.0.0.1:{port}", "timeout": timeout, "trust_env": False}


def _limit_whole(request: httpx.Request, options: dict[str, Any]) -> None:
    seconds = request.extensions.get("timeout", {}).get("read")
    if not options.get("stream") and seconds is not None:
        request.extensions = {**request.extensions, "grader.whole": seconds}


class _Carried:
    """What both transports share: the right server, and an answer within its bounds."""

    def __init__(self, port: int, pick: Pick) -> None:
        self._port = port
        self._pick = pick

    def direct(self, request: httpx.Request) -> Forward:
        """Choose the server, and send the request there."""
        url = request.url
        if (url.scheme, url.host, url.port) != ("http", "127.0.0.1", self._port):
            raise Broke("answer", f"Your program sent the client on to another server: {url}"[:300])
        forward = self._pick()
        if forward is None:
            raise httpx.ConnectError("no replica is alive", request=request)
        request.url = url.copy_with(port=forward.port)
        return forward


def _refused(error: httpx.TransportError, forward: Forward, before: int) -> bool:
    """Whether the server was not there at all; forwards accept a connection before they know."""
    return not isinstance(error, httpx.TimeoutException) and forward.refused > before


def _inner_options() -> dict[str, Any]:
    # Plain HTTP: certificates would only take time. As many connections as a test has threads, and
    # a new one for each request: a server that drains or restarts must not wait for an idle one.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return {"verify": False, "limits": limits, "trust_env": False}


class _SyncTransport(_Carried, httpx.BaseTransport):
    def __init__(self, port: int, pick: Pick) -> None:
        super().__init__(port, pick)
        self._inner = httpx.HTTPTransport(**_inner_options())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        forward = self.direct(request)
        bounds = Bounds(request)
        before = forward.refused
        try:
            response = self._inner.handle_request(request)
        except httpx.TransportError as error:
            if _refused(error, forward, before):
                raise httpx.ConnectError("connection refused", request=request) from error
            raise
        try:
            bounds.check_headers(response)
        except Broke:
            response.close()
            raise
        assert isinstance(response.stream, httpx.SyncByteStream)
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_SyncStream(response.stream, bounds),
            extensions=response.extensions,
        )

    def close(self) -> None:
        self._inner.close()


class _AsyncTransport(_Carried, httpx.AsyncBaseTransport):
    def __init__(self, port: int, pick: Pick) -> None:
        super().__init__(port, pick)
        self._inner = httpx.AsyncHTTPTransport(**_inner_options())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        forward = self.direct(request)
        bounds = Bounds(request)
        before = forward.refused
        try:
            response = await self._inner.handle_async_request(request)
        except httpx.TransportError as error:
            if _refused(error, forward, before):
                raise httpx.ConnectError("connection refused", request=request) from error
            raise
        try:
            bounds.check_headers(response)
        except Broke:
            await response.aclose()
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_AsyncStream(response.stream, bounds),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._inner.aclose()


class _SyncStream(httpx.SyncByteStream):
    def __init__(self, inner: httpx.SyncByteStream, bounds: Bounds) -> None:
        self._inner = inner
        self._bounds = bounds

    def __iter__(self) -> Iterator[bytes]:
        for part in self._inner:
            yield from self._bounds.pieces(part)

    def close(self) -> None:
        self._inner.close()


class _AsyncStream(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream, bounds: Bounds) -> None:
        self._inner = inner
        self._bounds = bounds

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._inner:
            for piece in self._bounds.pieces(part):
                yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()


def broken_by(error: BaseException) -> Broke | None:
    """What an exception of httpx says of the learner's program; None: it says nothing."""
    if not isinstance(error, httpx.RequestError):
        return None
    asked = what(error.request)
    if isinstance(error, httpx.ConnectError):
        return Broke("refused", REFUSED.format(what=asked))
    if isinstance(error, httpx.TimeoutException):
        limits = error.request.extensions.get("timeout", {})
        seconds = limits.get("connect" if isinstance(error, httpx.ConnectTimeout) else "read")
        within = f"within {seconds:g} s" if seconds is not None else "in time"
        return Broke("timeout", f"{asked} did not answer {within}.")
    text = str(error)
    ended = "disconnected" in text or "closed connection" in text
    if isinstance(error, httpx.NetworkError) or ended:
        return Broke(
            "closed", f"{asked}: the connection was closed before the answer was complete."
        )
    if isinstance(error, httpx.RemoteProtocolError | httpx.DecodingError):
        return Broke("answer", f"{asked} was answered with what cannot be read: {text}."[:300])
    if isinstance(error, httpx.TooManyRedirects):
        return Broke("answer", f"{asked} was redirected again and again.")
    return None
