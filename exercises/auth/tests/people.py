"""People with names and passwords, and what the learner's service answered to them."""

import json

import httpx
import pytest

ACCESS_SECONDS, REFRESH_SECONDS = 300, 86_400  # as in exercise.yaml
LOGIN_FAILURES, WINDOW_SECONDS = 5, 60
WORDS = ["ada", "ben", "chloe", "dan", "eva", "finn", "gail", "hugo", "iris", "jon"]
SIGNS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789 !#$%&*+-./:;=?@^_~"


def new_name(rng):
    return f"{rng.choice(WORDS)}-{rng.randrange(10**9)}"


def new_password(rng):
    return "".join(rng.choice(SIGNS) for _ in range(rng.randint(16, 30)))


def value_of(answer):
    """The JSON of an answer; as text when it is none."""
    try:
        return json.loads(answer.content)
    except ValueError:
        return answer.content[:300].decode(errors="replace")


class Person:
    """Somebody who has signed up, and may be logged in."""

    def __init__(self, service, rng):
        self._service = service
        self.name, self.password = new_name(rng), new_password(rng)
        answer = service.http.post("/signup", json=self.credentials)
        assert answer.status_code == 201, "POST /signup with a free name should answer 201."
        value = value_of(answer)
        if not isinstance(value, dict) or type(value.get("id")) is not int:
            pytest.fail("The answer to POST /signup should have the id of the user, an integer.")
        self.id = value["id"]
        self.tokens = {}

    @property
    def credentials(self):
        return {"name": self.name, "password": self.password}

    def log_in(self):
        answer = log_in(self._service, self.name, self.password)
        assert answer.status_code == 200, "POST /login with the right password should answer 200."
        self.tokens = tokens_in(answer)
        return self

    def ask(self, method, path, **options):
        """The answer to a request with this person's access token."""
        return ask(self._service, self.tokens["access_token"], method, path, **options)


def log_in(service, name, password):
    return service.http.post("/login", json={"name": name, "password": password})


def tokens_in(answer):
    """The tokens in an answer, when they are there."""
    value = value_of(answer)
    for name in ("access_token", "refresh_token"):
        if not isinstance(value, dict) or not isinstance(value.get(name), str):
            pytest.fail(f"The answer should be an object with the text {name}.")
    return value


def ask(service, token, method, path, **options):
    return service.http.request(
        method, path, headers={"Authorization": f"Bearer {token}"}, **options
    )


def refresh(service, token):
    return service.http.post("/refresh", json={"refresh_token": token})


def refreshed(service, token):
    """New tokens for a refresh token."""
    answer = refresh(service, token)
    assert answer.status_code == 200, "POST /refresh with a fresh refresh token should answer 200."
    return tokens_in(answer)


def make_admin(postgres, person):
    postgres.execute("UPDATE users SET role = 'admin' WHERE id = %s", (person.id,))


def note_by(person, text):
    """The path of a new note."""
    answer = person.ask("POST", "/notes", json={"text": text})
    assert answer.status_code == 201, "POST /notes should answer 201."
    value = value_of(answer)
    if not isinstance(value, dict) or type(value.get("id")) is not int:
        pytest.fail("The answer to POST /notes should have the id of the note, an integer.")
    return f"/notes/{value['id']}"


def status_of(send, *args, **options):
    """The status of an answer; words when none came."""
    try:
        return send(*args, **options).status_code
    except httpx.TimeoutException:
        return "no answer in time"


def stored_texts(postgres):
    """Every row of every table of the learner's, as one text."""
    tables = postgres.rows(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables "
        "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    found = []
    for table in tables:
        rows = postgres.rows(f"SELECT t::text AS text FROM {table['name']} AS t")
        found += [row["text"] for row in rows]
    return "\n".join(found)
