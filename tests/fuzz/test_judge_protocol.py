"""What host and judge say to each other, torn, forged or garbled, on both sides."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader import events
from grader.engine.base import Message, SessionSpec
from grader.engine.docker.channel import Channel
from grader.engine.fake import FakeEngine, FakeSession
from grader.errors import GraderError, SessionLost
from grader.grade import GradeOptions, grade
from grader.model.exercise import Exercise
from grader.model.progress import Listener
from grader.report.jsonform import to_json
from grader.report.terminal import to_text
from tests.fuzz.harness import MIB, bounded, expanded, fuzz, json_values, mutated, watched
from tests.unit.samples import SUBMISSION, Recorder, check, exercise

# -- the host reads the judge's stream ----------------------------------------------------------


def frame(content: bytes, stream: int = 1, *, lie: int = 0) -> bytes:
    return struct.pack(">BxxxI", stream, (len(content) + lie) & 0xFFFFFFFF) + content


STREAMS = (
    frame(b'{"type":"ready"}\n')
    + frame(b'{"type":"pong","id":"a"}\n{"type":"finished","run":"x"}\n'),
    frame(b'{"type":"out') + frame(b"noise\n", 2) + frame(b'come","check":"\\u0000"}\n'),
)
TORN = (
    *(frame(b"[" * 5000 + b"\n"), frame(b"\n" * 3000), frame(b"NaN\n"), frame(b"9" * 5000 + b"\n")),
    *(
        frame(b"", 1, lie=2**31),
        frame(b"x", lie=2**32 - 2),
        frame(b""),
        frame(b"\xff\n"),
        frame(b"{\n"),
    ),
    *(frame(b"{}\n", 0), frame(b"{}\n", 255), frame(b'"\\ud800"\n'), b"\1", b"\0" * 8, b"\n"),
)


@fuzz
@given(mutated(*STREAMS, also=TORN), st.integers(1, 400))
def test_the_host_reads_any_stream(stream: bytes, part: int) -> None:
    """Objects, or the session is lost."""
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    with theirs, contextlib.closing(channel), watched(stream), contextlib.suppress(SessionLost):
        for place in range(0, len(stream), part):
            theirs.sendall(stream[place : place + part])
            while (message := channel.receive(0.001)) is not None:
                assert isinstance(message, dict)
        theirs.shutdown(socket.SHUT_WR)
        while channel.receive(5) is not None:
            pass
        raise AssertionError("the end was not noticed")


def flood(first: bytes, part: bytes, times: int) -> None:
    """So many parts, and the end."""
    ours, theirs = socket.socketpair()
    channel = Channel(ours)

    def send() -> None:
        with theirs, contextlib.suppress(OSError):
            theirs.sendall(first)
            for _ in range(times):
                theirs.sendall(part)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    with contextlib.closing(channel), contextlib.suppress(SessionLost):
        while True:
            channel.receive(5)
    thread.join(5)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("first", "part", "times"),
    [
        (frame(b"", 1, lie=2**32 - 2), b"x" * 65_536, 1000),
        (frame(b"", 2, lie=2**32 - 2), b"x" * 65_536, 1000),
        (b"", frame(b"\n" * 65_000), 6),
        (b"", frame(b"[1]\n" * 16_000), 6),
        (b"", frame(b"") * 8_000, 20),
    ],
    ids=["frame", "stderr", "lines", "lists", "frames"],
)
def test_a_flood_costs_the_host_a_bounded_amount(first: bytes, part: bytes, times: int) -> None:
    """A frame of four gigabytes, and lines by the million."""
    with bounded(48 * MIB), watched(part[:40], seconds=40):
        flood(first, part, times)


# -- the host acts on the judge's events --------------------------------------------------------


class HostileSession(FakeSession):
    """A judge that says what it is told to say."""

    def send(self, message: Message) -> None:
        self.sent.append(message)
        engine = self._engine
        assert isinstance(engine, HostileEngine)
        if message["type"] == "run":
            self._queue.extend({"run": message["run"], **one} for one in engine.says)

    def receive(self, timeout: float) -> Message | None:
        assert 0 < timeout < 10**6 + 1000
        return self._queue.popleft() if self._queue else None

    def reference(self) -> HostileSession:
        return HostileSession(self._engine, self.spec)


class HostileEngine(FakeEngine):
    def __init__(self, says: list[dict[str, Any]]) -> None:
        super().__init__()
        self.says = says

    @contextlib.contextmanager
    def session(
        self, spec: SessionSpec, listener: Listener, *, fresh: bool = False
    ) -> Iterator[FakeSession]:
        yield HostileSession(self, spec)


CHECKS = [check("test_a", needs=[]), check("test_b", needs=["test_a"], hint=None, show="hidden")]
ENDED = {"type": "outcome", "outcome": "passed", "ratio": 1.0, "begin": 10.0, "end": 11.0}
GOOD: list[dict[str, Any]] = [
    {"type": "collected", "checks": CHECKS},
    {"type": "started", "check": "test_a"},
    {"type": "running", "check": "test_a", "seconds": 10.0},
    {**ENDED, "check": "test_a"},
    {**ENDED, "check": "test_b", "outcome": "failed", "ratio": 0.5, "given": [["a", "b"]]},
    {"type": "finished"},
]
OTHERS: list[dict[str, Any]] = [
    {"type": "request", "id": 1, "name": "sandbox"},
    {"type": "request", "id": 1, "name": "reference"},
    {"type": "request", "id": 1, "name": "reference_reset"},
    {"type": "request", "id": 1, "name": []},
    {"type": "fault", "message": "m", "author": True},
    {"type": "fault", "message": "m", "author": False},
    {**ENDED, "check": "test_a", "outcome": "unexpected"},
    {**ENDED, "check": "test_a", "outcome": "error", "message": "\x1b[2J"},
    {**ENDED, "check": "nobody"},
    {**ENDED, "check": "test_a", "ratio": 1e308},
    {**ENDED, "check": "test_a", "begin": float("nan")},
    {"type": "running", "check": "test_a", "seconds": float("inf")},
    {"type": "collected", "checks": [{**CHECKS[0], "points": 1e308}]},
    {"type": "collected", "checks": []},
    {"type": ["outcome"]},
    {},
]
NAMES = sorted({key for event in GOOD + OTHERS for key in event} | set(CHECKS[0]))
EDIT = st.tuples(
    st.sampled_from(["set", "drop", "twice", "insert", "remove"]),
    st.integers(0, 20),
    st.sampled_from(NAMES),
    json_values(st.sampled_from(["test_a", "passed", "failed", "hidden", 0.5, [["a"]], [{}]])),
    st.sampled_from(OTHERS),
)


def edited(edits: list[tuple[str, int, str, Any, dict[str, Any]]]) -> list[dict[str, Any]]:
    """The good events with some of them spoiled."""
    said = [dict(event) for event in GOOD]
    for kind, at, name, value, other in edits:
        place = at % (len(said) or 1)
        if kind == "insert" or not said:
            said.insert(place, dict(other))
        elif kind == "set" and name in CHECKS[0] and said[place].get("type") == "collected":
            said[place]["checks"] = [{**CHECKS[0], name: expanded(value)}]
        elif kind == "set":
            said[place][name] = expanded(value)
        elif kind == "drop":
            said[place].pop(name, None)
        elif kind == "twice":
            said.insert(place, said[place])
        else:
            del said[place]
    return said


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Exercise:
    return exercise(tmp_path_factory.mktemp("exercise"), *CHECKS)


@fuzz
@given(st.lists(EDIT, max_size=4))
def test_the_host_grades_with_any_judge(made: Exercise, edits: Any) -> None:
    """A report that can be shown, whose score is one; or an error of ours, never a traceback."""
    said = edited(edits)
    with watched(edits), contextlib.suppress(GraderError):
        report = grade(made, SUBMISSION, HostileEngine(said), GradeOptions(seed=1), Recorder())
        assert report.score is None or 0 <= report.score <= 100
        assert 0 <= report.earned <= report.points + 1e-6
        assert 0 <= report.seconds < 1e12
        to_text(report)
        json.loads(to_json(report))


@pytest.mark.parametrize("event", OTHERS, ids=lambda event: json.dumps(event)[:60])
def test_an_event_is_one_or_the_session_is_lost(event: dict[str, Any]) -> None:
    """Each of the spoiled ones alone."""
    with contextlib.suppress(SessionLost):
        events.read(event)


def test_an_outcome_told_twice_counts_once(made: Exercise) -> None:
    """A judge that repeats itself is lost, and its points do not add up."""
    said = [*GOOD[:-1], GOOD[3], GOOD[-1]]
    report = grade(made, SUBMISSION, HostileEngine(said), GradeOptions(seed=1), Recorder())
    assert report.score is None
    assert "told twice" in report.error


# -- the judge's parent -------------------------------------------------------------------------


class Parent:
    """The judge's parent process, in a process of its own."""

    def __init__(self, folder: Path) -> None:
        driver = Path(__file__).with_name("parent_driver.py")
        self._process = subprocess.Popen(
            [sys.executable, str(driver), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        self._buffer = b""
        self._number = 0
        assert self.next()["type"] == "ready"

    def say(self, content: bytes) -> None:
        assert self._process.stdin
        left = memoryview(content)
        while left:
            left = left[self._process.stdin.write(left) or 0 :]

    def next(self) -> dict[str, Any]:
        assert self._process.stdout
        until = time.monotonic() + 30
        while b"\n" not in self._buffer:
            ready = select.select([self._process.stdout], [], [], max(until - time.monotonic(), 0))[
                0
            ]
            part = os.read(self._process.stdout.fileno(), 1 << 20) if ready else b""
            assert part, f"the parent ended or hangs: {self._process.poll()}"
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\n")
        found: dict[str, Any] = {}
        with contextlib.suppress(RecursionError):  # our stack is higher than the parent's
            found = json.loads(line)
        return found

    def until(self, **wanted: Any) -> list[dict[str, Any]]:
        """What it says, to the message that has these parts."""
        said = [self.next()]
        while {key: said[-1].get(key) for key in wanted} != wanted:
            said.append(self.next())
        return said

    def answers(self) -> list[dict[str, Any]]:
        self._number += 1
        name = f"ping {self._number}"
        self.say(b"\n" + json.dumps({"type": "ping", "id": name}).encode() + b"\n")
        return self.until(type="pong", id=name)

    def memory(self) -> int:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(row.split()[1]) for row in status.splitlines() if row.startswith("VmRSS"))

    def end(self) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        code = self._process.wait(30)
        self._process.stdout.close()
        return code


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parent]:
    """One for all inputs: it ends well, and holds no more than it did."""
    started = Parent(tmp_path_factory.mktemp("parent"))
    started.answers()
    before = started.memory()
    yield started
    started.answers()
    assert started.memory() - before < 100 * 1024
    assert started.end() == 0


def line(message: object) -> bytes:
    return json.dumps(message).encode() + b"\n"


NUMBERS: list[object] = [None, "x", [], -1, 1e300, 10**400]


FROM_HOST = (
    line({"type": "lease", "seconds": 100}) + line({"type": "ping", "id": 1}),
    line({"type": "cancel"}) + line({"type": "reply", "id": 1}) + line({"type": "ready"}),
)
HOSTS_TORN = (
    *(b"[" * 5000 + b"\n", b"\n" * 3000, b"NaN\n", b"9" * 5000 + b"\n", b"\xff\n", b"{\n", b"\0\n"),
    *(line({"type": "lease", "seconds": value}) for value in NUMBERS),
    *(
        line({"type": "run"}),
        line({"type": "run", "run": 5}),
        line({"type": []}),
        line([]),
        line({}),
    ),
    *(
        line({"type": "lease"}),
        b'{"type":"lease","seconds":1e999}\n',
        b'{"type":"lease","seconds":NaN}\n',
    ),
    *(
        line({"type": "ping"}),
        b'{"type":"ping","id":"\\ud800"}\n',
        line({"type": "run", "run": "r"}),
    ),
)


@fuzz
@given(mutated(*FROM_HOST, also=HOSTS_TORN))
def test_the_parent_reads_any_line_of_the_host(parent: Parent, content: bytes) -> None:
    """After each of them it answers."""
    with watched(content, seconds=30):
        parent.say(content)
        assert parent.answers()


# as deep as can just be read: writing it again needs a little more
DEEP = [b"[" * depth + b"]" * depth for depth in (300, 600, 900, 960, 975, 980, 985, 990)]
EVENTS = b"".join(line(event) for event in GOOD)
CHILDS_TORN = (
    *(b'{"type":' + deep + b"}\n" for deep in DEEP),
    *(b'{"type":"request","id":' + deep + b"}\n" for deep in DEEP),
    *(b"[" * 5000 + b"\n", b"\n" * 3000, b"NaN\n", b"\xff\n", b"{\n", line([]), line({}), b"{"),
    *(line({"type": kind}) for kind in ("started", "running", "outcome", "request", ["x"], None)),
    *(line({"type": "running", "seconds": value}) for value in NUMBERS),
    b'{"type":"running","seconds":NaN}\n',
    line({"type": "outcome", "check": [], "outcome": "passed", "begin": 0, "end": 1}),
    line({"type": "started", "check": {}}),
)


@fuzz
@given(mutated(EVENTS, EVENTS[:-1], also=CHILDS_TORN))
def test_the_parent_reads_anything_of_a_run(parent: Parent, content: bytes) -> None:
    """A run's process that says nonsense is one fault of that run; the parent answers on."""
    message = {"type": "run", "run": "token", "bytes": base64.b64encode(content).decode()}
    with watched(content, seconds=30):
        parent.say(line(message) + line({"type": "ping", "id": "begun"}))
        parent.until(type="pong", id="begun")
        parent.say(line({"type": "cancel"}))
        for said in parent.answers():
            assert said.get("run", "token") == "token"


@pytest.mark.parametrize("deep", DEEP, ids=len)
def test_the_parent_cannot_be_nested_to_death(parent: Parent, deep: bytes) -> None:
    """What it can read and not write again is no message."""
    for kind in (b'"ping"', b'"reply"', deep):
        parent.say(b'{"type":' + kind + b',"id":' + deep + b"}\n")
        assert parent.answers()
        content = b'{"type":' + kind + b',"id":' + deep + b"}\n"
        message = {"type": "run", "run": "t", "bytes": base64.b64encode(content).decode()}
        parent.say(line(message))
        parent.until(type="fault")
        assert parent.answers()


def test_a_run_that_says_nonsense_is_a_fault(parent: Parent) -> None:
    """The host hears of it, with the run's token."""
    nonsense = base64.b64encode(b'{"type": "outcome"}\n').decode()
    parent.say(line({"type": "run", "run": "t", "bytes": nonsense}))
    said = parent.until(type="fault")
    assert said[-1]["run"] == "t"
    assert said[-1]["author"] is False
    assert "not understood" in said[-1]["message"]
