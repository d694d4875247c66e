"""The bookshelf on sqlite3 and socketserver: the database compares and changes in one statement.

Answers are chunked, refusals close the connection, and the tag is the number of the last change.
"""

import http.client
import json
import os
import re
import socketserver
import sqlite3
import tempfile

DATABASE = f"{tempfile.mkdtemp()}/shelf.db"
SCHEMA = """
CREATE TABLE books (id TEXT PRIMARY KEY, text TEXT NOT NULL, change INTEGER NOT NULL);
CREATE TABLE changes (number INTEGER PRIMARY KEY AUTOINCREMENT);
"""
ONE, ALL = {"GET", "HEAD", "PUT", "DELETE"}, {"GET", "HEAD", "POST"}


class Stop(Exception):
    """Ends a request with this status and these fields."""


def changes_in(field):
    """The numbers in an If-Match or If-None-Match field; None for *."""
    return None if field.strip() == "*" else [int(n) for n in re.findall(r'"c(\d+)"', field)]


def weights(accept):
    for part in accept.split(","):
        found = re.fullmatch(r"\s*([^;\s]+)\s*(?:;\s*q=([0-9.]+))?\s*", part)
        if found:
            yield found[1].lower(), float(found[2] or 1)


class Handler(socketserver.StreamRequestHandler):
    def setup(self):
        super().setup()
        self.db = sqlite3.connect(DATABASE, timeout=30, isolation_level=None)

    def finish(self):
        self.db.close()
        super().finish()

    def handle(self):
        while (line := self.rfile.readline()).strip():
            self.method, self.target, _ = line.decode().split()
            self.fields = http.client.parse_headers(self.rfile)
            try:
                self.route()
            except Stop as stop:
                self.refuse(*stop.args)
                return
            if self.fields.get("Connection", "").lower() == "close":
                return

    def refuse(self, status, fields=()):
        left = int(self.fields.get("Content-Length") or 0)
        if not getattr(self, "was_read", False):
            self.rfile.read(left)
        body = b"no\n" if self.method != "HEAD" else b""
        self.head(status, {**dict(fields), "Connection": "close", "Content-Type": "text/plain"})
        self.wfile.write(body)

    def route(self):
        self.was_read = False
        if self.target == "/books":
            allowed, key = ALL, None
        elif found := re.fullmatch("/books/([a-z0-9-]+)", self.target):
            allowed, key = ONE, found[1]
        else:
            raise Stop(404)
        if self.method not in allowed:
            raise Stop(405, {"ALLOW": ",".join(sorted(allowed | {"OPTIONS"}))})
        name = "get" if self.method == "HEAD" else self.method.lower()
        getattr(self, f"{name}_{'all' if key is None else 'one'}")(key)

    def head(self, status, fields):
        lines = [f"HTTP/1.1 {status} {http.client.responses[status]}"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        self.wfile.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    def send(self, status, text, fields=()):
        chunked = {"transfer-encoding": "chunked", "content-type": "Application/json"}
        self.head(status, {**chunked, **dict(fields)})
        if self.method == "HEAD":
            return
        data = text.encode()
        for start in range(0, len(data), 50):
            part = data[start : start + 50]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def book(self):
        if self.fields.get("Content-Type", "").split(";")[0].strip().lower() != "application/json":
            raise Stop(415)
        self.was_read = True
        try:
            value = json.loads(self.rfile.read(int(self.fields["Content-Length"] or 0)))
        except (ValueError, TypeError):
            raise Stop(400) from None
        if not isinstance(value, dict) or sorted(value) != ["author", "title", "year"]:
            raise Stop(422)
        types = [type(value[name]) for name in ("author", "title", "year")]
        if types != [str, str, int] or "" in value.values():
            raise Stop(422)
        return json.dumps(value, ensure_ascii=False)

    def check_accept(self):
        if "Accept" in self.fields:
            given = dict(weights(self.fields["Accept"]))
            fitting = [n for n in ("*/*", "application/*", "application/json") if n in given]
            if not fitting or not given[fitting[-1]]:
                raise Stop(406)

    def change(self):
        return self.db.execute("INSERT INTO changes DEFAULT VALUES").lastrowid

    def get_all(self, _):
        self.check_accept()
        rows = self.db.execute("SELECT id, text FROM books").fetchall()
        base = f"http://{self.fields['Host']}/books/"
        books = [{"href": base + key, **json.loads(text)} for key, text in rows]
        self.send(200, json.dumps(books, ensure_ascii=False))

    def get_one(self, key):
        self.check_accept()
        row = self.db.execute("SELECT text, change FROM books WHERE id = ?", (key,)).fetchone()
        if row is None:
            raise Stop(404)
        fields = {"etag": f'"c{row[1]}"'}
        if "If-None-Match" in self.fields:
            seen = changes_in(self.fields["If-None-Match"])
            if seen is None or row[1] in seen:
                self.head(304, fields)
                return
        self.send(200, row[0], fields)

    def post_all(self, _):
        text = self.book()
        free = "SELECT hex(randomblob(8)) AS id"
        add = f"INSERT INTO books SELECT lower(id), ?, ? FROM ({free}) RETURNING id"
        (key,) = self.db.execute(add, (text, self.change())).fetchone()
        self.send(201, text, {"location": f"http://{self.fields['Host']}/books/{key}"})

    def put_one(self, key):
        text, number = self.book(), self.change()
        if "If-None-Match" in self.fields:
            add = "INSERT INTO books VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
            if not self.db.execute(add, (key, text, number)).rowcount:
                raise Stop(412)
            return self.send(201, text)
        update = "UPDATE books SET text = ?, change = ? WHERE id = ?"
        if "If-Match" in self.fields:
            if not self.guarded(update, text, number, key):
                raise Stop(412)
            return self.send(200, text)
        while True:  # until one of the two finds the shelf as it expects it
            if self.db.execute(update, (text, number, key)).rowcount:
                return self.send(200, text)
            add = "INSERT INTO books VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
            if self.db.execute(add, (key, text, number)).rowcount:
                return self.send(201, text)

    def delete_one(self, key):
        delete = "DELETE FROM books WHERE id = ?"
        if "If-Match" in self.fields and not self.guarded(delete, key):
            found = self.db.execute("SELECT 1 FROM books WHERE id = ?", (key,)).fetchone()
            raise Stop(412 if found else 404)
        if "If-Match" not in self.fields and not self.db.execute(delete, (key,)).rowcount:
            raise Stop(404)
        self.send(200, "{}")

    def guarded(self, statement, *values):
        """Runs the statement for a book in one of the states that If-Match names."""
        seen = changes_in(self.fields["If-Match"])
        if seen is not None:
            statement += f" AND change IN ({','.join('?' * len(seen))})"
        return self.db.execute(statement, (*values, *(seen or []))).rowcount


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


if __name__ == "__main__":
    with sqlite3.connect(DATABASE) as db:
        db.executescript("PRAGMA journal_mode = WAL;" + SCHEMA)
    with Server(("127.0.0.1", int(os.environ["PORT"])), Handler) as server:
        server.serve_forever()
