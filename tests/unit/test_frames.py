"""Frames between judge and sandbox: whole messages, or nothing, whatever arrives."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.agent import wire
from grader.agent.wire import BadData

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=60) | JSON_VALUES.map(lambda tree: json.dumps(tree).encode()))
def test_parsing_raises_bad_data_only(body: bytes) -> None:
    """Any bytes are an object or BadData."""
    with contextlib.suppress(BadData):
        assert isinstance(wire.parse(body), dict)


@pytest.mark.parametrize(
    "body",
    [b"", b"1", b"[]", b"{", b"[" * 200_000, b'{"a":NaN}', b'{"a":\xff}', b"1" * 5000],
    ids=["empty", "number", "list", "half", "deep", "nan", "not-utf-8", "digits"],
)
def test_what_is_no_bounded_object_is_refused(body: bytes) -> None:
    """Frames hold one JSON object, of numbers that can be read and not nested without end."""
    with pytest.raises(BadData):
        wire.parse(body)


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    here, there = socket.socketpair()
    here.settimeout(5)
    there.settimeout(5)
    with here, there:
        yield here, there


def test_frames_arrive_one_by_one(sockets: tuple[socket.socket, socket.socket]) -> None:
    """Two frames sent at once are two messages, then the end is EOFError."""
    here, there = sockets
    wire.send(here, {"number": 1})
    wire.send(here, {"text": "\ud800 ü"})
    here.shutdown(socket.SHUT_WR)
    assert wire.receive(there) == {"number": 1}
    assert wire.receive(there) == {"text": "\ud800 ü"}
    with pytest.raises(EOFError):
        wire.receive(there)


def test_a_frame_over_the_limit_is_refused_unread(
    sockets: tuple[socket.socket, socket.socket],
) -> None:
    """The length alone decides: nobody waits for, or keeps, four gigabytes."""
    here, there = sockets
    here.sendall(struct.pack(">I", 0xFFFFFFFF))
    with pytest.raises(BadData, match="over the limit"):
        wire.receive(there)
    wire.send(here, {"a": "x" * 20})
    with pytest.raises(BadData, match="limit of 10"):
        wire.receive(there, limit=10)


def test_half_a_frame_is_the_end(sockets: tuple[socket.socket, socket.socket]) -> None:
    """A connection that closes inside a frame gives no message."""
    here, there = sockets
    here.sendall(struct.pack(">I", 10) + b"{}")
    here.shutdown(socket.SHUT_WR)
    with pytest.raises(EOFError):
        wire.receive(there)
