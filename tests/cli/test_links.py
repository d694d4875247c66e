"""Links are told apart: there, moved, gone, unreachable; asked of a server of this test's own."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from grader.catalog import Catalog
from grader.cli.links import TRIES, Found, check, check_roadmap
from grader.model.exercise import Resource, Roadmap, Stage, Topic


class Handler(BaseHTTPRequestHandler):
    asked: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:
        Handler.asked[self.path] += 1
        code, goal = 200, ""
        match self.path.partition("?")[0]:
            case "/gone":
                code = 404
            case "/moved":
                code, goal = 301, "/there"
            case "/elsewhere-today":
                code, goal = 302, "/there"
            case "/moved-to-nothing":
                code, goal = 301, "/gone"
            case "/busy":
                code = 503
            case "/busy-once":
                code = 503 if Handler.asked[self.path] == 1 else 200
            case "/in-a-circle":
                code, goal = 301, "/in-a-circle"
        self.send_response(code)
        if goal:
            self.send_header("Location", goal)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    Handler.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("path", "found", "said"),
    [
        ("/there", Found.THERE, ""),
        ("/gone", Found.GONE, "status 404"),
        ("/moved", Found.MOVED, "{site}/there"),
        ("/elsewhere-today", Found.THERE, ""),
        ("/moved-to-nothing", Found.GONE, "status 404"),
        ("/busy", Found.UNREACHABLE, "status 503"),
        ("/busy-once", Found.THERE, ""),
    ],
)
def test_what_became_of_a_link(site: str, path: str, found: Found, said: str) -> None:
    waited: list[float] = []
    (link,) = check([site + path], waited.append)
    assert (link.found, link.said) == (found, said.format(site=site))
    assert len(waited) == {"/busy": TRIES - 1, "/busy-once": 1}.get(path, 0)


def test_a_circle_is_no_page(site: str) -> None:
    (link,) = check([f"{site}/in-a-circle"], lambda _: None)
    assert link.found is Found.UNREACHABLE


def test_nobody_there_is_not_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    (link,) = check([f"http://127.0.0.1:{port}/"], lambda _: None)
    assert (link.found, "refused" in link.said) == (Found.UNREACHABLE, True)


def test_many_come_back_in_order(site: str) -> None:
    urls = [f"{site}/{'gone' if number % 3 == 0 else 'there'}?{number}" for number in range(40)]
    found = list(check(urls, lambda _: None))
    assert [link.url for link in found] == urls


def test_the_roadmap_is_asked_for_once_each_and_the_worst_decides(
    site: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each address once, however many topics name it; the exit code is the author's, or ours."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("grader.cli.links.PAUSE", 0.0)
    for paths, code in (
        (("/there", "/there"), 0),
        (("/moved",), 0),
        (("/busy", "/there"), 3),
        (("/busy", "/gone"), 5),
    ):
        resources = tuple(Resource(title="T", url=site + path) for path in paths)
        topic = Topic(slug="topic", title="T", reason="r", resources=resources)
        stage = Stage(number=1, title="S", topics=(topic,))
        Handler.asked.clear()
        assert check_roadmap(Catalog(roadmap=Roadmap(stages=(stage,)), exercises={})) == code
        assert Handler.asked["/there"] <= 1 or "/moved" in paths
    shown = capsys.readouterr().out
    assert f"✗ gone  topic\n    {site}/gone\n    status 404\n" in shown
    assert f"! moved  topic\n    {site}/moved\n    now at {site}/there\n" in shown
