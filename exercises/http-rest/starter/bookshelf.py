"""A bookshelf over HTTP. The tasks are in README.md.

Start it with:  PORT=8000 python3 bookshelf.py
Then try it:    curl -i http://127.0.0.1:8000/books
"""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    # One object of this class for each connection. For a GET request it calls do_GET, and so on;
    # the request is in self.command, self.path, self.headers and self.rfile.

    def not_written_yet(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b"The bookshelf is not written yet.\n"
        self.send_response(501)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = not_written_yet


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "8000"))
    print(f"The bookshelf is at http://127.0.0.1:{port}/books")
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
