"""Hidden tests of task 5: programs beside the submission hand it a file, and tell what came."""

import json

import pytest
from payments import event, line, plain, raw

START = """
import io, json, resource, sys
import calendar, collections, dataclasses, datetime, decimal, functools, hashlib, itertools, re
import typing

job = json.load(sys.stdin)
if "room" in job:  # the kernel holds the limit, which is set before the submission is imported
    with open("/proc/self/status") as status:
        (used,) = [int(line.split()[1]) * 1024 for line in status if line.startswith("VmData:")]
    resource.setrlimit(resource.RLIMIT_DATA, (used + job["room"], used + job["room"]))

from events import read_events

def tell(value):
    with open("told.json", "w") as file:
        json.dump(value, file, default=str)
"""

ALL = """
with open("lines.jsonl", "rb") as file:
    tell([[n, e and e["id"], problems] for n, e, problems in read_events(file)])
"""


def drive(solution, program, files=(), timeout=8, **job):
    """What the program has told, after reading the job on its standard input."""
    given = {"drive.py": START + program, **dict(files)}
    job = json.dumps(job).encode()
    result = solution.run(
        ["python3", "drive.py"], files=given, stdin=job, timeout=timeout, check=True
    )
    return result.json("told.json")


def read(solution, content):
    """[number, id of the event, problems] for each tuple that read_events yields."""
    told = drive(solution, ALL, files={"lines.jsonl": content})
    return [[number, name, [tuple(each) for each in problems]] for number, name, problems in told]


@pytest.mark.check(task="stream", points=2)
def test_every_line_has_its_number(solution, rng):
    """Each line gives its number and its event; blank lines are passed over, and counted."""
    first, second, third, fourth = (event(rng, id=f"p-{n}") for n in rng.sample(range(1000), 4))
    lines = [
        line(rng, first),
        b"",
        line(rng, second) + b"\r",
        b"   \t",
        line(rng, third),
        b"  " + line(rng, fourth),
    ]
    expected = [
        [n, each["id"], []] for n, each in ((1, first), (3, second), (5, third), (6, fourth))
    ]
    for about, end in (("", b"\n"), (", without a line feed at the end", b"")):
        got = read(solution, b"\n".join(lines) + end)
        assert got == expected, (
            f"The lines 1, 3, 5 and 6 are events, 2 and 4 are blank{about}. This is what came: "
            "number, id, problems."
        )
    fields = {**plain(third), "memo": "a\u2028b\x85c\u2029d"}
    given = json.dumps(fields, ensure_ascii=False).encode()
    got = read(solution, given + b"\n" + line(rng, first))
    assert got == [[1, third["id"], []], [2, first["id"], []]], (
        "Two lines; in a text of the first are U+2028, U+2029 and U+0085, which end lines of "
        "str.splitlines, and do not end a line of bytes. This is what came: number, id, problems."
    )


@pytest.mark.check(
    task="stream",
    points=3,
    needs=["test_every_line_has_its_number"],
    hint="What becomes of a generator when an exception leaves it? And what is left in the file "
    "when you stop reading in the middle of a line?",
)
def test_bad_lines_do_not_end_the_stream(solution, rng):
    """A line that cannot be read gives its problems, and the next one is read."""
    names = [f"p-{n}" for n in rng.sample(range(1000), 9)]
    good = [line(rng, event(rng, id=name)) for name in names]
    longest = raw(event(rng, id=names[7], memo=""))
    longest = longest.replace(b'"memo": ""', b'"memo": "' + b"x" * (65_536 - len(longest)) + b'"')
    lines = [
        (good[0], names[0], []),
        (b"{", None, [("", "syntax")]),
        (b"[" * 60_000, None, [("", "syntax")]),
        (good[1], names[1], []),
        (b"[]", None, [("", "type")]),
        (raw(event(rng), currency="eur", id=""), None, [("/currency", "value"), ("/id", "value")]),
        (good[2], names[2], []),
        (b'{"version": 1, "time": "', None, [("", "syntax")]),
        (b"x" * rng.randrange(65_537, 300_000), None, [("", "long")]),
        (good[3], names[3], []),
        (longest, names[7], []),
        (longest + b" ", None, [("", "long")]),
        (good[4] + b" " * 200_000, None, [("", "long")]),
        (longest, names[7], []),
    ]
    got = [
        [number, name, sorted(found)]
        for number, name, found in read(solution, b"\n".join(given for given, _, _ in lines))
    ]
    expected = [[n, name, found] for n, (_, name, found) in enumerate(lines, start=1)]
    assert got == expected, (
        "14 lines, of which 6 are events: number, id, problems of each. Two of the events, one in "
        "the last line, have 65,536 bytes, which is not too long."
    )


# Runs beside the submission. The next line is made when the event before it is known, so whoever
# reads ahead, in whatever way, has nothing to read.
FEEDER = """
import io
from events import read_events


class ReadTooFar(Exception):
    pass


class Lines(io.RawIOBase):
    def __init__(self):
        self.waiting = b""
        self.ended = False

    def readable(self):
        return True

    def readinto(self, room):
        if not self.waiting and not self.ended:
            raise ReadTooFar
        count = min(len(room), len(self.waiting))
        room[:count] = self.waiting[:count]
        self.waiting = self.waiting[count:]
        return count


class Feeder:
    def __init__(self):
        self.lines = Lines()
        self.events = None
        self.began_at_once = False
        try:
            self.events = iter(read_events(io.BufferedReader(self.lines)))
        except ReadTooFar:
            self.began_at_once = True

    def step(self, line):
        self.lines.waiting += line
        self.lines.ended = not line
        try:
            return next(self.events, None)
        except ReadTooFar:
            return "read too far"
"""


@pytest.mark.check(task="stream", points=2, needs=["test_every_line_has_its_number"])
def test_events_come_one_by_one(solution, rng):
    """read_events hands out an event before it reads the next line."""
    solution.run(["true"], files={"feeder.py": FEEDER}, check=True)
    feeder = solution.new("feeder:Feeder")
    assert feeder.began_at_once is False, (
        "read_events wanted a line before anybody asked for an event: use yield, and no list."
    )
    for number in range(1, 13):
        made = event(rng)
        got = feeder.step(line(rng, made) + b"\n")
        assert got == (number, made, []), (
            "read_events got one line, and should hand out its number, its event and no problem "
            "before it reads on: use yield, and no list."
        )
    assert feeder.step(b"") is None, "The file is at its end, but read_events goes on."


MEMORY = """
class Lines(io.RawIOBase):
    # A file that makes its content while it is read, one line at a time.
    def __init__(self, parts):
        self.parts, self.left = iter(parts), b""
    def readable(self):
        return True
    def readinto(self, room):
        if not self.left:
            self.left = next(self.parts, b"")
        count = min(len(room), len(self.left))
        room[:count] = self.left[:count]
        self.left = self.left[count:]
        return count

def line(n, **more):
    return json.dumps({**job["event"], "id": f"p-{n}", **more}).encode() + b"\\n"

def lines():
    for n in range(job["lines"]):
        number = n * job["a"] % 99991
        yield line(n, labels={"fill": f"{number:60000}"}, currency="EUR" if n % 3 else "eur")
    yield line("last of many")
    for n in range(job["pieces"]):
        yield b"x" * 65536
    yield b"\\n"
    yield line("last of all")

told, total, full = [], 0, False
try:
    for number, event, problems in read_events(io.BufferedReader(Lines(lines()), 65536)):
        if number > job["lines"] or problems and number < 3:
            told.append([number, event and event["id"], problems])
        elif event:
            total = (total * 31 + int(event["labels"]["fill"])) % 1000003
except MemoryError:
    full = True
tell([told, total, full])
"""
MEGABYTES = 24


@pytest.mark.check(
    task="stream",
    points=2,
    seconds=40,
    needs=["test_events_come_one_by_one", "test_bad_lines_do_not_end_the_stream"],
    hint="How much does `for line in file` read when no line feed comes? readline takes the most "
    "bytes that it may return.",
)
def test_memory_does_not_grow(solution, rng):
    """Neither many lines nor one endless line fill the memory."""
    count, pieces = 800, 800
    a = rng.randrange(1, 99_991)
    came, answer, full = drive(
        solution,
        MEMORY,
        timeout=30,
        room=MEGABYTES * 1024 * 1024,
        lines=count,
        pieces=pieces,
        a=a,
        event=json.loads(raw(event(rng))),
    )
    where = "in the line of 50 MB" if len(came) > 1 else f"in {count} lines of 60 KB"
    assert not full, f"{MEGABYTES} MB of memory were full somewhere {where}."
    expected = [
        [1, None, [["/currency", "value"]]],
        [count + 1, "p-last of many", []],
        [count + 2, None, [["", "long"]]],
        [count + 3, "p-last of all", []],
    ]
    assert came == expected, (
        f"After {count} lines came an event, a line of 50 MB, and another event. This is what "
        "read_events yielded for the first line and for these three: number, id, problems."
    )
    total = 0
    for n in range(count):
        total = (total * 31 + n * a % 99_991) % 1_000_003 if n % 3 else total
    assert answer == total, "Events of the many lines are wrong. (This is a checksum of them.)"
