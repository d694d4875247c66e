"""The bookshelf with asyncio: one thread, no locks, and tags that are made from the content."""

import asyncio
import hashlib
import itertools
import json
import os
import re
from http import HTTPStatus

books = {}  # path -> the bytes of the book
numbers = itertools.count(1)


def tag(body):
    return '"' + hashlib.sha256(body).hexdigest()[:20] + '"'


def dump(value):
    return json.dumps(value).encode()


def tags_in(field):
    return {each.strip().removeprefix("W/") for each in field.split(",")}


def named(field, path):
    """Whether a list of tags, or *, is about the book at this path."""
    return path in books and bool({"*", tag(books[path])} & tags_in(field))


def json_is_welcome(accept):
    best = (-1, 0.0)
    for each in accept.split(","):
        media, *options = each.replace(" ", "").lower().split(";")
        rank = {"*/*": 0, "application/*": 1, "application/json": 2}.get(media, -1)
        weight = next((float(o[2:]) for o in options if o[:2] == "q="), 1.0)
        if rank >= 0:
            best = max(best, (rank, weight))
    return best[0] >= 0 and best[1] > 0


def parse(headers, body):
    """The book in a body, as (status, None) or (None, bytes)."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return 415, None
    try:
        value = json.loads(body.decode("utf-8"))
    except ValueError:
        return 400, None
    match value:
        case {"title": str(title), "author": str(author), "year": int(year), **rest} if not rest:
            if title and author and type(year) is int:
                return None, dump(value)
    return 422, None


def read_books(path, headers, body):
    if not json_is_welcome(headers.get("accept", "*/*")):
        return 406, {}, b""
    if path == "/books":
        shelf = [json.loads(text) | {"href": at} for at, text in books.items()]
        return 200, {}, dump(shelf)
    if path not in books:
        return 404, {}, b""
    fields = {"etag": tag(books[path])}
    if "if-none-match" in headers and named(headers["if-none-match"], path):
        return 304, fields, b""
    return 200, fields, books[path]


def create(path, headers, body):
    wrong, book = parse(headers, body)
    if wrong:
        return wrong, {}, b""
    new = next(at for at in map("/books/{}".format, numbers) if at not in books)
    books[new] = book
    return 201, {"location": new}, b""


def failed_condition(path, headers):
    if "if-match" in headers and not named(headers["if-match"], path):
        return True
    return "if-none-match" in headers and named(headers["if-none-match"], path)


def replace(path, headers, body):
    wrong, book = parse(headers, body)
    if wrong:
        return wrong, {}, b""
    if failed_condition(path, headers):
        return 412, {}, b""
    known = path in books
    books[path] = book
    return (200 if known else 201), {"etag": tag(book)}, book


def delete(path, headers, body):
    if path not in books:
        return 404, {}, b""
    if failed_condition(path, headers):
        return 412, {}, b""
    return 200, {}, books.pop(path)


ROUTES = [
    (r"/books", {"GET": read_books, "HEAD": read_books, "POST": create}),
    (
        r"/books/[a-z0-9-]+",
        {"GET": read_books, "HEAD": read_books, "PUT": replace, "DELETE": delete},
    ),
]


def respond(method, path, headers, body):
    for pattern, methods in ROUTES:
        if re.fullmatch(pattern, path):
            if method not in methods:
                return 405, {"allow": ", ".join(methods)}, b""
            return methods[method](path, headers, body)
    return 404, {}, b""


async def serve(reader, writer):
    try:
        while line := await reader.readline():
            method, path, _ = line.decode("latin-1").split()
            headers = {}
            while (line := await reader.readline()) not in (b"\r\n", b""):
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.lower()] = value.strip()
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            status, fields, content = respond(method, path, headers, body)
            fields = {"content-type": "application/json", **fields}
            if status != 304:
                fields["content-length"] = len(content)
            lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
            lines += [f"{name}: {value}" for name, value in fields.items()]
            writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
            writer.write(b"" if method == "HEAD" else content)
            await writer.drain()
            if headers.get("connection", "").lower() == "close":
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(os.environ["PORT"]))
    await server.serve_forever()


asyncio.run(main())
