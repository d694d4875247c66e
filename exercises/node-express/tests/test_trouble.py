"""Hidden tests of node-express, tasks 4 to 6: what the server does when something goes wrong."""

import itertools
import json
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from api import LIST, ndjson, new_task, of, received, refused, shown
from conftest import start

PATIENCE = 15
INSIDE = (
    "ECONN",
    "SELECT",
    "INSERT",
    "node_modules",
    "server.js",
    "terminat",
    "socket",
    "5432",
)


def count(postgres):
    return postgres.value("SELECT count(*) FROM tasks")


def works(api, rng):
    """Whether the server serves a request that needs the database, and reads back what it wrote."""
    answer = api.ask("POST", "/tasks", new_task(rng))
    return answer.status_code


@pytest.mark.keep
class TestSurvive:
    """4. Survive what goes wrong"""

    @pytest.mark.check(task="survive", points=3, seconds=20, needs=["test_create_and_read"])
    def test_database_that_is_away(self, api, postgres, rng, eventually):
        """Without its database the server answers 503, and works again afterwards."""
        task = api.made(new_task(rng))
        path = f"/tasks/{task['id']}"
        requests = [
            ("GET", "/tasks", None, {}),
            ("GET", path, None, {}),
            ("POST", "/tasks", new_task(rng), {}),
            ("PATCH", path, {"done": False}, {}),
            ("DELETE", path, None, {}),
            ("POST", "/tasks/import", None, {"content": ndjson([new_task(rng)]), "headers": LIST}),
        ]
        with postgres.link.refuse():
            for method, at, body, options in requests:
                answer = api.ask(method, at, body, **options)
                assert answer.status_code == 503, (
                    f"The database could not be reached. {method} {at} should get 503."
                )
                error = of(shown(answer), "error")
                assert isinstance(error, str), "503 should be answered with JSON that has `error`."
                told = [word for word in INSIDE if word.lower() in answer.text.lower()]
                assert told == [], (
                    "The answer shows what is inside the server: these words are in it."
                )
            got = api.ask("GET", "/health").status_code
            assert got == 200, "GET /health should answer 200 also without a database."
        eventually(
            lambda: works(api, rng) == 201,
            message="The database is back, but the server does not store tasks any more.",
        )

    @pytest.mark.check(
        task="survive",
        points=2,
        seconds=20,
        needs=["test_create_and_read"],
        hint="Which event does a pool emit for a client that nobody uses, and who listens to it?",
    )
    def test_connections_that_are_cut(self, api, postgres, rng, eventually, stays):
        """Connections that are cut while nobody uses them do not end the server."""
        api.made(new_task(rng))
        postgres.link.cut()
        stays(
            lambda: api.server.alive,
            during=0.3,
            message="The connections to the database were cut while nobody used them, and the "
            "server ended. An 'error' event that nobody listens to ends the process.",
        )
        eventually(
            lambda: works(api, rng) == 201,
            message="The connections to the database were cut once, and the server does not store "
            "tasks any more.",
        )


@pytest.mark.check(task="survive", points=2, seconds=20, needs=["test_change_and_delete"])
def test_hook_is_told(solution, seed, world, rng, eventually):
    """HOOK_URL is told of finished tasks, and nobody waits for that."""
    hook = world.serve(lambda _: (200, {"thanks": True}))
    api = start(
        solution, seed, HOOK_URL=f"http://127.0.0.1:{hook.port}/done/{rng.randrange(10**6)}"
    )
    task = api.made(new_task(rng))
    path = f"/tasks/{task['id']}"
    api.ask("PATCH", path, {"title": "not done yet"})
    api.ask("PATCH", path, {"done": False})
    hook.hold()
    answer = api.ask("PATCH", path, {"done": True})
    assert answer.status_code == 200, (
        "PATCH should be answered while HOOK_URL has not answered yet."
    )
    hook.release()
    eventually(
        lambda: len(hook.requests) >= 1,
        message="PATCH has set `done` to true, and nothing was sent to HOOK_URL.",
    )
    assert len(hook.requests) == 1, (
        "A task got three PATCHes, one of them with done: true. So many requests came to HOOK_URL."
    )
    (told,) = hook.requests
    got = (told.method, of(parsed(told.body), "id"), of(parsed(told.body), "done"))
    assert got == ("POST", task["id"], True), "HOOK_URL should get a POST with the task as JSON."


@pytest.mark.check(
    task="survive",
    points=3,
    seconds=20,
    needs=["test_hook_is_told"],
    hint="What does Node.js do with a promise that is rejected when nobody waits for it?",
)
def test_hook_that_fails(own, rng, stays):
    """Whatever becomes of HOOK_URL, the server goes on."""
    task = own.made(new_task(rng))
    # Nobody listens at the HOOK_URL of exercise.yaml.
    answer = own.ask("PATCH", f"/tasks/{task['id']}", {"done": True})
    assert answer.status_code == 200, "HOOK_URL refuses connections; PATCH should get 200 anyhow."
    stays(
        lambda: own.server.alive,
        during=0.3,
        message="HOOK_URL refused the connection, and the server ended. A promise that is "
        "rejected, and that nobody waits for, ends the process.",
    )
    assert works(own, rng) == 201, "After HOOK_URL failed, POST /tasks does not work any more."


@pytest.mark.keep
class TestList:
    """5. Take a long list"""

    @pytest.mark.check(task="list", points=2, seconds=20, needs=["test_create_and_read"])
    def test_import(self, api, postgres, rng, stays):
        """Every line of a list becomes a task."""
        last = postgres.value("SELECT coalesce(max(id), 0) FROM tasks")
        tasks = [new_task(rng, due=rng.random() < 0.7) for _ in range(1200)]
        content = ndjson(tasks[:600]) + b"\n" + ndjson(tasks[600:]).rstrip(b"\n")
        # In pieces that end in the middle of a letter of several bytes.
        cuts = [at + 1 for at, byte in enumerate(content) if byte >= 0xC0]
        cuts = [0, *sorted(rng.sample(cuts, 8)), len(content)]

        def pieces():
            for begin, end in itertools.pairwise(cuts):
                yield content[begin:end]
                stays(lambda: True, during=0.05, message="")  # so that two do not come as one

        answer = api.ask("POST", "/tasks/import", content=pieces(), headers=LIST)
        assert answer.status_code == 200, "A list of right tasks should get 200."
        assert shown(answer) == {"imported": len(tasks)}, (
            "The answer should say how many were imported."
        )
        got = postgres.rows("SELECT title, due::text FROM tasks WHERE id > %s ORDER BY id", [last])
        wrong = [
            pair for pair in zip(got, tasks, strict=False) if pair[0] != {"due": None, **pair[1]}
        ]
        assert wrong[:1] == [], "This row and the task in the list differ."
        assert len(got) == len(tasks), (
            f"The list has {len(tasks)} tasks; so many rows are in the table."
        )
        answer = api.ask("POST", "/tasks/import", new_task(rng))
        assert answer.status_code == 415, (
            "A list is application/x-ndjson; application/json gets 415."
        )

    @pytest.mark.check(task="list", points=3, seconds=20, needs=["test_import"])
    def test_all_or_nothing(self, api, postgres, rng):
        """A wrong line is named, and nothing of the list is imported."""
        api.made(new_task(rng))
        before = count(postgres)
        for wrong in ('{"title": ""}', '{"title": "x", "done": true}', '{"title"', "[]", "null"):
            lines = ndjson(new_task(rng) for _ in range(1100)).splitlines()
            number = rng.randrange(1001, 1099)
            lines[number - 1] = wrong.encode()
            lines.insert(500, b"")
            lines.append(b'{"title": 7}')
            answer = api.ask("POST", "/tasks/import", content=b"\n".join(lines), headers=LIST)
            assert answer.status_code == 400, f"A list with the line {wrong} should get 400."
            got = of(shown(answer), "line")
            assert got == number + 1, (
                f"`line` should be the number of the first wrong line: {wrong}."
            )
            assert count(postgres) == before, (
                "A list with one wrong line was refused. The table has other rows than before: "
                "all or nothing."
            )
        assert works(api, rng) == 201, (
            "After lists that were refused, POST /tasks does not work any more."
        )
        assert count(postgres) == before + 1, (
            "After lists that were refused, POST /tasks answered 201, and nobody sees the task. "
            "It went into a transaction that a list has left open."
        )

    @pytest.mark.check(
        task="list",
        points=3,
        seconds=30,
        needs=["test_import"],
        hint="When does `await` in a loop over a stream let the stream go on?",
    )
    def test_reads_as_the_database_takes(self, api, postgres, rng, eventually):
        """The list goes to the database as it comes, and waits when the database does."""
        lines = ndjson(new_task(rng) for _ in range(1000))
        padded = b'{"title": "much to read"}' + b" " * 8000 + b"\n"
        rest = padded * 5000
        with api.wire(
            "POST", "/tasks/import", len(lines) + len(rest), Content_Type=LIST["Content-Type"]
        ) as wire:
            with postgres.link.record() as seen:
                wire.sendall(lines)
                eventually(
                    lambda: seen.count(r"\b(insert|copy)\b") > 0,
                    message="1,000 lines of a list have come, and the rest is on its way. Nothing "
                    "of it went to the database yet.",
                )
            with postgres.link.hang():
                wire.settimeout(1.5)
                sent = 0
                try:
                    while sent < len(rest):
                        sent += wire.send(rest[sent : sent + 65_536])
                except (TimeoutError, ConnectionError):
                    pass
                if sent == len(rest):
                    pytest.fail(
                        "The database did not answer any more, and the server read on: all of "
                        "40 MB. It keeps in memory what should wait at the client's."
                    )

    @pytest.mark.check(
        task="list",
        points=2,
        seconds=30,
        needs=["test_import"],
        hint="Which events has a request whose client is gone, and does your loop hear of them?",
    )
    def test_client_that_breaks_off(self, api, postgres, rng, eventually):
        """When the client breaks off, nothing is imported and nothing stays behind."""
        before = count(postgres)
        lines = ndjson(new_task(rng) for _ in range(1500))
        for _ in range(2):
            wire = api.wire(
                "POST", "/tasks/import", 2 * len(lines), Content_Type=LIST["Content-Type"]
            )
            with wire, postgres.link.record() as seen:
                wire.sendall(lines)
                eventually(
                    lambda: seen.count(r"\b(insert|copy)\b") > 0,
                    message="1,500 lines of a list came, and nothing went to the database yet.",
                )
        eventually(
            lambda: (
                postgres.value(
                    "SELECT count(*) FROM pg_stat_activity WHERE usename = current_user "
                    "AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
                )
                == 0
            ),
            within=PATIENCE,
            message="Two clients broke off in the middle of a list, and their transactions are "
            "still open. The server waits for lines that never come.",
        )
        assert count(postgres) == before, (
            "Two clients broke off, and something of their lists was imported."
        )
        answer = api.ask("POST", "/tasks/import", content=lines, headers=LIST)
        assert shown(answer) == {"imported": 1500}, "After that, the whole list should be imported."


# 6. Leave in good order


@pytest.mark.check(task="leave", points=3, seconds=30, needs=["test_create_and_read"])
def test_finishes_what_it_has(own, postgres, rng, eventually):
    """At SIGTERM, requests in flight are answered and new ones refused."""
    body = json.dumps(new_task(rng)).encode()
    with (
        ThreadPoolExecutor() as pool,
        own.wire("POST", "/tasks", len(body), Content_Type="application/json") as kept,
    ):
        with postgres.locked("LOCK TABLE tasks"):
            one = pool.submit(own.ask, "POST", "/tasks", new_task(rng), timeout=20)
            kept.sendall(body)
            postgres.wait_blocked(2, one)
            own.server.signal(signal.SIGTERM)
            eventually(
                lambda: refused(own.server),
                message="After SIGTERM, the server still takes new connections.",
            )
            if one.done():
                one.result()  # if it was cut, this says so
                pytest.fail(
                    "After SIGTERM, a request got its answer before the database did its work."
                )
        status = one.result().status_code
        assert status == 201, "A request was in flight at SIGTERM, and should get its answer."
        kept.settimeout(5)
        first = received(kept)
        assert first == "HTTP/1.1 201", "The second request in flight should get its answer, too."
    code = own.server.wait(5)
    assert code == 0, "After the last answer, the server should end with exit code 0."
    assert count(postgres) == 2, "Two requests were answered 201: so many tasks are in the table."


@pytest.mark.check(task="leave", points=2, seconds=30, needs=["test_finishes_what_it_has"])
def test_does_not_wait_for_the_silent(own, postgres, rng, eventually):
    """Connections on which nobody asks anything do not hold it up."""
    body = json.dumps(new_task(rng)).encode()
    with (
        own.wire("GET", "/health", 0) as idle,
        own.wire("POST", "/tasks", len(body), Content_Type="application/json") as busy,
    ):
        idle.settimeout(5)
        busy.settimeout(5)
        assert received(idle) == "HTTP/1.1 200", "GET /health should answer 200."
        with postgres.locked("LOCK TABLE tasks"):
            busy.sendall(body)
            postgres.wait_blocked(1)
            own.server.signal(signal.SIGTERM)
            eventually(
                lambda: refused(own.server),
                message="After SIGTERM, the server still takes new connections.",
            )
        got = received(busy)
        assert got == "HTTP/1.1 201", "A request was in flight at SIGTERM. It should be answered."
        # Both clients keep their connections open, as browsers do.
        code = own.server.wait(3)
    assert code == 0, "When all is answered, the server should end with exit code 0."


@pytest.mark.check(task="leave", points=2, seconds=30, needs=["test_finishes_what_it_has"])
def test_does_not_wait_for_ever(solution, seed, postgres, rng):
    """A request that is never finished holds it up for DRAIN_SECONDS and not longer."""
    api = start(solution, seed, DRAIN_SECONDS="1")
    with ThreadPoolExecutor() as pool:
        with postgres.locked("LOCK TABLE tasks"):
            one = pool.submit(api.ask, "POST", "/tasks", new_task(rng), timeout=20)
            postgres.wait_blocked(1, one)
            api.server.signal(signal.SIGTERM)
            api.server.wait(6)
        one.exception()


def parsed(body):
    try:
        return json.loads(body)
    except ValueError:
        return None
