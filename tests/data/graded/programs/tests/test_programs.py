"""Each check's name says how it must end; tests/docker/test_programs.py compares."""

import asyncio
import signal
import socket
import time

import httpx
import pytest


@pytest.mark.check(task="all")
def test_passed_http(solution):
    """A server is reached over HTTP, on the port that it was given."""
    api = solution.serve("api", env={"GREETING": "hello"})
    assert api.alive, "it runs"
    assert api.http.get("/health").text == "ok", "it answers"
    assert api.http.get("/env?GREETING").text == "hello", "it got the variable"
    assert api.http.get("/env?PORT").text == str(api.port), "it got the port"
    assert httpx.get(f"{api.url}/health").text == "ok", "any client can use the address"
    assert api.http.get("/gzip").text == "small" * 1000, "compressed answers are read"
    assert "api listens" in api.logs(), "what it prints can be read"
    assert 1_000_000 < api.memory < 96_000_000, "its memory can be looked at"


@pytest.mark.check(task="all")
def test_passed_clean(solution, redis, eventually):
    """Nothing of the last check's server is left, and a port is enough to be ready."""
    plain = solution.serve("plain")
    assert plain.http.get("/files").json() == [
        "api.py", "crashing.py", "load.py", "never.py", "worker.py"
    ], "other files"
    assert plain.http.get("/env?GREETING").text == "", "a variable of the last check"
    assert plain.http.get("/peek").text == "0", "the counter is new"


@pytest.mark.check(task="all")
def test_passed_parallel(solution, together):
    """Many requests at once."""
    api = solution.serve("api")
    answers = together([(api.http.post, "/count")] * 60, threads=30)
    assert sorted(answer.json() for answer in answers) == list(range(1, 61)), "each counts once"


@pytest.mark.check(task="all")
def test_passed_async(solution):
    """The asyncio client."""
    api = solution.serve("api")

    async def ask():
        async with api.ahttp as client:
            return await asyncio.gather(*(client.post("/count") for _ in range(10)))

    assert sorted(one.json() for one in asyncio.run(ask())) == list(range(1, 11)), "ten"


@pytest.mark.check(task="all")
def test_passed_raw(solution):
    """A plain socket reaches the server, too; half a close goes on as half a close."""
    api = solution.serve("api")
    with socket.create_connection(("127.0.0.1", api.port), 5) as raw:
        raw.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        raw.shutdown(socket.SHUT_WR)
        got = b""
        while part := raw.recv(1000):
            got += part
    assert got.endswith(b"ok"), "another answer"


@pytest.mark.check(task="all")
def test_passed_stream(solution):
    """An answer can be read while it comes."""
    api = solution.serve("api")
    with api.http.stream("GET", "/events") as answer:
        lines = [line for line in answer.iter_lines() if line]
    assert lines == ["data: 0", "data: 1", "data: 2"], "other events"


@pytest.mark.check(task="all")
def test_passed_websocket(solution):
    """A WebSocket, and its silence."""
    api = solution.serve("api")
    with api.ws("/chat") as chat:
        chat.send("hello")
        assert chat.recv() == "hello", "no echo"
        chat.send("hush")
        with pytest.raises(TimeoutError):
            chat.recv(timeout=0.3)


@pytest.mark.check(task="all", seconds=20)
def test_passed_replicas(solution, redis):
    """Two replicas share Redis and nothing else; one is killed, the other goes on."""
    apis = solution.serve("api", replicas=2)
    assert len(apis) == 2, "two"
    assert [apis.http.post("/count").json() for _ in range(4)] == [1, 2, 3, 4], "one counter"
    ports = {apis.http.get("/env?PORT").text for _ in range(2)}
    assert ports == {str(one.port) for one in apis}, "both are asked in turn"
    apis[0].http.get("/write?mine")
    assert "mine" in apis[0].http.get("/files").json(), "it was written"
    assert "mine" not in apis[1].http.get("/files").json(), "a disk is shared"
    apis[0].kill()
    assert [one.alive for one in apis] == [False, True], "one is killed"
    assert [apis.http.post("/count").json() for _ in range(3)] == [5, 6, 7], "the other answers"
    with pytest.raises(httpx.ConnectError):
        apis[0].http.get("/health")
    apis[0].restart()
    ports = {apis.http.get("/env?PORT").text for _ in range(2)}
    assert ports == {str(one.port) for one in apis}, "both are there again"


@pytest.mark.check(task="all", seconds=20)
def test_passed_replicas_clean(solution):
    """A replica of another check finds nothing of the last one's."""
    apis = solution.serve("api", replicas=2)
    assert [one for one in apis if "mine" in one.http.get("/files").json()] == [], "a file is left"
    assert apis.http.post("/count").json() == 1, "the counter is new"


@pytest.mark.check(task="all", seconds=20)
def test_passed_outage(solution, redis):
    """An outage holds for every replica, for those that come later, too."""
    apis = [*solution.serve("api", replicas=2)]
    with redis.link.refuse():
        apis += [*solution.serve("api", replicas=2)]
        for one in apis:
            answer = one.http.get("/peek")
            assert answer.status_code == 503, "Redis is reached"
            assert "refused" in answer.text.lower(), "it was not refused"
    assert [one.http.get("/peek").text for one in apis] == ["0"] * 4, "the outage is over"


@pytest.mark.check(task="all")
def test_passed_restart(solution):
    """A restarted server has the same port, and connections of before are not used again."""
    api = solution.serve("api")
    port = api.port
    for number in (1, 2):
        assert api.http.post("/count").json() == number, "another number"
        api.restart()
    assert api.port == port, "another port"
    assert api.http.post("/count").json() == 3, "another number"
    assert api.logs().count("api listens") == 3, "the log has all lives"


@pytest.mark.check(task="all")
def test_passed_drain(solution, together):
    """SIGTERM: what is under way is finished, nothing new is taken, the exit code is 0."""
    api = solution.serve("api")
    slow = together.start(api.http.get, "/slow?1")
    time.sleep(0.3)
    api.signal(signal.SIGTERM)
    assert api.wait(5) == 0, "another exit code"
    assert slow.result().text == "late", "the answer got lost"
    assert not api.alive, "it runs on"
    with pytest.raises(httpx.ConnectError):
        api.http.get("/health")
    assert "drained" in api.logs(), "it did not say so"


@pytest.mark.check(task="all")
def test_passed_worker(solution, redis, eventually):
    """A daemon works beside the test; killed, it stops, and restarted, it goes on."""
    worker = solution.start("worker")
    redis.rpush("jobs", "a")
    eventually(lambda: redis.lrange("done", 0, -1) == [b"A"], message="the job is not done")
    worker.kill()
    assert not worker.alive, "it lives"
    redis.link.cut()  # else the server may still hand the next job to the one that is dead
    worker.restart()
    redis.rpush("jobs", "b")
    eventually(lambda: redis.lrange("done", 0, -1) == [b"A", b"B"], message="it is not done")


@pytest.mark.check(task="all", seconds=20)
def test_passed_workers(solution, redis, eventually):
    """Two daemons, each in a sandbox of its own."""
    workers = solution.start("worker", replicas=2)
    redis.rpush("jobs", *"abcdef")
    eventually(lambda: redis.llen("done") == 6, message="some job is not done")
    workers[1].kill()
    assert workers.living == [workers[0]], "one lives"


@pytest.mark.check(task="all")
def test_passed_run(solution):
    """A program that ends, by its name; runs share a folder unless they are fresh."""
    assert solution.run("load").text.strip() == "[]", "something was there before"
    again = solution.run("load", collect=["*.txt", "out/**"])
    assert again.text.strip() == "['left', 'left.txt']", "what the first left"
    left = {"left.txt": "file", "out/left.json": "file"}
    assert again.tree == left, "other files"
    assert again.json("out/left.json") == [1, 2], "another value"
    assert again.file("left.txt") == b"[1, 2]", "another content"


@pytest.mark.check(task="all", seconds=20)
def test_passed_fresh(solution):
    """Fresh runs know nothing of each other, nor of those in the main sandbox."""
    solution.run("load")
    for _ in range(6):
        fresh = solution.run("load", fresh=True, env={"CODE": "3"}, collect=["**"])
        assert (fresh.code, fresh.text.strip()) == (3, "[]"), "something was there before"
        assert fresh.file("left.txt") == b"[1, 2]", "the file was not brought back"
        assert "out/left.json" in fresh.tree, "the tree lacks a file"


@pytest.mark.check(task="all", seconds=20)
def test_passed_private(solution, world, together):
    """Runs side by side reach a server each at one address, and no other sandbox does."""
    code = "import os, urllib.request as u; print(u.urlopen(os.environ['URL'], timeout=9).read())"
    ask = ["python3", "-c", code]

    def run(name):
        server = world.serve(lambda _: (200, name), private=True)
        got = solution.run(ask, env={"URL": server.url}, fresh=True, world=server, timeout=10)
        return server.port, got.text.strip(), len(server.requests)

    got = together([(run, name) for name in "abcdef"], threads=3)
    assert [answer[1:] for answer in got] == [(f"b'{name}'", 1) for name in "abcdef"], "answers"
    assert len({answer[0] for answer in got}) == 1, "addresses"
    left = world.serve(lambda _: (200, "left"), private=True)
    assert solution.run(ask, env={"URL": left.url}).code == 1, "the main sandbox reached it"
    assert solution.run(ask, env={"URL": left.url}, fresh=True).code == 1, "a fresh one did"


@pytest.mark.check(task="all")
def test_passed_reference(solution, reference):
    """The reference serves, too, with a Redis of its own."""
    ours, theirs = solution.serve("api"), reference.serve("api")
    assert [ours.http.post("/count").json() for _ in range(2)] == [1, 2], "ours"
    assert theirs.http.post("/count").json() == 1, "theirs"


@pytest.mark.check(task="all")
def test_failed_worker_died(solution, redis, eventually):
    """A wrong answer because the worker died says so in the log."""
    solution.start("worker")
    redis.rpush("jobs", "a", "fatal", "b")
    eventually(lambda: redis.llen("done") == 2, within=1, message="the second job is not done")


@pytest.mark.check(task="all")
def test_failed_status(solution):
    """A wrong status fails, and the server's log is there."""
    api = solution.serve("api")
    assert api.http.get("/unknown").status_code == 200, "it is not found"


@pytest.mark.check(task="all")
def test_broke_ready_port(solution):
    """A server that never listens."""
    solution.serve("never")


@pytest.mark.check(task="all", seconds=3)
def test_broke_ready_http(solution):
    """A server that is never healthy."""
    solution.serve("unhealthy")


@pytest.mark.check(task="all", seconds=3)
def test_broke_ready_log(solution):
    """A daemon that never says that it is ready."""
    solution.start("silent")


@pytest.mark.check(task="all")
def test_broke_exit_at_start(solution):
    """A program that crashes at its start."""
    solution.serve("crashing")


@pytest.mark.check(task="all")
def test_broke_exit_missing(solution):
    """A program that is not there."""
    solution.start("missing")


@pytest.mark.check(task="all")
def test_broke_exit_mid_check(solution):
    """A server that dies in the middle of the check."""
    api = solution.serve("api")
    api.http.post("/count")
    with pytest.raises(httpx.HTTPError):
        api.http.get("/crash")
    api.http.post("/count")


@pytest.mark.check(task="all")
def test_broke_exit_under_a_request(solution):
    """A server that dies under a request."""
    solution.serve("api").http.get("/crash")


@pytest.mark.check(task="all")
def test_broke_refused_after_a_kill(solution):
    """A request to a server that the test killed: no crash of the learner's."""
    api = solution.serve("api")
    api.kill()
    api.http.get("/health")


@pytest.mark.check(task="all")
def test_broke_timeout_of_a_request(solution):
    """An answer that takes too long."""
    solution.serve("api").http.get("/slow?30", timeout=0.5)


@pytest.mark.check(task="all")
def test_broke_timeout_of_a_dripping_answer(solution):
    """An answer that comes byte by byte."""
    solution.serve("api").http.get("/drip", timeout=1)


@pytest.mark.check(task="all")
def test_broke_timeout_of_an_end(solution):
    """A program that does not end."""
    solution.serve("api").wait(0.3)


@pytest.mark.check(task="all")
def test_broke_timeout_of_a_message(solution):
    """A WebSocket that stays silent."""
    with solution.serve("api").ws("/chat") as chat:
        chat.send("hush")
        chat.recv(timeout=0.5)


@pytest.mark.check(task="all")
def test_broke_closed(solution):
    """A connection that ends without an answer."""
    solution.serve("api").http.get("/closed")


@pytest.mark.check(task="all")
def test_broke_closed_websocket(solution):
    """A WebSocket that ends."""
    with solution.serve("api").ws("/chat") as chat:
        chat.send("leave")
        chat.recv()


@pytest.mark.check(task="all")
def test_broke_answer_garbage(solution):
    """An answer that is not HTTP."""
    solution.serve("api").http.get("/garbage")


@pytest.mark.check(task="all")
def test_broke_answer_bomb(solution):
    """A small answer that decompresses to a large one."""
    solution.serve("api").http.get("/bomb?60")


@pytest.mark.check(task="all")
def test_broke_answer_endless(solution):
    """An answer without an end."""
    solution.serve("api").http.get("/endless")


@pytest.mark.check(task="all")
def test_broke_answer_headers(solution):
    """An answer of many headers."""
    solution.serve("api").http.get("/headers?500")


@pytest.mark.check(task="all")
def test_broke_answer_charset(solution):
    """A charset that is none."""
    solution.serve("api").http.get("/charset")


@pytest.mark.check(task="all")
def test_broke_answer_away(solution):
    """A redirect to a server of the judge's side."""
    api = solution.serve("api")
    url = "/away?http://127.0.0.1:6379/"
    assert api.http.get(url).status_code == 302, "it was followed"
    api.http.get(url, follow_redirects=True)


@pytest.mark.check(task="all")
def test_broke_answer_websocket(solution):
    """A path that is no WebSocket."""
    solution.serve("api").ws("/health")


@pytest.mark.check(task="all")
def test_broke_memory_of_a_server(solution):
    """A server that takes too much memory."""
    solution.serve("api").http.get("/hog")


@pytest.mark.check(task="all", seconds=20)
def test_broke_memory_of_a_replica(solution):
    """A replica that takes too much memory."""
    solution.serve("api", replicas=2)[1].http.get("/hog")


@pytest.mark.check(task="all")
def test_broke_output_of_a_server(solution):
    """A server that prints too much."""
    api = solution.serve("api")
    with pytest.raises(httpx.HTTPError):
        for _ in range(100):
            api.http.get("/shout")
    api.http.get("/health")


@pytest.mark.check(task="all", show="title")
def test_broke_exit_shown_as_title(solution):
    """A secret check."""
    solution.serve("crashing")


@pytest.mark.check(task="all")
def test_passed_at_last(solution):
    """After all of that a server is as good as the first."""
    assert solution.serve("api").http.post("/count").json() == 1, "the counter is new"


POST = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], b'abc', 5).read().decode())"
ASK = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
    client.settimeout(5)
    client.sendto(b"abc", ("127.0.0.1", int(sys.argv[1])))
    print(client.recv(100).decode())
"""
SERVED = []


@pytest.mark.check(task="all")
def test_passed_world(solution, world):
    """A server of the test's is reached from every sandbox, over TCP and UDP."""
    server = world.serve(lambda request: (200, request.body.decode()[::-1]))
    names = world.udp(lambda data: data.upper())
    SERVED.append(server.url)
    for fresh in (False, True):
        got = solution.run(["python3", "-c", POST, server.url], fresh=fresh).text
        assert got == "cba\n", "it answers"
        got = solution.run(["python3", "-c", ASK, str(names.port)], fresh=fresh).text
        assert got == "ABC\n", "so does the other one"
    assert [one.method for one in server.requests] == ["POST", "POST"], "both came"
    server.close()
    assert solution.run(["python3", "-c", POST, server.url]).code == 1, "nobody is there"


@pytest.mark.check(task="all", needs=["test_passed_world"])
def test_passed_world_of_the_last_check(solution, world):
    """What a check served is gone with it; the next one has worlds of its own."""
    server = world.serve(lambda request: (200, "new"))
    if server.url != SERVED[0]:
        assert solution.run(["python3", "-c", POST, SERVED[0]]).code == 1, "nobody is there"
    got = solution.run(["python3", "-c", POST, server.url]).text
    assert got == "new\n", "it answers"
