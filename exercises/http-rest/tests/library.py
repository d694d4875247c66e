"""Books and their addresses, and what a learner's server answered, as plain values."""

import json
import re

import httpx
import pytest

ADJECTIVES = ["quiet", "red", "last", "hidden", "long", "seventh", "broken", "early", "small"]
NOUNS = ["river", "house", "letter", "winter", "train", "garden", "island", "clock", "mirror"]
AUTHORS = ["Ada Moss", "Ivo Brandt", "Lena Ortiz", "Tom Okafor", "Mei Tanaka", "Rosa Lind"]
FOREIGN = ["Das Mädchen", "Ένας κύκλος", "Зимний сад", "雪国の朝", "L'été à Évian", "🦊 och ödlan"]


def new_book(rng, but=None):
    """A random book that differs from `but` in every field."""
    while True:
        title = f"The {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}, part {rng.randrange(2, 99)}"
        book = {"title": title, "author": rng.choice(AUTHORS), "year": rng.randrange(1800, 2025)}
        if but is None or all(book[name] != but[name] for name in book):
            return book


def new_path(rng):
    """An address where no book is yet."""
    return f"/books/{rng.choice(NOUNS)}-{rng.randrange(10**6, 10**9)}"


def path_of(server, location):
    """The path that a Location field or an href leads to, seen from /books."""
    try:
        url = httpx.URL(server.url).join("/books").join(str(location))
    except httpx.InvalidURL:
        return str(location)
    return url.path if url.port == server.port else str(location)


def value_of(answer):
    """The JSON in the body, or the body as text when there is none."""
    try:
        return json.loads(answer.content)
    except ValueError:
        return answer.content[:300].decode(errors="replace")


def media_type(answer):
    return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def stored(server, path):
    """The book at this address; its status when that is not 200."""
    answer = server.http.get(path)
    return value_of(answer) if answer.status_code == 200 else answer.status_code


def shelf(server):
    """What GET /books lists: address -> book, as far as it has the shape that is asked for."""
    listed = value_of(server.http.get("/books"))
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        return listed
    return {
        path_of(server, each.get("href")): {k: v for k, v in each.items() if k != "href"}
        for each in listed
    }


def post(server, book):
    """Creates a book with POST, and returns its address."""
    answer = server.http.post("/books", json=book)
    assert answer.status_code == 201, "POST /books with a right book should answer 201."
    return path_of(server, answer.headers["Location"])


def put(server, path, book, **fields):
    """The status of a PUT; fields are written with _ for -."""
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    return server.http.put(path, json=book, headers=headers).status_code


def tag_of(server, path):
    """The ETag of a book, which must be there and strong."""
    tag = server.http.get(path).headers.get("ETag")
    if tag is None:
        pytest.fail("GET of a book should send an ETag.")
    if tag.startswith("W/"):
        pytest.fail(f"GET sent the weak tag {tag[:80]}, which no If-Match accepts. Leave out W/.")
    if not re.fullmatch(r'"[^"\s]+"', tag):
        pytest.fail(
            f"GET sent {tag[:80]} as ETag. A tag is text in double quotes: they belong to it."
        )
    return tag
