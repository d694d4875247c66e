"""Hidden tests of node-express, tasks 1 to 3: what the API does while nothing goes wrong."""

import json
import re

import pytest
from api import SLOW, answered, new_task, of, received, shown
from conftest import start

REFUSED = "A request that was refused has changed the table."


def table(postgres):
    return postgres.rows("SELECT id, title, due::text, done FROM tasks ORDER BY id")


@pytest.mark.keep
class TestTasks:
    """1. Tasks in the database"""

    @pytest.mark.check(task="tasks", points=3, seconds=20)
    def test_create_and_read(self, api, postgres, rng):
        """POST makes a task, and GET shows it."""
        for task in (new_task(rng), new_task(rng, due=False), {**new_task(rng), "due": None}):
            answer = api.ask("POST", "/tasks", task)
            assert answer.status_code == 201, "POST /tasks with a right task should answer 201."
            got = shown(answer)
            number = of(got, "id")
            expected = {"id": number, "title": task["title"], "due": task.get("due"), "done": False}
            assert got == expected, (
                "POST should answer with the task: id, title, due and done. A day comes back as it "
                "was sent; pg makes a Date of it unless it is told otherwise."
            )
            stored = [row for row in table(postgres) if row["id"] == number]
            assert stored == [expected], "This is what the table holds of the new task."
            path = f"/tasks/{number}"
            location = answer.headers.get("Location", "").removeprefix(api.server.url)
            assert location == path, "Location should be the address of the new task."
            answer = api.ask("GET", path)
            assert answer.status_code == 200, f"GET {path} should answer 200: the task is there."
            assert shown(answer) == expected, f"GET {path} should answer with the task."

    @pytest.mark.check(task="tasks", points=1, needs=["test_create_and_read"])
    def test_lists(self, api, postgres, rng):
        """GET /tasks lists tasks by their id, all of them or by what is done."""
        tasks = [{**new_task(rng), "done": n % 2 == 0} for n in range(8)]
        rng.shuffle(tasks)
        postgres.load("tasks", tasks)
        # An updated row moves to the end of the table: without ORDER BY it comes last.
        postgres.execute("UPDATE tasks SET title = title || '!' WHERE id % 3 = 1")
        everything = table(postgres)
        for query, expected in (
            ("", everything),
            ("?done=true", [task for task in everything if task["done"]]),
            ("?done=false", [task for task in everything if not task["done"]]),
        ):
            answer = api.ask("GET", f"/tasks{query}")
            assert answer.status_code == 200, f"GET /tasks{query} should answer 200."
            assert shown(answer) == expected, (
                f"GET /tasks{query} lists other tasks, or another order."
            )

    @pytest.mark.check(task="tasks", points=2, needs=["test_create_and_read"])
    def test_change_and_delete(self, api, rng):
        """PATCH changes what it is told, DELETE removes."""
        task, other = api.made(new_task(rng)), api.made(new_task(rng))
        path = f"/tasks/{task['id']}"
        title, due = new_task(rng)["title"], new_task(rng)["due"]
        changes = [{"title": title}, {"due": due, "done": True}, {"due": None}, {"done": False}]
        for change in changes:
            task = {**task, **change}
            answer = api.ask("PATCH", path, change)
            assert answer.status_code == 200, "PATCH with right fields should answer 200."
            assert shown(answer) == task, (
                f"PATCH was sent {json.dumps(change)}. It should change that, leave the rest, and "
                "answer with the task."
            )
            assert shown(api.ask("GET", path)) == task, "After PATCH, GET shows another task."
        answer = api.ask("DELETE", path)
        assert answer.status_code == 204, "DELETE of a task should answer 204."
        assert answer.content == b"", "204 means that there is no body."
        got = [api.ask("GET", at).status_code for at in (path, f"/tasks/{other['id']}")]
        assert got == [404, 200], "DELETE should remove this task, and no other."

    @pytest.mark.check(
        task="tasks",
        points=2,
        needs=["test_change_and_delete"],
        hint="What does PostgreSQL say when it is asked for the id 99999999999?",
    )
    def test_no_such_task(self, api, rng):
        """An id that no task has, or can have, gets 404."""
        gone = api.made(new_task(rng))["id"]
        api.ask("DELETE", f"/tasks/{gone}")
        ids = [str(gone), "2147483648", "99999999999999999999", "first", "1.5", "-1", "0x1"]
        wanted = [
            (method, f"/tasks/{each}") for each in ids for method in ("GET", "DELETE", "PATCH")
        ]
        got = {}
        for method, path in wanted:
            body = {"done": False} if method == "PATCH" else None
            got[f"{method} {path}"] = api.ask(method, path, body).status_code
        wrong = {asked: status for asked, status in got.items() if status != 404}
        assert wrong == {}, "No task has, or can have, these ids. Each of these should get 404."


@pytest.mark.keep
class TestRefuse:
    """2. Refuse what is no task"""

    @pytest.mark.check(task="refuse", points=3, seconds=20, needs=["test_create_and_read"])
    def test_wrong_fields(self, api, postgres, rng):
        """Every wrong field is named, and nothing is stored."""
        task = api.made(new_task(rng))
        before = table(postgres)
        title = [3, None, "", " \n ", "x" * 201, "a\0b", ["x"]]
        due = [
            "2026-02-30",
            "2026-13-01",
            "01.03.2026",
            "2026-3-1",
            20260301,
            "2026-03-01T00:00",
            "",
        ]
        done = ["true", 1, None]
        post, patch = ("POST", "/tasks"), ("PATCH", f"/tasks/{task['id']}")
        cases = [
            (where, {**new_task(rng), "title": t}, ["title"])
            for t in title
            for where in (post, patch)
        ]
        cases += [
            (where, {**new_task(rng), "due": d}, ["due"]) for d in due for where in (post, patch)
        ]
        cases += [(patch, {"done": d}, ["done"]) for d in done]
        cases += [
            (post, {}, ["title"]),
            (post, {"due": "today", "title": 7}, ["due", "title"]),
            (post, {"due": None}, ["title"]),
            (post, {**new_task(rng), "done": True}, ["done"]),
            (post, {**new_task(rng), "id": 7, "colour": "red"}, ["colour", "id"]),
            (patch, {"title": "", "done": "no", "id": 1}, ["done", "id", "title"]),
            (patch, {"title": new_task(rng)["title"], "constructor": 1}, ["constructor"]),
        ]
        rng.shuffle(cases)
        for (method, path), body, names in cases:
            answer = api.ask(method, path, body)
            sent = json.dumps(body)[:120]
            assert answer.status_code == 400, f"{method} was sent {sent}. That should get 400."
            fields = of(shown(answer), "fields")
            got = sorted(fields) if isinstance(fields, dict) else fields
            assert got == names, (
                f"{method} was sent {sent}. These are the names in `fields` of the answer; it "
                "should have every wrong or missing field, and only those."
            )
        assert api.ask(*patch, {}).status_code == 400, "A PATCH of nothing should get 400."
        assert api.ask("GET", "/tasks?done=maybe").status_code == 400, "done=maybe should get 400."
        assert table(postgres) == before, REFUSED

    @pytest.mark.check(task="refuse", points=1, needs=["test_create_and_read"])
    def test_right_at_the_edge(self, api):
        """What is just right is taken."""
        for task in (
            {"title": "x" * 200, "due": "2028-02-29"},
            {"title": " y", "due": "1999-12-31"},
            {"title": "constructor"},
        ):
            answer = api.ask("POST", "/tasks", task)
            assert answer.status_code == 201, f"{json.dumps(task)[:100]} is a right task."
            assert of(shown(answer), "title") == task["title"], (
                "The title came back as another one."
            )

    @pytest.mark.check(task="refuse", points=2, needs=["test_create_and_read"])
    def test_wrong_bodies(self, api, postgres, rng):
        """Bodies that are no JSON object, or too large, get their status."""
        before = table(postgres)
        text = json.dumps(new_task(rng))
        much = json.dumps({"title": "x", "due": None}) + " " * 20_000
        fields = {"Content-Type": "application/json"}
        plain = {"Content-Type": "text/plain"}
        cases = [
            ("half a JSON text", text[: len(text) // 2], fields, 400),
            ("an array", f"[{text}]", fields, 400),
            ("the text null", "null", fields, 400),
            ("a number", "7", fields, 400),
            ("a JSON text that is called text/plain", text, plain, 415),
            ("a form", "title=x", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
            ("20,000 bytes", much, fields, 413),
        ]
        for what, body, headers, status in cases:
            answer = api.ask("POST", "/tasks", content=body.encode(), headers=headers)
            assert answer.status_code == status, f"POST /tasks with {what} should get {status}."
            error = of(shown(answer), "error")
            assert isinstance(error, str), (
                f"{what}: the answer should be JSON with a text in `error`."
            )
        small = text + " " * (16_000 - len(text.encode()))
        answer = api.ask("POST", "/tasks", content=small.encode(), headers=fields)
        assert answer.status_code == 201, "A body of 16,000 bytes is not too large."
        api.ask("DELETE", f"/tasks/{of(shown(answer), 'id')}")
        assert table(postgres) == before, REFUSED

    @pytest.mark.check(
        task="refuse", points=1, hint="In which order does Express look for a handler?"
    )
    def test_nothing_is_there(self, api):
        """An address where nothing is gets 404, as JSON."""
        for method, path in (("GET", "/"), ("GET", "/task"), ("POST", "/health/now")):
            answer = api.ask(method, path)
            assert answer.status_code == 404, f"{method} {path}: nothing is there. That is 404."
            error = of(shown(answer), "error")
            assert isinstance(error, str), "404 should be answered with JSON that has `error`, too."


@pytest.mark.keep
class TestKnow:
    """3. Know every request"""

    @pytest.mark.check(task="know", points=2, seconds=20)
    def test_request_ids(self, api, rng):
        """Every answer has the id of its request."""
        given = f"{rng.choice('abcXYZ')}-{rng.randrange(10**9)}"
        for path in ("/health", "/tasks", "/nowhere"):
            answer = api.ask("GET", path, headers={"X-Request-Id": given})
            got = answer.headers.get("X-Request-Id")
            assert got == given, f"GET {path} had an X-Request-Id. The answer should have the same."
        bad = ["", "a b", "x" * 65, "a;b", "é".encode(), 'a"b']
        got = [api.ask("GET", "/health").headers.get("X-Request-Id") for _ in range(3)]
        for each in bad:
            answer = api.ask("GET", "/health", headers={"X-Request-Id": each})
            got.append(answer.headers.get("X-Request-Id"))
        wrong = [each for each in got if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", each or "")]
        assert wrong == [], (
            "Requests came without an X-Request-Id, or with one that is not made of 1 to 64 "
            "letters, digits and -. Their answers should have a new one; these are none."
        )
        assert len(set(got)) == len(got), f"{len(got)} requests should get as many different ids."

    @pytest.mark.check(
        task="know",
        points=2,
        needs=["test_request_ids"],
        hint="Which middleware has to come first, so that no answer is sent without it?",
    )
    def test_one_line_for_each(self, api, rng, eventually):
        """Each answer leaves one line of JSON in the output."""
        number = rng.randrange(10**6)
        asked = [
            ("GET", f"/health?n={number}", {}, 200),
            ("GET", f"/nowhere/{number}", {}, 404),
            (
                "POST",
                "/tasks",
                {"content": b"{", "headers": {"Content-Type": "application/json"}},
                400,
            ),
            ("POST", "/tasks", {"content": b"{", "key": "wrong"}, 401),
        ]
        expected = []
        for place, (method, path, options, status) in enumerate(asked):
            name = f"line-{number}-{place}"
            options = {**options, "headers": {**options.get("headers", {}), "X-Request-Id": name}}
            got = api.ask(method, path, **options).status_code
            assert got == status, f"{method} {path} should get {status}."
            line = {"id": name, "method": method, "path": path.partition("?")[0], "status": status}
            expected.append(line)

        def printed():
            lines = [parsed(line) for line in api.server.logs().splitlines()]
            return [line for line in lines if str(line.get("id", "")).startswith(f"line-{number}-")]

        eventually(
            lambda: len(printed()) >= len(asked),
            message=f"{len(asked)} requests were answered, and the output has fewer lines of JSON "
            "with their ids. Those that got an error count, too.",
        )
        lines = printed()
        got = [{name: line.get(name) for name in expected[0]} for line in lines]
        assert got == expected, "These are the lines of JSON for the requests, without `ms`."
        times = [line.get("ms") for line in lines]
        assert all(isinstance(ms, int | float) and 0 <= ms < 60_000 for ms in times), (
            f"`ms` should be the milliseconds that the answer took; it is {times}."
        )

    @pytest.mark.check(task="know", points=3, needs=["test_create_and_read"])
    def test_only_the_team_writes(self, api, postgres, rng):
        """Who has not the key may read, and nothing else."""
        task = api.made(new_task(rng))
        before = table(postgres)
        path = f"/tasks/{task['id']}"
        wrong = [
            "",
            "Bearer key",
            f"Bearer {api.key}x",
            f"Basic {api.key}",
            api.key,
            "Bearer",
        ]
        headers = {"Content-Type": "application/json"}
        for given in wrong:
            got = {}
            for method, at, body in (
                ("POST", "/tasks", json.dumps(new_task(rng))),
                ("POST", "/tasks", "x" * 20_000),
                ("PATCH", path, '{"done": true}'),
                ("DELETE", path, ""),
                ("DELETE", "/tasks/first", ""),
                ("POST", "/tasks/import", '{"title": "x"}'),
            ):
                answer = api.server.http.request(
                    method, at, content=body, headers={**headers, "Authorization": given}
                )
                got[f"{method} {at}"] = answer.status_code
            shown_as = given.replace(api.key, "KEY")
            assert set(got.values()) == {401}, (
                f"Authorization was '{shown_as}'. Each of {', '.join(got)} should get 401, "
                "whatever else is wrong with it."
            )
        assert table(postgres) == before, REFUSED
        for at in ("/tasks", path, "/health"):
            got = api.server.http.get(at).status_code
            assert got == 200, f"GET {at} without a key should get 200: everybody may read."


@pytest.mark.check(
    task="know",
    points=2,
    seconds=30,
    needs=["test_only_the_team_writes"],
    hint="Which of the two functions of node:crypto that make such a hash lets go of the thread?",
)
def test_others_do_not_wait_for_the_key(solution, seed):
    """While a key is looked at, others are answered."""
    api = start(solution, seed, SLOW)
    # Once the key is known to be right, nothing is left to wait for.
    with api.wire("DELETE", "/tasks/first", 0) as slow:
        others = 0
        while not answered(slow) and others < 50:
            api.ask("GET", "/health", timeout=20)
            others += not answered(slow)
        slow.settimeout(20)
        got = received(slow)
    assert got == "HTTP/1.1 404", (
        "KEY_HASH had larger numbers N, r, p than usual. The right key should open all the same, "
        "and DELETE /tasks/first get 404."
    )
    assert others >= 5, (
        "The hash of the key took a while. This is how many other requests got their answer in "
        "that time: the event loop was stopped."
    )


def parsed(line):
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
