"""Frames and values between judge, agent and the learner's process, from whoever wants harm."""

from __future__ import annotations

import contextlib
import datetime
import functools
import json
import os
import socket
import struct
import threading
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.agent import main, wire
from grader.agent.interpreters import Interpreter
from grader.agent.wire import BadData, Opaque
from grader.judge import client as client_module
from grader.judge.client import AgentClient, HandleNumber, value_of
from grader.judge.errors import Broke
from grader.judge.forward import Forwards
from grader.judge.interpreter import Handle, Method
from grader.judge.solution import Solution
from grader.model.submission import Submission
from tests.fuzz.harness import MIB, Deep, bounded, expanded, fuzz, json_values, mutated, watched
from tests.unit.test_wire_bounds import JSON_TREES, TAGS

PLAIN = (
    *(type(None), bool, int, float, str, bytes, Decimal, Fraction, complex, uuid.UUID, Opaque),
    *(datetime.datetime, datetime.date, datetime.time, datetime.timedelta),
    *(HandleNumber, Handle, Method),
)
LEAVES = st.sampled_from(
    [
        "0x1",
        "0x" + "f" * 20_000,
        "sNaN",
        "1e999999999",
        "2020-01-01",
        "24:00:00",
        "AAAA",
        "=",
        "nan",
    ]
)
VALUES = json_values(LEAVES) | JSON_TREES
TAGGED = st.fixed_dictionaries({"$": st.sampled_from(TAGS)}, optional={"v": VALUES, "type": VALUES})
ANY = VALUES | TAGGED | st.lists(TAGGED, max_size=3)


def plain(value: Any) -> bool:
    """Whether it is made of classes that cannot lie, through and through."""
    if type(value) in (list, tuple, set, frozenset):
        return all(map(plain, value))
    if type(value) is dict:
        return all(plain(key) and plain(item) for key, item in value.items())
    return type(value) in PLAIN


@fuzz
@given(ANY)
def test_any_json_is_plain_values_or_bad_data(tree: Any) -> None:
    """Decoding raises BadData and nothing else."""
    data = expanded(tree)
    with watched(tree), contextlib.suppress(BadData):
        assert plain(wire.decode(data, handle=HandleNumber))


ROUND = st.recursive(
    st.one_of(
        *(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=9)),
        *(
            st.binary(max_size=9),
            st.decimals(allow_nan=False),
            st.dates(),
            st.datetimes(),
            st.uuids(),
        ),
        *(st.fractions(), st.timedeltas(), st.times(), st.complex_numbers(allow_nan=False)),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=4) | st.integers() | st.just("$"), inner, max_size=3),
        st.sets(st.integers() | st.text(max_size=4), max_size=4),
    ),
    max_leaves=10,
)


@fuzz
@given(ROUND)
def test_what_is_sent_arrives(value: Any) -> None:
    """Every plain value is the same on the other side."""
    near, far = socket.socketpair()
    with near, far, watched(value):
        wire.send(near, {"value": wire.encode(value)})
        found = wire.decode(wire.receive(far, within=5)["value"])
    assert found == value
    assert type(found) is type(value)


def framed(body: bytes, *, lie: int = 0) -> bytes:
    return struct.pack(">I", (len(body) + lie) & 0xFFFFFFFF) + body


SAMPLES = (
    framed(b'{"id":1,"value":[1,2.5,"x",null]}'),
    framed(b'{"id":1,"raised":{"type":"E","bases":["E"],"message":"m","args":[],"traceback":"t"}}'),
    framed(b'{"number":1,"broke":"timeout"}') + framed(b'{"number":2,"code":0,"stdout":"AA=="}'),
)
HARD = (
    *(
        framed(b'{"id":1,"value":1e999}'),
        framed(b'{"id":1,"value":' + b"[" * 700 + b"]" * 700 + b"}"),
    ),
    *(framed(b'{"id":1,"broke":' + b"[" * 450 + b"]" * 450 + b"}"), framed(b"[" * 5000)),
    *(framed(b'{"id":true}'), framed(b'{"id":[1]}'), framed(b"{}"), framed(b"[]"), framed(b"\xff")),
    *(framed(b'{"id":1,"value":"\\ud800"}'), framed(b'{"id":1,"value":NaN}'), b"\xff\xff\xff\xff"),
    *(framed(b'{"id":1,"value":' + b"9" * 4301 + b"}"), framed(b"x", lie=5), b"\0\0\0\0", b"\0"),
)


@fuzz
@given(mutated(*SAMPLES, also=HARD))
def test_any_bytes_are_frames_or_refused(stream: bytes) -> None:
    """A reader of frames gets objects, BadData, or the end."""
    near, far = socket.socketpair()
    near.settimeout(5)
    with near, far, watched(stream), contextlib.suppress(BadData, EOFError):
        near.sendall(stream)
        near.shutdown(socket.SHUT_WR)
        while True:
            assert isinstance(wire.receive(far, within=5), dict)


def test_a_message_of_very_many_parts_is_refused_before_it_is_parsed() -> None:
    """A frame within its limit would become most of a gigabyte."""
    body = b'{"a":[' + b",".join([b"{}"] * 3_000_000) + b"]}"
    with bounded(40 * MIB), pytest.raises(BadData, match="parts"):
        wire.parse(body)


# -- a hostile sandbox, and the judge -----------------------------------------------------------

FIELDS = ["value", "raised", "broke", "fault", "detail", "code", "interpreter", "stdout", "stderr"]
REPLIES = st.dictionaries(
    st.sampled_from([*FIELDS, "text", "content", "paths", "number"]),
    ANY
    | st.sampled_from(
        ["timeout", "output", "pids", "start", "answer", "AA==", 10**4000, -9, {"v": 1}]
    )
    | st.fixed_dictionaries({}, optional={"type": ANY, "bases": ANY, "message": ANY, "args": ANY}),
    max_size=4,
)
ASK: dict[str, Callable[[Solution], Any]] = {
    "call": lambda solution: solution.call("m:f", 1),
    "new": lambda solution: solution.new("m:C").size,
    "run": lambda solution: solution.run(["true"]).json(),
    "file": lambda solution: solution.run(["true"]).file("x"),
    "printed": lambda solution: solution.printed(),
    "reset": lambda solution: solution.reset(),
}


def answering(far: socket.socket, replies: list[Any], noise: bytes) -> None:
    """The sandbox's end: an answer for each request, then noise, then nothing."""
    with far, contextlib.suppress(OSError, EOFError, BadData):
        for reply in replies:
            number = wire.receive(far, within=0.2)["number"]
            body = json.dumps({"number": number, **reply}).encode()
            far.sendall(framed(body))
        wire.receive(far, within=0.2)
        far.sendall(noise)


@fuzz
@given(
    st.sampled_from(sorted(ASK)),
    st.lists(st.fixed_dictionaries({"interpreter": st.just(1)}) | REPLIES, max_size=4),
    mutated(*SAMPLES, also=HARD),
)
def test_a_hostile_sandbox(what: str, replies: list[Any], noise: bytes) -> None:
    """The judge gets plain values, or says that the program broke."""
    near, far = socket.socketpair()
    answers = [expanded(reply, 300) for reply in replies]
    thread = threading.Thread(target=answering, args=(far, answers, noise), daemon=True)
    solution = Solution(Submission(files=()).archive(), {}, Forwards())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client_module, "_connected", lambda *_: near)
        solution.client = AgentClient("", "")
    thread.start()
    try:
        with watched((what, replies, noise)), contextlib.suppress(Broke, AssertionError):
            assert plain(ASK[what](solution))
    finally:
        solution.client.close()
        thread.join(5)


# -- the agent's own socket, before anybody showed the key ---------------------------------------


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An agent that waits for its judge; when all is over the judge still gets in."""
    path = str(tmp_path_factory.mktemp("a") / "s")
    found: list[socket.socket] = []
    thread = threading.Thread(target=lambda: found.append(main.listen(path, "key")), daemon=True)
    thread.start()
    while not Path(path).exists():
        thread.join(0.01)
    yield path
    with connected(path) as judge:
        wire.send(judge, {"key": "key"})
        assert wire.receive(judge, within=30) == {}
    thread.join(10)
    assert len(found) == 1
    found[0].close()


def connected(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(20)
    sock.connect(path)
    return sock


KEYS = (
    *(
        framed(b'{"key":"key "}'),
        framed(b'{"key":"\\ud800"}'),
        framed(b'{"key":null}'),
        framed(b"{}"),
    ),
    *(framed(b'{"key":' + b"[" * 900 + b"]" * 900 + b"}"), framed(b'{"key":["key"]}')),
)


@fuzz
@given(mutated(*KEYS, *SAMPLES, also=(*HARD, *KEYS)))
def test_the_agent_without_the_key(agent: str, stream: bytes) -> None:
    """Whatever is said instead of the key, the connection ends and the agent waits on."""
    if b'"key":"key"' in stream.replace(b" ", b""):
        return
    with watched(stream), connected(agent) as sock, contextlib.suppress(OSError):
        sock.sendall(stream)
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b""


# -- the learner's process, and the agent ------------------------------------------------------


class NobodysZygote:
    """Starts nothing: it keeps the end of the socket that the learner's process would have."""

    def __init__(self) -> None:
        self.control = -1
        self.worker: list[str] = []

    def spawn(self, folder: str, env: object, fds: list[int]) -> int:
        self.control = os.dup(fds[0])
        return 2**30  # no process has this number

    def exit_code(self, pid: int, within: float) -> int | None:
        return 0


@fuzz
@given(
    mutated(*SAMPLES, also=HARD)
    | st.lists(
        st.fixed_dictionaries({"id": st.just(1) | ANY}, optional=dict.fromkeys(FIELDS, ANY)),
        max_size=3,
    )
)
def test_a_hostile_learners_process(sent: bytes | list[Any]) -> None:
    """What it says on the worker's socket reaches the judge as plain values, or as `broke`."""
    if isinstance(sent, bytes):
        stream = sent
    else:
        stream = b"".join(framed(json.dumps(expanded(one, 400)).encode()) for one in sent)
    zygote = NobodysZygote()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Interpreter, "kill", lambda _: None)  # there is no process to end
        hostile_answer(Interpreter(zygote, "/", {}, 1000), zygote, stream)  # type: ignore[arg-type]


def hostile_answer(interpreter: Interpreter, zygote: NobodysZygote, stream: bytes) -> None:
    """One call, answered with this stream, as far as the judge."""
    near, far = socket.socketpair()
    reply = functools.partial(main.Server(None, near)._reply, {"number": 7})  # type: ignore[arg-type]
    with near, far, watched(stream):
        interpreter.request({"op": "call"}, 20, reply)
        with socket.socket(fileno=zygote.control) as learner, contextlib.suppress(OSError):
            learner.sendall(stream)
        answer = wire.receive(far, within=15)
        assert answer["number"] == 7
        with contextlib.suppress(Broke):
            assert plain(value_of(answer, "f()", 5))


def test_deep_stands_for_nesting() -> None:
    """What the strategies call Deep is deep on the wire."""
    assert json.dumps(expanded(Deep(1), 50)).count("[") == 50
