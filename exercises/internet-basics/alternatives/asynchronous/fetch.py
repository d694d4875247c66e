"""The same with asyncio: streams, a protocol for datagrams, one deadline around everything."""

import asyncio
import os
import ssl
from urllib.parse import urljoin, urlparse


class Message:
    """A DNS message that is read from front to back."""

    def __init__(self, data):
        self.data = data
        self.position = 0

    def number(self, size):
        taken = self.data[self.position : self.position + size]
        if len(taken) < size:
            raise ValueError("cut off")
        self.position += size
        return int.from_bytes(taken, "big")

    def name(self, depth=0):
        if depth > 20:
            raise ValueError("pointers without end")
        parts = []
        while length := self.number(1):
            if length & 0b1100_0000 == 0b1100_0000:
                target = (length & 0b0011_1111) << 8 | self.number(1)
                elsewhere = Message(self.data)
                elsewhere.position = target
                return parts + elsewhere.name(depth + 1)
            part = self.data[self.position : self.position + length]
            if len(part) < length:
                raise ValueError("cut off")
            parts.append(part.lower())
            self.position += length
        return parts


def split(name):
    return [part.encode() for part in name.lower().rstrip(".").split(".")]


def encode_query(number, name):
    parts = [part.encode() for part in name.rstrip(".").split(".")]
    if any(len(part) not in range(1, 64) for part in parts):
        raise ValueError("a part of the name has a wrong length")
    question = b"".join(len(part).to_bytes(1, "big") + part for part in [*parts, b""])
    if len(question) > 255:
        raise ValueError("the name is too long")
    return (
        number.to_bytes(2, "big")
        + bytes.fromhex("0100 0001 0000 0000 0000")
        + question
        + b"\0\1\0\1"
    )


class Conversation(asyncio.DatagramProtocol):
    def __init__(self):
        self.inbox = asyncio.Queue()

    def datagram_received(self, data, addr):
        self.inbox.put_nowait(data)

    def error_received(self, exc):
        pass


def belongs(reply, query):
    try:
        theirs, ours = Message(reply), Message(query)
        same_id = theirs.number(2) == ours.number(2)
        is_reply = theirs.number(2) & 0x8000
        theirs.position = ours.position = 12
        same = theirs.name() == [part.lower() for part in ours.name()]
        return bool(same_id and is_reply and same and theirs.number(4) == ours.number(4))
    except ValueError:
        return False


async def exchange(query, server, wait):
    loop = asyncio.get_running_loop()
    transport, mail = await loop.create_datagram_endpoint(Conversation, remote_addr=server)
    try:
        for _ in range(3):
            transport.sendto(query)
            try:
                async with asyncio.timeout(wait):
                    while True:
                        reply = await mail.inbox.get()
                        if belongs(reply, query):
                            return reply
            except TimeoutError:
                continue
    finally:
        transport.close()
    raise TimeoutError("no name server")


async def exchange_whole(query, server):
    reader, writer = await asyncio.open_connection(*server)
    try:
        writer.write(len(query).to_bytes(2, "big") + query)
        size = int.from_bytes(await reader.readexactly(2), "big")
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError:
        raise ValueError("the name server hung up") from None
    finally:
        writer.close()


def records(reply):
    """(code, truncated, [(owner, type, data)]), where the data of an alias is its name."""
    message = Message(reply)
    message.position = 2
    flags, questions, answers = message.number(2), message.number(2), message.number(2)
    message.position = 12
    for _ in range(questions):
        message.name()
        message.number(4)
    found = []
    for _ in range(answers):
        owner, kind, class_ = message.name(), message.number(2), message.number(2)
        message.number(4)
        size = message.number(2)
        end = message.position + size
        if end > len(reply):
            raise ValueError("cut off")
        if class_ == 1 and kind == 5:
            found.append((owner, "alias", message.name()))
        elif class_ == 1 and kind == 1:
            found.append((owner, "address", ".".join(str(byte) for byte in reply[end - 4 : end])))
        message.position = end
    return flags & 15, flags & 0x200, found


async def look_up(name, server, wait):
    wanted, asked_for = split(name), []
    visited = []
    while wanted not in asked_for:
        asked_for.append(wanted)
        query = encode_query(int.from_bytes(os.urandom(2), "big"), b".".join(wanted).decode())
        code, truncated, found = records(await exchange(query, server, wait))
        if truncated:
            code, _, found = records(await exchange_whole(query, server))
        if code:
            raise LookupError(name)
        while True:
            addresses = [
                data for owner, kind, data in found if (owner, kind) == (wanted, "address")
            ]
            if addresses:
                return addresses
            alias = [data for owner, kind, data in found if (owner, kind) == (wanted, "alias")]
            if not alias:
                break
            visited.append(wanted)
            wanted = alias[0]
            if wanted in visited:
                raise ValueError("aliases in a circle")
        if wanted in asked_for:
            raise LookupError(f"{name} has no address")
    raise ValueError("aliases in a circle")


def resolve(name, server, wait=0.5):
    return asyncio.run(look_up(name, tuple(server), wait))


async def body_of(reader, status, headers, limit):
    if status in (204, 304):
        return b""
    if "chunked" in headers.get("transfer-encoding", ""):
        parts, total = [], 0
        while True:
            size = int((await reader.readuntil(b"\n")).split(b";")[0].strip(), 16)
            total += size
            if total > limit:
                raise ValueError("too long")
            if size == 0:
                while (await reader.readuntil(b"\n")).strip():
                    pass
                return b"".join(parts)
            parts.append((await reader.readexactly(size + 2))[:-2])
    size = int(headers.get("content-length", -1))
    if size > limit:
        raise ValueError("too long")
    if size >= 0:
        return await reader.readexactly(size)
    body = b""
    while part := await reader.read(min(65_536, limit + 1 - len(body))):
        body += part
        if len(body) > limit:
            raise ValueError("too long")
    return body


async def get(url, server, ca, limit):
    parts = urlparse(url)
    secure = parts.scheme == "https"
    address = (await look_up(parts.hostname, server, 0.5))[0]
    tls = {}
    if secure:
        tls = {"ssl": ssl.create_default_context(cadata=ca), "server_hostname": parts.hostname}
    reader, writer = await asyncio.open_connection(
        address, parts.port or (443 if secure else 80), **tls
    )
    try:
        target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        lines = [f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", "Accept: */*", "", ""]
        writer.write("\r\n".join(lines).encode())
        status = int((await reader.readuntil(b"\n")).split()[1])
        headers = {}
        while line := (await reader.readuntil(b"\n")).decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = await body_of(reader, status, headers, limit)
    except asyncio.IncompleteReadError:
        raise ValueError("the answer ends too early") from None
    finally:
        writer.transport.abort()
    return {"url": url, "status": status, "headers": headers, "body": body}


async def follow(url, server, ca, seconds, limit):
    async with asyncio.timeout(seconds):
        for _ in range(6):
            page = await get(url, server, ca, limit)
            if page["status"] not in {301, 302, 303, 307, 308} or "location" not in page["headers"]:
                return page
            before, url = url, urljoin(url, page["headers"]["location"])
            if before.startswith("https://") and url.startswith("http://"):
                raise ValueError("an open line")
    raise ValueError("too many redirects")


def fetch(url, server, ca=None, seconds=5.0, limit=1_000_000):
    return asyncio.run(follow(url, tuple(server), ca, seconds, limit))
