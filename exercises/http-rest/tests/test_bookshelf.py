"""Hidden tests of http-rest, tasks 1 to 3: methods, status codes, media types."""

import json

import pytest
from library import (
    FOREIGN,
    media_type,
    new_book,
    new_path,
    path_of,
    post,
    put,
    shelf,
    stored,
    value_of,
)
from wire import whole

DONE = (200, 204)


# 1. Create and read


@pytest.mark.check(task="create-and-read", points=3)
def test_post_creates_a_book(server, rng):
    """POST creates a book and tells where it is."""
    book = new_book(rng)
    answer = server.http.post("/books", json=book)
    assert answer.status_code == 201, (
        "POST /books with a right book should create it. The status for that is 201, Created."
    )
    if "Location" not in answer.headers:
        pytest.fail("The book was created, but nobody knows where. Tell it in the field Location.")
    path = path_of(server, answer.headers["Location"])
    if not path.startswith("/books/"):
        pytest.fail(f"Location is {path[:200]}. It should be the address of the book, /books/ID.")
    answer = server.http.get(path)
    assert answer.status_code == 200, "GET of the address in Location should find the new book."
    assert media_type(answer) == "application/json", (
        "The answer should say in Content-Type that it is JSON."
    )
    assert value_of(answer) == book, "GET should answer with the book as it was sent."


@pytest.mark.check(
    task="create-and-read",
    points=2,
    seconds=20,
    needs=["test_post_creates_a_book"],
    hint="What makes two books two, when all of their fields are alike?",
)
def test_lists_all_books(server, rng):
    """GET /books lists every book with its address."""
    assert shelf(server) == {}, "The shelf begins empty. GET /books should answer with []."
    book = new_book(rng)
    books = [book, new_book(rng), book]
    expected = {post(server, each): each for each in books}
    assert len(expected) == len(books), (
        f"{len(books)} books were posted, two of them alike. This is how many addresses came "
        "back; every POST makes a book of its own."
    )
    answer = server.http.get("/books")
    assert media_type(answer) == "application/json", (
        "The answer to GET /books should say in Content-Type that it is JSON."
    )
    got = shelf(server)
    assert got == expected, (
        "GET /books should answer with an array of all books, each with its address in href. "
        "These are the books by their href."
    )


@pytest.mark.check(
    task="create-and-read",
    points=1,
    seconds=20,
    needs=["test_post_creates_a_book"],
    hint="Which addresses does your server know, and what becomes of all others?",
)
def test_unknown_addresses(server, rng):
    """An address where nothing is gets 404."""
    path = post(server, new_book(rng))
    paths = ["/", "/shelf", "/book", "/bookshelf/1", new_path(rng), f"{path}/pages"]
    got = {each: server.http.get(each).status_code for each in paths}
    assert got == dict.fromkeys(paths, 404), "GET of an address where nothing is should answer 404."


@pytest.mark.check(
    task="create-and-read",
    points=1,
    seconds=20,
    needs=["test_post_creates_a_book"],
    hint="What is len('ä'), and what is len('ä'.encode())?",
)
def test_length_counts_bytes(server, rng):
    """Content-Length counts bytes, whatever the letters."""
    title = f"{rng.choice(FOREIGN)} {rng.randrange(1000)}"
    book = {**new_book(rng), "title": title, "author": "José Čapek"}
    path = post(server, book)
    for each in (path, "/books"):
        answer, body = whole(server, "GET", each)
        if "transfer-encoding" in answer.headers:
            continue
        length = answer.headers.get("content-length", len(body))
        assert str(length) == str(len(body)), (
            f"The Content-Length of GET {each} is not the number of bytes that came after the "
            "head. Some letters take more than one byte: count after .encode()."
        )
    assert stored(server, path) == book, "GET should answer with the book as it was sent."


# 2. Every method has its meaning


@pytest.mark.check(
    task="methods",
    points=3,
    seconds=20,
    needs=["test_post_creates_a_book"],
    hint="PUT says what is at an address afterwards, not what comes on top.",
)
def test_put_twice_is_put_once(server, rng):
    """PUT twice is PUT once."""
    other, path = new_book(rng), new_path(rng)
    others_path = post(server, other)
    first = new_book(rng, but=other)
    second = new_book(rng, but=first)
    assert put(server, path, first) == 201, "PUT to an address where nothing was should answer 201."
    assert stored(server, path) == first, "After PUT, GET of the same address should find the book."
    for book, which in ((first, "again"), (second, "with another book")):
        got = put(server, path, book)
        assert got in DONE, f"PUT to the same address {which} should answer 200 or 204."
        assert stored(server, path) == book, (
            f"After PUT {which}, GET should find the book that was put last."
        )
    expected = {others_path: other, path: second}
    assert shelf(server) == expected, (
        "One book was posted, and one address got three PUTs. GET /books should list one book for "
        "each of the two addresses."
    )


@pytest.mark.check(
    task="methods",
    points=2,
    seconds=20,
    needs=["test_put_twice_is_put_once"],
    hint="What does DELETE find the second time?",
)
def test_delete_removes(server, rng):
    """DELETE removes the book."""
    first, second = new_book(rng), new_book(rng)
    path, others_path = post(server, first), post(server, second)
    got = server.http.delete(path).status_code
    assert got in DONE, "DELETE of a book should answer 200 or 204."
    assert stored(server, path) == 404, "After DELETE, GET of the book should answer 404."
    got = server.http.delete(path).status_code
    assert got == 404, (
        "The second DELETE should answer 404. (It leaves the shelf as it is, so DELETE is "
        "idempotent all the same.)"
    )
    assert shelf(server) == {others_path: second}, "One of two books was deleted. The other stays."
    assert put(server, path, first) == 201, "PUT to the address of a deleted book creates it again."


@pytest.mark.check(
    task="methods",
    points=1,
    seconds=20,
    needs=["test_delete_removes"],
    hint="Which ids can nobody else choose, and which never come back?",
)
def test_post_finds_a_free_address(server, rng):
    """POST never takes the address of another book."""
    paths = [post(server, new_book(rng)) for _ in range(3)]
    expected = {path: stored(server, path) for path in paths[1:]}
    server.http.delete(paths[0])
    wanted = {f"/books/{number}" for number in range(1, 13)} - set(paths)
    for path in sorted(wanted):
        expected[path] = new_book(rng)
        put(server, path, expected[path])
    for _ in range(4):
        book = new_book(rng)
        path = post(server, book)
        if path in expected:
            pytest.fail(
                f"POST chose {path}, where another book was. A number that counts books meets one "
                "that is in use: after a DELETE, or when a client likes numbers, too, and has PUT "
                "a book there."
            )
        expected[path] = book
    assert shelf(server) == expected, "Some PUTs and POSTs later, GET /books lists other books."


@pytest.mark.check(task="methods", points=2, needs=["test_post_creates_a_book"])
def test_wrong_method_or_wrong_address(server, rng):
    """A wrong method gets 405, a wrong address 404."""
    book = new_book(rng)
    path = post(server, book)
    one, all_books = {"GET", "HEAD", "PUT", "DELETE"}, {"GET", "HEAD", "POST"}
    for method, at, allowed in (
        ("POST", path, one),
        ("PATCH", path, one),
        ("PUT", "/books", all_books),
        ("DELETE", "/books", all_books),
        ("PATCH", "/books", all_books),
    ):
        answer = server.http.request(method, at, json=book)
        assert answer.status_code == 405, (
            f"{method} {at}: this address exists, but it does not have this method. That is 405."
        )
        named = {name.strip() for name in answer.headers.get("Allow", "").split(",")} - {""}
        assert named - {"OPTIONS"} == allowed, (
            f"{method} {at} was answered 405. Its field Allow should list the methods that the "
            "address has."
        )
    wrong = [(method, "/shelf") for method in ("POST", "PUT", "DELETE", "PATCH")]
    got = {f"{each[0]} {each[1]}": server.http.request(*each).status_code for each in wrong}
    assert got == dict.fromkeys(got, 404), (
        "Nothing is at this address, whatever the method. That is 404, and 405 is for addresses "
        "that exist."
    )
    assert shelf(server) == {path: book}, "Requests that were refused have changed the shelf."


@pytest.mark.check(
    task="methods",
    points=2,
    seconds=20,
    needs=["test_post_creates_a_book"],
    hint="Make the whole answer as for GET, and leave out the very last step.",
)
def test_head_is_get_without_body(server, rng):
    """HEAD is GET without the body."""
    for path in (post(server, new_book(rng)), "/books", new_path(rng)):
        get, _ = whole(server, "GET", path)
        head, body = whole(server, "HEAD", path)
        assert head.status == get.status, f"HEAD {path} should have the status of GET {path}."
        assert body == b"", f"These bytes came after the head of the answer to HEAD {path}."
        names = ["content-type", "etag"] + ["content-length"] * ("content-length" in head.headers)
        if get.status == 200:
            got, expected = (
                {name: each.headers.get(name) for name in names} for each in (head, get)
            )
            assert got == expected, (
                f"HEAD {path} should send these fields as GET {path} does, so that a client "
                "learns about the body without fetching it."
            )


# 3. Say what you read and write


@pytest.mark.check(
    task="media-types",
    points=2,
    seconds=20,
    needs=["test_put_twice_is_put_once"],
    hint='Is True an int in Python? And what does json.loads make of a lone "Momo"?',
)
def test_bodies_that_are_no_book(server, rng):
    """A body that is no book gets 400 or 422."""
    book = new_book(rng)
    path = post(server, book)
    text = json.dumps(book)
    no_json = [text[: rng.randrange(1, len(text))], "", "title=Momo&year=1973", "{'title': 'Momo'}"]
    no_json = [each.encode() for each in no_json] + ['{"title": "Mädchen"}'.encode("latin-1")]
    no_book = [[book], "Momo", None, 7, {}, {**book, "pages": 300}]
    no_book += [{k: v for k, v in book.items() if k != name} for name in book]
    no_book += [{**book, "title": wrong} for wrong in ("", 1984, None, ["Momo"])]
    no_book += [{**book, "author": wrong} for wrong in ("", False)]
    no_book += [{**book, "year": wrong} for wrong in (str(book["year"]), 1929.5, None, True)]
    cases = [(body, 400) for body in no_json] + [(json.dumps(v).encode(), 422) for v in no_book]
    rng.shuffle(cases)
    expected = dict(cases)
    got = {}
    for number, body in enumerate(expected):
        where = ("POST", "/books") if number % 2 else ("PUT", path)
        fields = {"Content-Type": "application/json"}
        got[body] = server.http.request(*where, content=body, headers=fields).status_code
    wrong = [body for body, status in got.items() if status != expected[body]][:3]
    got, expected = (
        {body.decode(errors="replace"): each[body] for body in wrong} for each in (got, expected)
    )
    assert got == expected, (
        "These bodies (three at most are shown) got another status than they should. What is not "
        "JSON gets 400. What is JSON, but not just the three fields of a book, gets 422."
    )
    assert shelf(server) == {path: book}, "Bodies that were refused have changed the shelf."


@pytest.mark.check(
    task="media-types",
    points=2,
    seconds=20,
    needs=["test_put_twice_is_put_once"],
    hint="Take the media type out of the field first: its case and what follows a ; do not matter.",
)
def test_content_types(server, rng):
    """A body that is not declared as JSON gets 415."""
    path, book = new_path(rng), new_book(rng)
    put(server, path, book)
    wrong = ["text/plain", "application/xml", "application/x-www-form-urlencoded"]
    wrong += ["application/json-patch+json", "application/jsonl", "text/plain; as=application/json"]
    good = ["application/json", "Application/JSON", "application/json;charset=utf-8"]
    good += ['APPLICATION/JSON ; charset="UTF-8"']
    for method, at in (("POST", "/books"), ("PUT", path)):
        got = {each: _send(server, method, at, each, new_book(rng)) for each in wrong}
        assert got == dict.fromkeys(wrong, 415), (
            f"{method} with these Content-Types should be refused with 415, although the body is a "
            "book: its sender says that it is something else."
        )
    assert shelf(server) == {path: book}, "Bodies that were refused have changed the shelf."
    got = {each: _send(server, "PUT", path, each, book) for each in good}
    refused = {each: status for each, status in got.items() if status not in DONE}
    assert refused == {}, (
        "PUT with these Content-Types got this status. They all mean JSON, because case and "
        "parameters do not matter, and it should be done."
    )


def _send(server, method, path, content_type, book):
    headers = {"Content-Type": content_type}
    body = json.dumps(book).encode()
    return server.http.request(method, path, content=body, headers=headers).status_code


@pytest.mark.check(
    task="media-types",
    points=2,
    seconds=20,
    needs=["test_lists_all_books"],
    hint="Which of the ranges in the field fits JSON most closely, and what is its weight?",
)
def test_accept(server, rng):
    """A client that takes no JSON gets 406."""
    path = post(server, new_book(rng))
    weight = rng.choice(["0.1", "0.25", "0.5"])
    good = ["application/json", "*/*", "application/*", "APPLICATION/json", "image/png,*/*"]
    good += [f"text/html, */*;q={weight}", f"text/html;q=0.9 , application/json ; q={weight}"]
    good += ["*/*;q=0, application/json", f"application/*;q=0, */*, application/json;q={weight}"]
    good += ["text/html;level=1;q=0.7, application/json", "text/html;level=1, */*;q=0.1"]
    wrong = ["text/html", "image/*, text/*;q=0.5", "application/xml", "application/json-seq"]
    wrong += ["application/json;q=0", "application/json;q=0, */*", "application/*;q=0.0,*/*;q=1"]
    expected = {**dict.fromkeys(good, 200), **dict.fromkeys(wrong, 406)}
    for at, fields in ((path, expected), ("/books", rng.sample(good, 2) + rng.sample(wrong, 2))):
        got = {each: _get(server, at, each) for each in fields}
        bad = {each: status for each, status in got.items() if status != expected[each]}
        assert bad == {each: expected[each] for each in bad}, (
            f"GET {at} with these Accept fields got another status than it should. 406 is for "
            "those that leave out application/json."
        )
        assert _get(server, at, None) == 200, (
            f"GET {at} without the field Accept should answer 200: the client takes anything."
        )


def _get(server, path, accept):
    request = server.http.build_request("GET", path)
    del request.headers["Accept"]
    if accept is not None:
        request.headers["Accept"] = accept
    return server.http.send(request).status_code
