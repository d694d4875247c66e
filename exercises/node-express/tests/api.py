"""The team's side of the API: keys, tasks, requests."""

import hashlib
import json
import random
import select
import socket
from datetime import date, timedelta

import httpx

WORDS = [
    "chain",
    "brake",
    "wheel",
    "saddle",
    "bell",
    "light",
    "tyre",
    "Lenker",
    "Übersetzung",
    "前輪",
]
LIST = {"Content-Type": "application/x-ndjson"}
CHEAP = (2, 1, 1)
SLOW = (1 << 14, 8, 8)
"""A third of a second of one processor."""


def key_hash(key, cost=CHEAP):
    """KEY_HASH as the statement describes it."""
    n, r, p = cost
    salt = random.Random(key).randbytes(16)
    made = hashlib.scrypt(key.encode(), salt=salt, n=n, r=r, p=p, dklen=32)
    return f"{n}:{r}:{p}:{salt.hex()}:{made.hex()}"


def new_task(rng, due=True):
    """What a client sends to make a task."""
    task = {"title": f"{rng.choice(WORDS)} of bike {rng.randrange(10**6)}"}
    if due:
        task["due"] = (date(2026, 1, 1) + timedelta(days=rng.randrange(700))).isoformat()
    return task


class Api:
    """The learner's server, asked with the team's key."""

    def __init__(self, server, key):
        self.server = server
        self.key = key

    def ask(self, method, path, body=None, key=None, **options):
        """One request; `body` is sent as JSON."""
        headers = {"Authorization": f"Bearer {key or self.key}", **options.pop("headers", {})}
        if body is not None:
            options["content"] = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        return self.server.http.request(method, path, headers=headers, **options)

    def made(self, task):
        """Makes a task that the test needs, and returns it as the server sees it."""
        answer = self.ask("POST", "/tasks", task)
        assert answer.status_code == 201, "POST /tasks with a right task should answer 201."
        return shown(answer)

    def wire(self, method, path, length, **headers):
        """A connection on which the head of a request was sent, for its body to follow."""
        connection = socket.create_connection(("127.0.0.1", self.server.port), 10)
        fields = {
            "Host": "127.0.0.1",
            "Authorization": f"Bearer {self.key}",
            "Content-Length": length,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items())]
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        return connection


def shown(answer):
    """The JSON in the body, or the body as text when there is none."""
    try:
        return json.loads(answer.content)
    except ValueError:
        return answer.content[:300].decode(errors="replace")


def of(value, name):
    """A field of an answer, whatever shape it has."""
    return value.get(name) if isinstance(value, dict) else None


def ndjson(tasks):
    return b"".join(json.dumps(task, ensure_ascii=False).encode() + b"\n" for task in tasks)


def answered(connection):
    """Whether something has come on this connection."""
    return bool(select.select([connection], [], [], 0)[0])


def received(connection):
    """The version and the status of the next answer; "" when there is none."""
    try:
        return connection.recv(4096).decode("latin-1")[:12]
    except (TimeoutError, ConnectionError):
        return ""


def refused(server):
    """Whether new connections are refused."""
    try:
        server.http.get("/health", timeout=2)
    except httpx.ConnectError:
        return True
    except httpx.HTTPError:
        return False
    return False
