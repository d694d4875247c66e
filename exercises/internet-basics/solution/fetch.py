"""A resolver and an HTTP client on sockets."""

import secrets
import socket
import ssl
import struct
import time
from urllib.parse import urljoin, urlsplit

TYPE_A, TYPE_CNAME, CLASS_IN = 1, 5, 1
RECURSION_DESIRED, TRUNCATED, RESPONSE = 0x0100, 0x0200, 0x8000
TRIES = 3
MOST_ALIASES = 8
MOST_REDIRECTS = 5
LONGEST_HEAD = 65_536


# DNS


def encode_name(name):
    labels = [label.encode("ascii") for label in name.rstrip(".").split(".")]
    if not all(1 <= len(label) <= 63 for label in labels):
        raise ValueError(f"not a name: {name}")
    encoded = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    if len(encoded) > 255:
        raise ValueError(f"too long: {name}")
    return encoded


def encode_query(number, name):
    header = struct.pack("!6H", number, RECURSION_DESIRED, 1, 0, 0, 0)
    return header + encode_name(name) + struct.pack("!2H", TYPE_A, CLASS_IN)


def read_name(message, at):
    """The name at a place of a message, and the place behind it."""
    labels, behind, jumps = [], None, 0
    while True:
        length = message[at]
        if length >= 0xC0:
            jumps += 1
            if jumps > 64:
                raise ValueError("a name that points to itself")
            behind = at + 2 if behind is None else behind
            at = struct.unpack_from("!H", message, at)[0] & 0x3FFF
        elif length == 0:
            return ".".join(labels).lower(), at + 1 if behind is None else behind
        else:
            labels.append(message[at + 1 : at + 1 + length].decode("ascii"))
            at += 1 + length


def read_answer(message):
    """(response code, truncated, addresses by name, aliases by name)."""
    _, flags, questions, answers, _, _ = struct.unpack_from("!6H", message)
    at = 12
    for _ in range(questions):
        at = read_name(message, at)[1] + 4
    addresses, aliases = {}, {}
    for _ in range(answers):
        name, at = read_name(message, at)
        kind, class_, _, length = struct.unpack_from("!2HIH", message, at)
        at += 10
        data = message[at : at + length]
        if len(data) < length:
            raise ValueError("a record is cut off")
        if (kind, class_) == (TYPE_A, CLASS_IN):
            addresses.setdefault(name, []).append(socket.inet_ntoa(data))
        elif (kind, class_) == (TYPE_CNAME, CLASS_IN):
            aliases[name] = read_name(message, at)[0]
        at += length
    return flags & 0xF, bool(flags & TRUNCATED), addresses, aliases


def is_answer_to(query, message):
    if len(message) < 12 or message[:2] != query[:2]:
        return False
    flags, questions = struct.unpack_from("!2H", message, 2)
    if not flags & RESPONSE or questions != 1:
        return False
    name, at = read_name(message, 12)
    asked, behind = read_name(query, 12)
    return name == asked and message[at : at + 4] == query[behind : behind + 4]


def ask_over_udp(query, server, wait):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(server)
        for _ in range(TRIES):
            sock.send(query)
            until = time.monotonic() + wait
            while (left := until - time.monotonic()) > 0:
                sock.settimeout(left)
                try:
                    message = sock.recv(65_535)
                except TimeoutError:
                    break
                try:
                    if is_answer_to(query, message):
                        return message
                except (IndexError, ValueError, struct.error):
                    continue  # whoever sent that, it is no answer
    raise TimeoutError("the name server does not answer")


def ask_over_tcp(query, server, wait):
    with socket.create_connection(server, timeout=wait * TRIES) as sock:
        sock.sendall(struct.pack("!H", len(query)) + query)
        with sock.makefile("rb") as stream:
            head = stream.read(2)
            message = stream.read(int.from_bytes(head, "big"))
    if len(head) < 2 or not is_answer_to(query, message):
        raise ValueError("the name server broke off")
    return message


def ask(name, server, wait):
    query = encode_query(secrets.randbelow(65_536), name)
    try:
        message = ask_over_udp(query, server, wait)
        code, truncated, addresses, aliases = read_answer(message)
        if truncated:
            code, _, addresses, aliases = read_answer(ask_over_tcp(query, server, wait))
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"an answer that cannot be read: {error}") from None
    if code != 0:
        raise LookupError(f"no such name: {name}")
    return addresses, aliases


def resolve(name, server, wait=0.5):
    server = tuple(server)
    name = name.rstrip(".").lower()
    seen = set()
    while True:
        addresses, aliases = ask(name, server, wait)
        asked = name
        while name not in addresses and name in aliases:
            seen.add(name)
            name = aliases[name]
            if name in seen or len(seen) > MOST_ALIASES:
                raise ValueError(f"aliases without end: {name}")
        if name in addresses:
            return addresses[name]
        if name == asked:
            raise LookupError(f"no address: {name}")


# HTTP


class Stream:
    """Bytes from a connection, until a moment and no longer."""

    def __init__(self, sock, until):
        self.sock = sock
        self.until = until
        self.data = b""

    def more(self):
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the server takes too long")
        self.sock.settimeout(left)
        part = self.sock.recv(65_536)
        self.data += part
        return bool(part)

    def line(self):
        while b"\n" not in self.data:
            if len(self.data) > LONGEST_HEAD or not self.more():
                raise ValueError("the answer ends within a line")
        line, _, self.data = self.data.partition(b"\n")
        return line.rstrip(b"\r").decode("latin-1")

    def exactly(self, count):
        while len(self.data) < count:
            if not self.more():
                raise ValueError("the answer ends too early")
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def to_the_end(self, limit):
        while self.more():
            if len(self.data) > limit:
                raise ValueError("the answer is too long")
        return self.data


def read_body(stream, status, headers, limit):
    if status in (204, 304):
        return b""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while size := int(stream.line().partition(";")[0], 16):
            if len(body) + size > limit:
                raise ValueError("the answer is too long")
            body += stream.exactly(size)
            stream.line()
        while stream.line():
            pass  # trailers
        return body
    if "content-length" in headers:
        size = int(headers["content-length"])
        if size > limit:
            raise ValueError("the answer is too long")
        return stream.exactly(size)
    body = stream.to_the_end(limit)
    if len(body) > limit:
        raise ValueError("the answer is too long")
    return body


def connected(url, server, ca, until):
    left = max(until - time.monotonic(), 0.01)
    port = url.port or (443 if url.scheme == "https" else 80)
    address = resolve(url.hostname, server, min(0.5, left / TRIES))[0]
    sock = socket.create_connection((address, port), timeout=max(until - time.monotonic(), 0.01))
    if url.scheme != "https":
        return sock
    try:
        context = ssl.create_default_context(cadata=ca)
        return context.wrap_socket(sock, server_hostname=url.hostname)
    except BaseException:
        sock.close()
        raise


def fetch_one(text, server, ca, until, limit):
    url = urlsplit(text)
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    with connected(url, server, ca, until) as sock:
        host = url.netloc.rpartition("@")[2]
        request = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        sock.sendall(request.encode("ascii"))
        stream = Stream(sock, until)
        version, status, *_ = stream.line().split(" ", 2)
        if not version.startswith("HTTP/1."):
            raise ValueError("this is not HTTP")
        headers = {}
        while line := stream.line():
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        body = read_body(stream, int(status), headers, limit)
    return {"url": text, "status": int(status), "headers": headers, "body": body}


def fetch(url, server, ca=None, seconds=5.0, limit=1_000_000):
    until = time.monotonic() + seconds
    for _ in range(MOST_REDIRECTS + 1):
        found = fetch_one(url, server, ca, until, limit)
        leads_on = found["status"] in (301, 302, 303, 307, 308)
        if not leads_on or "location" not in found["headers"]:
            return found
        following = urljoin(url, found["headers"]["location"])
        if url.startswith("https:") and not following.startswith("https:"):
            raise ValueError("led away from https")
        url = following
    raise ValueError("redirected too often")
