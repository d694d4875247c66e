"""The judge's clients against real servers, through a forward and an agent's end of it.

The agent's end runs in this process: a forward needs no sandbox.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import secrets
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from grader.agent import programs
from grader.agent.relay import Relays
from grader.judge import bounds, web
from grader.judge.comparison import Comparisons
from grader.judge.errors import Broke
from grader.judge.forward import Forward, Forwards
from grader.judge.outcomes import verdict_of
from grader.judge.websocket import open_websocket

Answer = Callable[[socket.socket], None]
Serve = Callable[[Answer], web.Sync]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(scope="module")
def relays() -> Relays:
    return Relays({})


@pytest.fixture(scope="module")
def forwards() -> Forwards:
    return Forwards()


@pytest.fixture
def forward(relays: Relays, forwards: Forwards, tmp_path: Path) -> Iterator[Forward]:
    """A way to a port on which nobody listens yet. Both ends are in one namespace here."""
    inside, outside = programs.free_port(), programs.free_port()
    while outside == inside:
        outside = programs.free_port()
    path = str(tmp_path / secrets.token_hex(4))
    relays.forward(inside, path)
    made = forwards.open(outside, path)
    made.inside = inside  # type: ignore[attr-defined]  # for the server of the test
    yield made
    made.close()


@pytest.fixture
def serve(forward: Forward) -> Iterator[Serve]:
    """A client of a server that reads each request, and then does what the test says."""
    listener = socket.create_server(("127.0.0.1", forward.inside))  # type: ignore[attr-defined]
    clients: list[web.Sync] = []

    def accept(answer: Answer) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=handle, args=(connection, answer), daemon=True).start()

    def handle(connection: socket.socket, answer: Answer) -> None:
        with connection:
            connection.recv(65536)
            with contextlib.suppress(OSError):  # the client has gone: some tests want just that
                answer(connection)

    def begin(answer: Answer) -> web.Sync:
        threading.Thread(target=accept, args=(answer,), daemon=True).start()
        clients.append(web.sync_client(forward.port, lambda: forward))
        return clients[-1]

    yield begin
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for client in clients:
        client.close()


def says(head: str, body: bytes = b"") -> Answer:
    """An answer with these headers and a length that fits."""
    lines = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{head}\r\n"
    return lambda connection: connection.sendall(lines.encode() + body)


def test_an_answer_arrives(serve: Serve) -> None:
    """Status and body, again and again."""
    client = serve(lambda connection: connection.sendall(OK))
    assert [client.get("/x").text for _ in range(5)] == ["ok"] * 5


def test_asyncio_works_too(serve: Serve, forward: Forward) -> None:
    """The same server by the asynchronous client."""
    serve(lambda connection: connection.sendall(OK))

    async def ask() -> str:
        async with web.async_client(forward.port, lambda: forward) as client:
            return (await client.get("/x")).text

    assert asyncio.run(ask()) == "ok"


def test_nobody_listens(forward: Forward) -> None:
    """A port that refuses is a ConnectError, as without a forward."""
    client = web.sync_client(forward.port, lambda: forward)
    with client, pytest.raises(httpx.ConnectError):
        client.post("/x", content=b"x" * 100_000)
    assert forward.refused == 1


def test_no_replica_lives(forward: Forward) -> None:
    """When nobody is left to ask, the request is refused."""
    client = web.sync_client(forward.port, lambda: None)
    with client, pytest.raises(httpx.ConnectError):
        client.get("/x")


def test_a_cut_ends_what_is_open(serve: Serve, forward: Forward) -> None:
    """Connections end at once; new ones work."""
    client = serve(lambda connection: time.sleep(0.5) or connection.sendall(OK))  # type: ignore[func-returns-value]
    threading.Timer(0.1, forward.cut).start()
    with pytest.raises(httpx.TransportError):
        client.get("/x")
    assert client.get("/x").text == "ok"


def test_much_is_carried_both_ways(serve: Serve) -> None:
    """Megabytes in both directions arrive whole."""
    body = bytes(range(256)) * 20_000

    def echo(connection: socket.socket) -> None:
        connection.settimeout(0.3)
        got = b""
        try:
            while part := connection.recv(1 << 20):
                got += part
        except TimeoutError:
            pass
        says("", body)(connection)

    assert serve(echo).post("/x", content=body, timeout=20).content == body


@pytest.mark.parametrize("wbits", [31, 15, -15], ids=["gzip", "zlib", "deflate"])
def test_what_is_compressed_is_read(serve: Serve, wbits: int) -> None:
    """All that servers call gzip and deflate."""
    packer = zlib.compressobj(wbits=wbits)
    body = packer.compress(b"text" * 100_000) + packer.flush()
    encoding = "gzip" if wbits == 31 else "deflate"
    answer = serve(says(f"Content-Encoding: {encoding}\r\n", body)).get("/x")
    assert answer.content == b"text" * 100_000


@pytest.mark.parametrize("wbits", [31, 15, -15], ids=["gzip", "zlib", "deflate"])
def test_a_bomb_is_not_unpacked(serve: Serve, wbits: int) -> None:
    """A body may have MOST_BODY bytes when it is decompressed, whatever it had before."""
    packer = zlib.compressobj(wbits=wbits)
    body = b"".join(packer.compress(bytes(1 << 20)) for _ in range(50)) + packer.flush()
    assert len(body) < 100_000
    encoding = "gzip" if wbits == 31 else "deflate"
    client = serve(says(f"Content-Encoding: {encoding}\r\n", body))
    with pytest.raises(Broke, match="more than 10 MiB"):
        client.get("/x")


def _endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(bytes(65536))


def _dripping(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("answer", "reason", "said"),
    [
        (_endless, "answer", "more than 10 MiB"),
        (_dripping, "timeout", "GET /x did not answer within 0.5 s."),
        (lambda connection: time.sleep(3), "timeout", "GET /x did not answer within 0.5 s."),
        (lambda connection: None, "closed", "closed before the answer was complete"),
        (lambda connection: connection.sendall(OK[:-1]), "closed", "closed before the answer"),
        (lambda connection: connection.sendall(b"\0" * 50), "answer", "what cannot be read"),
        (lambda connection: connection.sendall(b"x" * 200_000), "answer", "what cannot be read"),
        (says("X: y\r\n" * 150), "answer", "more than 100 headers"),
        (says("X: " + "y" * 200_000 + "\r\n"), "answer", "what cannot be read"),
        (says("Content-Encoding: gzip, gzip\r\n", b"x"), "answer", "more than one Content-Enc"),
        (says("Content-Encoding: gzip\r\n", b"not gzip"), "answer", "what cannot be read"),
        (
            says("Content-Type: text/plain; charset=zlib\r\n", zlib.compress(b"x" * 1000)),
            "answer",
            "a charset that is none",
        ),
    ],
    ids=[
        *("endless", "dripping", "silent", "closed", "short", "garbage", "long-line"),
        *("many-headers", "long-header", "twice-packed", "not-packed", "charset"),
    ],
)
def test_what_becomes_of_a_bad_answer(serve: Serve, answer: Answer, reason: str, said: str) -> None:
    """Each is `broke` with its reason and a sentence, and none is a fault of ours."""
    client = serve(answer)
    with pytest.raises(Exception) as caught:
        client.get("/x", timeout=0.5)
    verdict = verdict_of(caught.value, Comparisons(), None)
    assert (verdict.outcome, verdict.reason) == ("broke", reason)
    assert said in verdict.message
    assert len(verdict.message) < 400


def test_redirects_are_the_tests_business(serve: Serve) -> None:
    """They are not followed, and never to another server."""
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:6379/\r\nContent-Length: 0\r\n\r\n"
    client = serve(lambda connection: connection.sendall(moved))
    assert client.get("/x").status_code == 302
    with pytest.raises(Broke, match="another server"):
        client.get("/x", follow_redirects=True)


def test_a_stream_may_take_its_time(serve: Serve) -> None:
    """The limit for a whole answer is not one for an answer that is read as it comes."""

    def events(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(4):
            time.sleep(0.2)
            connection.sendall(b"event\n")

    client = serve(events)
    with client.stream("GET", "/x", timeout=0.6) as answer:
        assert list(answer.iter_lines()) == ["event"] * 4


def test_a_websocket_that_is_refused(forward: Forward) -> None:
    """Nobody listens: `broke` at once."""
    with pytest.raises(Broke, match="was refused") as caught:
        open_websocket(forward, "/chat", {})
    assert caught.value.reason == "refused"


def test_a_websocket_that_is_not_answered(serve: Serve, forward: Forward) -> None:
    """A server that hangs, and one that hangs up."""
    serve(lambda connection: time.sleep(2))
    with pytest.raises(Broke) as caught:
        open_websocket(forward, "/chat", {"open_timeout": 0.3})
    assert (caught.value.reason, caught.value.message) == (
        "timeout",
        "WebSocket /chat was not opened within 0.3 s.",
    )


def test_a_websocket_that_is_closed(serve: Serve, forward: Forward) -> None:
    """A server that hangs up before the handshake."""
    serve(lambda connection: None)
    with pytest.raises(Broke) as caught:
        open_websocket(forward, "/chat", {})
    assert caught.value.reason == "closed"


def test_small_pieces_bound_the_memory() -> None:
    """What is decompressed at once stays far below the judge's memory."""
    request = httpx.Request("GET", "http://127.0.0.1/x")
    one = bounds.Bounds(request)
    one.check_headers(
        httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b""))
    )
    body = gzip.compress(bytes(5 << 20))
    sizes = [len(piece) for piece in one.pieces(body)]
    assert max(sizes) <= 4096
    assert sum(sizes) == len(body)
