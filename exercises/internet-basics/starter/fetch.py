"""A resolver and an HTTP client on sockets. The tasks are in README.md."""

import struct


def encode_query(number, name):
    """A DNS query for the IPv4 addresses of a name, as bytes."""
    # The header is there: number, flags, and how many questions and records follow.
    return struct.pack("!6H", number, 0, 0, 0, 0, 0)


def resolve(name, server, wait=0.5):
    """The IPv4 addresses of a name, asked of a name server."""
    print("resolve: not written yet")
    return []


def fetch(url, server, ca=None, seconds=5.0, limit=1_000_000):
    """What a server answers to a GET."""
    print("fetch: not written yet")
    return {"url": url, "status": 0, "headers": {}, "body": b""}
