"""A counter over HTTP, and every way in which a server can misbehave."""

import base64
import gzip
import hashlib
import http.server
import json
import os
import signal
import socket
import threading
import time

import redis

PORT = int(os.environ.get("PORT") or os.environ["API_PORT"])
COUNTER = redis.Redis.from_url(os.environ["REDIS_URL"])
WEBSOCKET = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        print("api:", *args[1:])

    def do_GET(self):
        path, _, value = self.path.partition("?")
        method = getattr(self, "get_" + path.strip("/"), None)
        if method is None:
            return self.answer(b"", 404)
        method(value)

    def do_POST(self):
        self.answer(json.dumps(COUNTER.incr("count")).encode())

    def answer(self, body, status=200, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def get_health(self, _):
        self.answer(b"ok")

    def get_env(self, name):
        self.answer(os.environ.get(name, "").encode())

    def get_peek(self, _):
        try:
            self.answer(COUNTER.get("count") or b"0")
        except redis.ConnectionError as error:
            self.answer(str(error).encode(), 503)

    def get_write(self, name):
        open(name, "w").close()
        self.answer(b"")

    def get_files(self, _):
        self.answer(json.dumps(sorted(os.listdir("."))).encode())

    def get_slow(self, seconds):
        time.sleep(float(seconds))
        self.answer(b"late")

    def get_gzip(self, _):
        self.answer(gzip.compress(b"small" * 1000), Content_Encoding="gzip")

    def get_bomb(self, megabytes):
        packer = gzip.zlib.compressobj(wbits=31)
        body = b"".join(packer.compress(bytes(1 << 20)) for _ in range(int(megabytes)))
        self.answer(body + packer.flush(), Content_Encoding="gzip")

    def get_charset(self, _):
        body = gzip.zlib.compress(bytes(1 << 20))
        self.answer(body, Content_Type="text/plain; charset=zlib")

    def get_endless(self, _):
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(bytes(1 << 16))

    def get_headers(self, count):
        self.answer(b"", **{f"X-{number}": "x" for number in range(int(count))})

    def get_closed(self, _):
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def get_garbage(self, _):
        self.wfile.write(b"this is not HTTP\r\n\r\n")
        self.close_connection = True

    def get_drip(self, _):
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.2)

    def get_away(self, target):
        self.answer(b"", 302, Location=target)

    def get_crash(self, _):
        print("the end is near")
        os._exit(3)

    def get_hog(self, _):
        kept = []
        while True:
            kept.append(bytearray(4_000_000))

    def get_shout(self, _):
        print("x" * 200_000)
        self.answer(b"")

    def get_events(self, _):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for number in range(3):
            self.wfile.write(b"data: %d\n\n" % number)
            self.wfile.flush()
            time.sleep(0.1)
        self.close_connection = True

    def get_chat(self, _):
        """A WebSocket that echoes short texts (RFC 6455), and says nothing to 'hush'."""
        key = hashlib.sha1(self.headers["Sec-WebSocket-Key"].encode() + WEBSOCKET).digest()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(key).decode())
        self.end_headers()
        self.close_connection = True
        while head := self.rfile.read(2):
            mask, size = self.rfile.read(4), head[1] & 127
            text = bytes(c ^ mask[i % 4] for i, c in enumerate(self.rfile.read(size)))
            if text == b"leave" or head[0] & 15 == 8:
                return
            if text != b"hush":
                self.wfile.write(bytes([129, len(text)]) + text)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = False  # the end waits for the requests that are under way


def drain(*_):
    print("draining")
    threading.Thread(target=server.shutdown).start()


server = Server(("127.0.0.1", PORT), Handler)
signal.signal(signal.SIGTERM, drain)
print("api listens")
server.serve_forever()
server.server_close()
print("drained")
