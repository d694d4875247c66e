"""JSON lines from the judge's streams, whatever frames they come in."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from grader.engine.docker.channel import MAX_LINE, Channel
from grader.errors import SessionLost


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    """The host's channel, and the engine's end of its connection."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    channel = Channel(ours)
    with theirs:
        yield channel, theirs
    channel.close()


Ends = tuple[Channel, socket.socket]


def frame(content: bytes, stream: int = 1) -> bytes:
    return struct.pack(">BxxxI", stream, len(content)) + content


def line(message: Any) -> bytes:
    return json.dumps(message).encode() + b"\n"


def test_a_message_is_one_line(ends: Ends) -> None:
    """What is sent starts on a line of its own, behind whatever was left half-written."""
    channel, judge = ends
    channel.send({"type": "ping", "text": "a\nb"})
    received = judge.recv(1000)
    assert received.startswith(b"\n")
    assert received.endswith(b"\n")
    (text,) = received.split()
    assert json.loads(text) == {"type": "ping", "text": "a\nb"}


def test_frames_may_be_cut_anywhere(ends: Ends) -> None:
    """A message arrives whole, though its frame and its line come in any parts."""
    channel, judge = ends
    messages = [{"number": 1}, {"text": "ü" * 20}]
    text = b"".join(map(line, messages))
    data = b"".join(frame(text[i : i + 7]) for i in range(0, len(text), 7))
    for cut in range(1, len(data)):
        judge.sendall(data[:cut])
        got = [channel.receive(0)]
        judge.sendall(data[cut:])
        while len([message for message in got if message]) < 2:
            got.append(channel.receive(1))
        assert [message for message in got if message] == messages


def test_several_messages_in_one_frame(ends: Ends) -> None:
    """Each is received by itself, in order."""
    channel, judge = ends
    judge.sendall(frame(line({"a": 1}) + b"\n\n" + line({"a": 2})))
    assert [channel.receive(1), channel.receive(0)] == [{"a": 1}, {"a": 2}]


def test_stderr_is_not_listened_to(ends: Ends) -> None:
    """Only stdout carries messages, also when both are mixed within a line."""
    channel, judge = ends
    text = line({"a": 1})
    noise = frame(b'{"forged": true}\n', stream=2)
    judge.sendall(frame(text[:4]) + noise + frame(text[4:]))
    assert channel.receive(1) == {"a": 1}
    assert channel.receive(0.01) is None


def test_what_is_no_message_is_passed_over(ends: Ends) -> None:
    """Empty lines and JSON that is no object say nothing."""
    channel, judge = ends
    judge.sendall(frame(b"\n  \n[1]\n3\n" + line({"a": 1})))
    assert channel.receive(1) == {"a": 1}


def test_no_message_in_time_is_none(ends: Ends) -> None:
    """Waiting ends when it was told to, also while half a message is there."""
    channel, judge = ends
    judge.sendall(frame(b'{"a"'))
    began = time.monotonic()
    assert channel.receive(0.1) is None
    assert 0.05 < time.monotonic() - began < 2
    judge.sendall(frame(b": 1}\n"))
    assert channel.receive(1) == {"a": 1}


def test_what_came_before_the_end_is_still_received(ends: Ends) -> None:
    """A judge that says its last and ends is heard, then lost."""
    channel, judge = ends
    judge.sendall(frame(line({"type": "finished"})))
    judge.close()
    assert channel.receive(1) == {"type": "finished"}
    with pytest.raises(SessionLost, match="ended"):
        channel.receive(1)


def test_sending_to_a_judge_that_is_gone(ends: Ends) -> None:
    """Nothing can be said to a container that ended."""
    channel, judge = ends
    judge.close()
    with pytest.raises(SessionLost, match="cannot be reached"):
        channel.send({"type": "ping"})


def test_a_half_line_of_an_earlier_run_is_no_message(ends: Ends) -> None:
    """The end of a line whose beginning another process read cannot be understood."""
    channel, judge = ends
    judge.sendall(frame(b'e": "passed"}\n'))
    with pytest.raises(SessionLost, match="not JSON"):
        channel.receive(1)


def test_a_line_without_end_is_not_kept(ends: Ends) -> None:
    """A judge that went wrong cannot fill the host's memory."""
    channel, judge = ends
    endless = frame(b"x" * 65536) * (MAX_LINE // 65536 + 1)
    sender = threading.Thread(target=judge.sendall, args=(endless,))
    sender.start()
    with pytest.raises(SessionLost, match="without an end"):
        channel.receive(30)
    sender.join()
