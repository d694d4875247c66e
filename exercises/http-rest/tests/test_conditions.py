"""Hidden tests of http-rest, tasks 4 and 5: conditions, and many clients at once."""

import json

import httpx
import pytest
from library import new_book, new_path, post, put, stored, tag_of, value_of
from wire import Wire, whole

DONE = (200, 204)
WRITERS = 8


# 4. Change only what you have seen


@pytest.mark.check(task="conditions", points=3, needs=["test_delete_removes"])
def test_etag_stands_for_the_book(server, rng):
    """The ETag stays and changes with the book."""
    path, book = new_path(rng), new_book(rng)
    put(server, path, book)
    seen = [tag_of(server, path)]
    for _ in range(2):
        assert tag_of(server, path) == seen[0], (
            "Nobody has changed the book, and another GET sent another ETag."
        )
    head = server.http.head(path).headers.get("ETag")
    assert head == seen[0], "HEAD should send the same ETag as GET."
    other = new_book(rng, but=book)
    for name in rng.sample(list(book), 3):
        book = {**book, name: other[name]}
        put(server, path, book)
        tag = tag_of(server, path)
        assert tag not in seen, (
            f"The {name} of the book has changed, and its ETag is one that it had before."
        )
        seen.append(tag)
    server.http.delete(path)
    for _ in range(len(seen)):
        book = new_book(rng, but=book)
        put(server, path, book)
        tag = tag_of(server, path)
        assert tag not in seen, (
            "A book was deleted, and another one put at its address. It has a tag that the first "
            "one had, so whoever saw the first one would overwrite the other."
        )


@pytest.mark.check(
    task="conditions",
    points=2,
    seconds=20,
    needs=["test_etag_stands_for_the_book"],
    hint="Compare with each of the tags in the field, and with *.",
)
def test_not_modified(server, rng):
    """If-None-Match with the current tag gets 304."""
    path, book = new_path(rng), new_book(rng)
    put(server, path, new_book(rng, but=book))
    old = tag_of(server, path)
    put(server, path, book)
    tag = tag_of(server, path)
    fields = [tag, f'"none", {tag}', f'{tag} ,"none"', f"W/{tag}", f'"a",W/{tag},"b"', "*"]
    for method in ("GET", "HEAD"):
        got = {each: _ask_none_match(server, method, path, each) for each in fields}
        assert got == dict.fromkeys(fields, 304), (
            f"{method} with these If-None-Match fields should answer 304: the client has what "
            "there is."
        )
    answer, body = whole(server, "GET", path, {"If-None-Match": tag})
    assert body == b"", "An answer 304 has no body. These bytes came after its head."
    assert answer.headers.get("etag") == tag, "An answer 304 should send the ETag, too."
    fields = [old, f"W/{old}", f'{old}, "none"', f'"{tag.strip(chr(34))}-"']
    got = {each: _ask_none_match(server, "GET", path, each) for each in fields}
    assert got == dict.fromkeys(fields, 200), (
        f"GET with these If-None-Match fields should answer 200: the book's ETag is {tag} now, and "
        "no tag in the field is that."
    )
    got = value_of(server.http.get(path, headers={"If-None-Match": old}))
    assert got == book, "The client has an old book, and GET should send the new one."


def _ask_none_match(server, method, path, field):
    return server.http.request(method, path, headers={"If-None-Match": field}).status_code


@pytest.mark.check(
    task="conditions",
    points=3,
    seconds=20,
    needs=["test_etag_stands_for_the_book"],
    hint="What does the client know of the book, and is it still true?",
)
def test_if_match_protects(server, rng):
    """If-Match protects a book that has changed."""
    path, book = new_path(rng), new_book(rng)
    put(server, path, new_book(rng, but=book))
    old = tag_of(server, path)
    put(server, path, book)
    for field in (old, f'"none", {old}', '"none"'):
        got = put(server, path, new_book(rng), If_Match=field)
        why = f"If-Match: {field} names only tags that the book does not have now, so a"
        assert got == 412, f"{why} PUT should answer 412."
        got = server.http.delete(path, headers={"If-Match": field}).status_code
        assert got == 412, f"{why} DELETE should answer 412."
        assert stored(server, path) == book, "A PUT or DELETE got 412, and was done all the same."
    for form in ("{}", '"none", {}', '{},"none"', "*"):
        field, book = form.format(tag_of(server, path)), new_book(rng, but=book)
        got = put(server, path, book, If_Match=field)
        assert got in DONE, f"The book has a tag that fits. PUT with If-Match: {field} is done."
        assert stored(server, path) == book, "PUT with a right If-Match should store the book."
    missing = new_path(rng)
    for field in ("*", old):
        got = put(server, missing, book, If_Match=field)
        assert got == 412, (
            f"No book is there, so nothing fits. PUT with If-Match: {field} should answer 412."
        )
        assert stored(server, missing) == 404, "A PUT got 412, and has created a book."
    got = server.http.delete(path, headers={"If-Match": tag_of(server, path)}).status_code
    assert got in DONE, "DELETE with the current tag in If-Match should be done."
    assert stored(server, path) == 404, "DELETE with a right If-Match should remove the book."


@pytest.mark.check(
    task="conditions",
    points=1,
    seconds=20,
    needs=["test_put_twice_is_put_once"],
    hint="* stands for any book. When does none of them match?",
)
def test_creates_only_what_is_not_there(server, rng):
    """If-None-Match: * creates and never replaces."""
    path, book = new_path(rng), new_book(rng)
    got = put(server, path, book, If_None_Match="*")
    assert got == 201, "Nothing is there. PUT with If-None-Match: * should create the book."
    got = put(server, path, new_book(rng, but=book), If_None_Match="*")
    assert got == 412, "A book is there. PUT with If-None-Match: * should answer 412."
    assert stored(server, path) == book, "PUT with If-None-Match: * got 412 and replaced the book."


# 5. Many clients at once


@pytest.mark.check(
    task="many-clients",
    points=2,
    seconds=20,
    needs=["test_delete_removes"],
    hint="Which version of HTTP does your server speak, and how many threads does it have?",
)
def test_connections_stay_open(server, rng):
    """A connection stays open and keeps nobody waiting."""
    book = new_book(rng)
    path, text = post(server, book), json.dumps(book).encode()
    steps = [("GET", path), ("HEAD", path), ("GET", "/books"), ("PUT", path), ("GET", path)]
    steps += [("DELETE", path), ("GET", "/books"), ("POST", "/books"), ("GET", "/books")]
    with Wire(server) as wire:
        for number, (method, at) in enumerate(steps, 1):
            answer = wire.ask(method, at, body=text if method in ("PUT", "POST") else b"")
            if answer is None:
                pytest.fail(
                    f"The connection was closed before the answer to {method} {at}, request number "
                    f"{number} on it. Speak HTTP/1.1, where it stays open for the next request."
                )
            assert answer.version == "HTTP/1.1", (
                f"The answer to {method} {at} is in an older version, which closes the connection "
                "after every answer. HTTP/1.1 keeps it open."
            )
            assert not answer.says_close, (
                f"The answer to {method} {at} says Connection: close. Only an error may say so."
            )
        try:
            got = server.http.get("/books").status_code
        except httpx.TimeoutException:
            got = "no answer within 5 s"
        assert got == 200, (
            "One client keeps its connection open and says nothing. Meanwhile another one asked "
            "for /books, and should not have to wait for the first one."
        )


@pytest.mark.check(
    task="many-clients",
    points=3,
    seconds=20,
    needs=[
        "test_connections_stay_open",
        "test_if_match_protects",
        "test_creates_only_what_is_not_there",
    ],
)
def test_one_of_many_wins(solution, rng):
    """Of many writers, exactly one wins."""
    server = solution.serve("in-turns")
    clients = [_connected(server) for _ in range(WRITERS)]
    for create in (True, False, False, True, False):
        path, books = new_path(rng), [new_book(rng) for _ in clients]
        fields = {"If-None-Match": "*"}
        if not create:
            put(server, path, new_book(rng))
            fields = {"If-Match": tag_of(server, path)}
        answers = _race(server, clients, path, fields, books)
        done = [
            book for book, status in zip(books, answers, strict=True) if status in (200, 201, 204)
        ]
        name, value = fields.popitem()
        assert len(done) == 1, (
            f"{WRITERS} clients sent PUT with {name}: {value} at the same moment. So many of them "
            "were told that it is done. Between the look at the tag and the change of the book, "
            "another request got in: one lock has to hold both together."
        )
        others = sorted(set(answers) - {200, 201, 204})
        assert others == [412], "One PUT was done. The others should get 412."
        assert stored(server, path) == done[0], (
            "One PUT was told that it is done. The book is not the one that it sent."
        )
    for client in clients:
        client.close()


def _connected(server):
    """A connection that the server has accepted: many at once would have to queue for that."""
    client = Wire(server)
    client.ask("GET", "/books")
    return client


def _race(server, clients, path, fields, books):
    """Sends all heads, then the ends of all bodies; the statuses in order."""
    for client, book in zip(clients, books, strict=True):
        client.send("PUT", path, fields, json.dumps(book).encode(), hold_back=1)
    stored(server, path)  # a whole request, in which the server can look at the others
    for client in clients:
        client.send_bytes(b"}")
    answers = [client.read("PUT", path) for client in clients]
    for number, answer in enumerate(answers):
        if answer is None or answer.says_close:
            clients[number].close()
            clients[number] = _connected(server)
    return [0 if answer is None else answer.status for answer in answers]


@pytest.mark.check(
    task="many-clients",
    points=2,
    seconds=20,
    needs=[
        "test_connections_stay_open",
        "test_if_match_protects",
        "test_content_types",
        "test_wrong_method_or_wrong_address",
    ],
    hint="Where do the bytes of a body go that nobody reads?",
)
def test_after_a_refusal(server, rng):
    """A refused request leaves the connection in order."""
    path, book = new_path(rng), new_book(rng)
    put(server, path, book)
    plain = {"Content-Type": "text/plain"}
    steps = [("POST", "/shelf", {}, 404), ("PUT", "/books", {}, 405), ("PATCH", path, {}, 405)]
    steps += [("POST", "/books", plain, 415), ("PUT", path, {"If-Match": '"none"'}, 412)]
    steps += [("DELETE", new_path(rng), {}, 404)]
    rng.shuffle(steps)
    body = json.dumps(new_book(rng)).encode()
    for method, at, fields, status in steps:
        with Wire(server) as wire:
            answer = wire.ask(method, at, fields, body)
            got = "closed without a word" if answer is None else answer.status
            assert got == status, f"{method} {at} should be refused with this status."
            if answer.says_close:
                continue
            answer = wire.ask("GET", path)
            got = "closed without a word" if answer is None else answer.status
            assert got == 200, (
                f"{method} {at} was refused with {status}. Then the same connection asked for GET "
                f"{path}, which is there. Was the body of the refused request read?"
            )
            assert json.loads(answer.content) == book, (
                f"After a refused {method} {at}, GET on the same connection got another book."
            )
