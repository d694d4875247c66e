"""A bookshelf over HTTP: books are resources, and nobody changes one without having seen it."""

import json
import os
import re
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

JSON = "application/json"
METHODS = {"/books": ["GET", "HEAD", "POST"], "/books/": ["GET", "HEAD", "PUT", "DELETE"]}
TAG = re.compile(r'(?:W/)?("[^"]*")')


class Entry(NamedTuple):
    book: dict
    tag: str


class Refused(Exception):
    """The request is answered with this status."""

    def __init__(self, status, why, **fields):
        super().__init__(why)
        self.status = status
        self.fields = fields


SHELF = {}  # id -> Entry
SHELF_LOCK = threading.Lock()  # held from looking at a book until it is changed


def is_book(value):
    return (
        isinstance(value, dict)
        and value.keys() == {"title", "author", "year"}
        and all(isinstance(value[name], str) and value[name] for name in ("title", "author"))
        and isinstance(value["year"], int)
        and not isinstance(value["year"], bool)  # True is an int
    )


def accepts_json(accept):
    """Whether an Accept field allows JSON. The most specific range decides (RFC 9110, 12.5.1)."""
    quality = {}
    for item in accept.lower().split(","):
        name, *parameters = [part.strip() for part in item.split(";")]
        given = [part[2:] for part in parameters if part.startswith("q=")]
        quality[name] = float(given[0]) if given else 1.0
    for name in (JSON, "application/*", "*/*"):
        if name in quality:
            return quality[name] > 0
    return False


def matches(field, entry):
    """Whether an If-Match or If-None-Match field names the state of this entry."""
    if entry is None:
        return False
    return field.strip() == "*" or entry.tag in TAG.findall(field)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections open

    def handle_request(self):
        # Before anything else: what is left unread would be taken for the next request.
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            self.dispatch(body)
        except Refused as refused:
            self.answer(refused.status, {"error": str(refused)}, **refused.fields)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = handle_request

    def dispatch(self, body):
        found = re.fullmatch(r"/books(?:(/)([a-z0-9-]+))?", self.path)
        if found is None:
            raise Refused(404, "there is nothing at this address")
        allowed, key = METHODS["/books" + (found[1] or "")], found[2]
        if self.command not in allowed:
            raise Refused(405, "this address has other methods", Allow=", ".join(allowed))
        if self.command in ("GET", "HEAD"):
            if not accepts_json(self.headers.get("Accept", "*/*")):
                raise Refused(406, f"this server writes {JSON}")
            self.get_list() if key is None else self.get(key)
        elif self.command == "DELETE":
            self.delete(key)
        else:
            book = self.read_book(body)
            self.post(book) if key is None else self.put(key, book)

    def read_book(self, body):
        if self.headers.get_content_type() != JSON:
            raise Refused(415, f"this server reads {JSON}")
        try:
            value = json.loads(body)
        except ValueError as error:
            raise Refused(400, f"the body is not JSON: {error}") from None
        if not is_book(value):
            raise Refused(422, "a book has a title, an author and a year")
        return value

    def get_list(self):
        with SHELF_LOCK:
            entries = list(SHELF.items())
        self.answer(200, [{**entry.book, "href": f"/books/{key}"} for key, entry in entries])

    def get(self, key):
        entry = SHELF.get(key)
        if entry is None:
            raise Refused(404, "there is no such book")
        if matches(self.headers.get("If-None-Match", ""), entry):
            self.answer(304, None, ETag=entry.tag)
        else:
            self.answer(200, entry.book, ETag=entry.tag)

    def post(self, book):
        key = uuid.uuid4().hex
        with SHELF_LOCK:
            entry = self.store(key, book)
        self.answer(201, book, ETag=entry.tag, Location=f"/books/{key}")

    def put(self, key, book):
        with SHELF_LOCK:
            current = SHELF.get(key)
            self.check_conditions(current)
            entry = self.store(key, book)
        self.answer(204 if current else 201, None, ETag=entry.tag)

    def delete(self, key):
        with SHELF_LOCK:
            current = SHELF.get(key)
            if current is None:
                raise Refused(404, "there is no such book")
            self.check_conditions(current)
            del SHELF[key]
        self.answer(204, None)

    def check_conditions(self, current):
        wanted, unwanted = self.headers.get("If-Match"), self.headers.get("If-None-Match")
        if wanted is not None and not matches(wanted, current):
            raise Refused(412, "the book is not as you have seen it")
        if unwanted is not None and matches(unwanted, current):
            raise Refused(412, "there is a book already")

    def store(self, key, book):
        # A tag that never comes back, whatever happens to the book.
        entry = SHELF[key] = Entry(book, f'"{uuid.uuid4().hex}"')
        return entry

    def answer(self, status, value, **fields):
        body = b"" if value is None else json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        for name, text in fields.items():
            self.send_header(name, text)
        if value is not None:
            self.send_header("Content-Type", JSON)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
