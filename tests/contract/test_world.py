"""Servers of a hidden test, reached as a learner's program reaches them: through a relay's port.

The agent's end runs in this process: to be reached, a server needs no sandbox.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from grader.agent import programs, relay
from grader.agent.relay import Relays
from grader.judge.certificates import Authority
from grader.judge.errors import AuthorFault
from grader.judge.handlers import Answer, Handler, Request
from grader.judge.world import LARGEST_DATAGRAM, MOST_CONNECTIONS, World


class Agent:
    """As much of a sandbox's agent as a world asks."""

    def __init__(self, folder: Path, *, shared: bool = False) -> None:
        self.folder = folder
        self.relays = Relays({}, shared=shared)

    def request(self, op: str, **body: Any) -> dict[str, Any]:
        if op == "leave":
            self.relays.leave(body["port"], datagrams=body["datagrams"])
            return {}
        if op == "free_port":
            return {"port": programs.free_port()}
        assert op == "reach"
        path, alone = str(self.folder / body["socket"]), body["alone"]
        port = self.relays.reach(body["port"], path, datagrams=body["datagrams"], alone=alone)
        return {"port": port}


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent(tmp_path)


@pytest.fixture
def world(agent: Agent, tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, lambda: [agent])  # type: ignore[list-item]  # all that it uses
    yield made
    made.close()
    agent.relays.reset()
    assert list(tmp_path.iterdir()) == []  # no socket is left


def echo(request: Request) -> Answer:
    told = {"method": request.method, "path": request.path, "query": request.query}
    return 200, {**told, "body": request.body.decode("latin-1")}, {"X-Kind": "echo"}


def test_a_handler_answers_over_http(world: World) -> None:
    """Method, path, query and body arrive; JSON, text, bytes and nothing are sent as such."""
    server = world.serve(echo)
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        told = client.request("PURGE", "/a%20b?x=1&x=&y=2", content=b"\xffz")
        assert told.json() == {
            "method": "PURGE",
            "path": "/a%20b",
            "query": [["x", "1"], ["x", ""], ["y", "2"]],
            "body": "\xffz",
        }
        assert (told.headers["x-kind"], told.headers["content-type"]) == (
            "echo",
            "application/json",
        )
        client.post("/parts", content=iter([b"one ", b"two"]))  # chunked
        assert client.head("/").headers["content-length"].isdigit()
    assert [one.body for one in server.requests] == [b"\xffz", b"one two", b""]
    assert server.requests[0].headers["USER-AGENT"].startswith("python-httpx/")


@pytest.mark.parametrize(
    ("content", "sent", "kind"),
    [
        ("ä", "ä".encode(), "text/plain; charset=utf-8"),
        (b"\0\1", b"\0\1", None),
        ([1, None], b"[1, null]", "application/json"),
        (None, b"", None),
    ],
)
def test_what_is_a_body(world: World, content: Any, sent: bytes, kind: str | None) -> None:
    server = world.serve(lambda _: (200, content))
    answer = httpx.get(server.url, trust_env=False, timeout=30)
    assert (answer.content, answer.headers.get("content-type")) == (sent, kind)


def test_a_connection_is_kept(world: World) -> None:
    """Several requests on one connection, also behind an answer that has no body."""
    server = world.serve(lambda request: (int(request.path[1:]), "text"))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    for status in (200, 204, 304, 404):
        connection.request("GET", f"/{status}")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (status, b"" if status in (204, 304) else b"text")
    assert server.served.connections == 1
    connection.close()


def test_answers_are_held(world: World) -> None:
    """Requests come in and wait; nobody is answered before the release."""
    server = world.serve(lambda _: (200, "late"))
    server.hold()
    with ThreadPoolExecutor() as pool:
        asking = [pool.submit(httpx.get, server.url, trust_env=False, timeout=30) for _ in range(3)]
        server.wait(3)
        assert not any(one.done() for one in asking)
        server.release()
        assert [one.result(30).text for one in asking] == ["late"] * 3
    with pytest.raises(AssertionError, match=r"4 requests should have come by now; there were 3"):
        server.wait(4, within=0.05)


def test_what_is_closed_refuses(world: World) -> None:
    """Open connections end, new ones are refused, and what came stays known."""
    server = world.serve(lambda _: (200, "ok"))
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        client.get("/before")
        server.close()
        with pytest.raises(httpx.TransportError):
            client.get("/after")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), 30)
    assert [one.path for one in server.requests] == ["/before"]


def test_the_end_of_a_check_closes_everything(world: World, agent: Agent) -> None:
    """And the port is free for whoever wants it."""
    server, other = world.serve(lambda _: (200, "ok")), world.udp(lambda data: data)
    world.close()
    agent.relays.reset()
    for port, kind in ((server.port, socket.SOCK_STREAM), (other.port, socket.SOCK_DGRAM)):
        with socket.socket(socket.AF_INET, kind) as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind(("127.0.0.1", port))


def test_a_port_that_is_free_and_cannot_be_had(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections linger where nobody listens any more: another port is taken."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        offered = iter([other.getsockname()[1], programs.free_port()])
        monkeypatch.setattr(relay, "free_port", lambda: next(offered))
        served = world.serve(lambda _: (200, "second"))
    assert httpx.get(served.url, trust_env=False, timeout=30).text == "second"


def test_a_sandbox_that_comes_later(world: World, agent: Agent) -> None:
    """It reaches what is served at the same ports, also when it was there all the time."""
    server = world.serve(lambda _: (200, "ok"))
    world.greet(agent)  # type: ignore[arg-type]  # all that it uses
    assert httpx.get(server.url, trust_env=False, timeout=30).text == "ok"


def _says(name: str) -> Handler:
    return lambda _: (200, name)


def _asked(server: Any) -> str:
    """The answer to one request, after which the server ends the connection, so that it lingers."""
    with socket.create_connection(("127.0.0.1", server.port), 30) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return client.makefile("rb").read().rpartition(b"\r\n\r\n")[2].decode()


def _reached_by(server: Any, agent: Agent) -> AbstractContextManager[None]:
    return server.served.reached_by(agent)  # type: ignore[no-any-return]


def test_private_servers_have_one_address(world: World, agent: Agent) -> None:
    """Each is reached only in its own turn, and by a sandbox that comes later not at all."""
    one, two = (world.serve(_says(name), private=True) for name in "ab")
    assert one.port == two.port
    assert world.serve(echo).port != one.port
    world.greet(agent)  # type: ignore[arg-type]  # all that it uses
    with pytest.raises(ConnectionRefusedError):
        _asked(one)
    for server, name in ((two, "b"), (one, "a"), (two, "b")):
        with _reached_by(server, agent):
            assert _asked(server) == name
        with pytest.raises(ConnectionRefusedError):
            _asked(server)
    assert [len(server.requests) for server in (one, two)] == [1, 2]


def test_private_servers_take_turns_on_a_shared_loopback(world: World, tmp_path: Path) -> None:
    """Two sandboxes that share it: none of them reaches the other's server."""
    agents = [Agent(tmp_path, shared=True) for _ in range(2)]
    servers = [world.serve(_says(name), private=True) for name in "ab"]
    inside = threading.Barrier(2)

    def turn(number: int) -> str:
        inside.wait(30)
        with _reached_by(servers[number], agents[number]):
            return "".join(_asked(servers[number]) for _ in range(20))

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(turn, range(2))) == ["a" * 20, "b" * 20]


def test_only_private_servers_are_lent(world: World, agent: Agent) -> None:
    with pytest.raises(AuthorFault, match="private=True"), _reached_by(world.serve(echo), agent):
        pass


def test_a_server_that_speaks_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it says is not lost when the learner's end of the relay is there a moment later."""
    server = world.tcp(lambda connection: connection.sendall(b"hello"))
    accept = asyncio.BaseEventLoop.connect_accepted_socket

    async def late(*args: Any, **options: Any) -> Any:
        await asyncio.sleep(0.2)
        return await accept(*args, **options)

    monkeypatch.setattr(asyncio.BaseEventLoop, "connect_accepted_socket", late)
    with socket.create_connection(("127.0.0.1", server.port), 30) as client:
        assert client.recv(10) == b"hello"


def test_raw_connections(world: World) -> None:
    """The test's function has the connection; half a close arrives as such."""

    def talk(connection: socket.socket) -> None:
        with connection.makefile("rb") as lines:
            for line in lines:
                connection.sendall(line.upper())
        connection.sendall(b"END")

    served = world.tcp(talk)
    with socket.create_connection(("127.0.0.1", served.port), 30) as client:
        client.sendall(b"one\ntwo\n")
        client.shutdown(socket.SHUT_WR)
        assert b"".join(iter(lambda: client.recv(100), b"")) == b"ONE\nTWO\nEND"


def test_datagrams(world: World) -> None:
    """Each client gets its own answers: one, several, or none; large ones too."""

    def answer(data: bytes) -> bytes | list[bytes] | None:
        return {b"one": b"1", b"two": [b"1", b"2"], b"none": None}.get(data, data[::-1])

    served = world.udp(answer)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as second,
    ):
        for client in (first, second):
            client.settimeout(30)
            client.connect(("127.0.0.1", served.port))
        first.send(b"two")
        second.send(b"none")
        second.send(b"one")
        assert [first.recv(100), first.recv(100), second.recv(100)] == [b"1", b"2", b"1"]
        large = bytes(range(256)) * 200
        second.send(large)
        assert second.recv(LARGEST_DATAGRAM) == large[::-1]


def test_one_number_over_udp_and_tcp(world: World) -> None:
    """As name servers have it; each can be closed without the other."""
    small = world.udp(lambda data: data)
    large = world.tcp(lambda connection: connection.sendall(b"whole"), port=small.port)
    assert large.port == small.port
    with socket.create_connection(("127.0.0.1", large.port), 30) as client:
        assert client.recv(10) == b"whole"
    large.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.settimeout(5)
        datagrams.sendto(b"still", ("127.0.0.1", small.port))
        assert datagrams.recv(10) == b"still"


def test_more_connections_than_are_kept(world: World) -> None:
    """The next one is closed at once; nobody else notices."""
    served = world.tcp(lambda connection: connection.sendall(connection.recv(10)))
    clients = [
        socket.create_connection(("127.0.0.1", served.port), 30) for _ in range(MOST_CONNECTIONS)
    ]
    for client in clients:
        client.settimeout(30)
    with socket.create_connection(("127.0.0.1", served.port), 30) as late:
        late.settimeout(30)
        assert late.recv(10) == b""
    for client in clients[:3]:
        client.sendall(b"hello")
        assert client.recv(10) == b"hello"
    for client in clients:
        client.close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"\0\xff\r\n\r\n",
    ],
)
def test_what_is_no_request(world: World, request_bytes: bytes) -> None:
    """It is refused with a status of its own and never reaches the handler."""
    server = world.serve(echo)
    with socket.create_connection(("127.0.0.1", server.port), 30) as client:
        client.settimeout(30)
        client.sendall(request_bytes)
        assert client.recv(12)[9:10] == b"4" or request_bytes.startswith(b"\0")
    assert (server.requests, world.error) == ([], None)


def test_a_handler_that_raises_is_told(world: World) -> None:
    """The check must not pass as if the test was well."""

    def handler(request: Request) -> Answer:
        raise KeyError(request.path)

    server = world.serve(handler)
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{server.url}/lost", trust_env=False, timeout=30)
    assert repr(world.error) == "KeyError('/lost')"
    world.close()
    assert world.error is None


def _fetch(server: Any, trusted: str, name: str = "shop.test") -> str:
    context = ssl.create_default_context(cadata=trusted)
    with (
        socket.create_connection(("127.0.0.1", server.port), 30) as raw,
        context.wrap_socket(raw, server_hostname=name) as client,
    ):
        client.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        text = b"".join(iter(lambda: client.recv(1000), b"")).decode()
    return text.partition("\r\n\r\n")[2]


def test_tls(world: World) -> None:
    """Whoever trusts the authority is served; every other certificate is refused by its client."""
    authority, other = world.authority(), Authority()
    good = world.serve(lambda _: (200, "secret"), tls=authority.context("shop.test", "127.0.0.1"))
    assert _fetch(good, authority.pem) == "secret"
    assert good.url.startswith("https://")
    for context, name in (
        (other.context("shop.test"), "shop.test"),
        (authority.context("other.test"), "shop.test"),
        (authority.context("shop.test", expired=True), "shop.test"),
    ):
        bad = world.serve(lambda _: (200, "secret"), tls=context)
        with pytest.raises(ssl.SSLCertVerificationError):
            _fetch(bad, authority.pem, name)
        assert bad.requests == []
    assert world.error is None


def test_many_at_once(world: World) -> None:
    """Each answer belongs to its request."""
    server = world.serve(lambda request: (200, json.loads(request.body)))
    barrier = threading.Barrier(40)

    def ask(number: int) -> int:
        barrier.wait()
        return int(httpx.post(server.url, json=number, trust_env=False, timeout=20).json())

    with ThreadPoolExecutor(40) as pool:
        assert list(pool.map(ask, range(40))) == list(range(40))
    assert len(server.requests) == 40
