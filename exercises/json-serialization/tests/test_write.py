"""Hidden tests of tasks 3 and 4."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from payments import (
    TEXTS,
    as_text,
    canonical,
    check_event,
    check_line,
    event,
    further_value,
    line,
    plain,
    problems,
    shape,
    shuffled,
)

ENCODE, DECODE = "events:encode", "events:decode"


# 3. Write an event


@pytest.mark.check(task="write", points=3)
def test_writes_the_one_form(solution, rng):
    """encode writes an event as one line of UTF-8, always in the same form."""
    for n in range(6):
        labels = dict(zip(rng.sample(TEXTS, 4), rng.sample(TEXTS, 4), strict=True))
        made = event(rng, labels=labels, Zone=[None, True, {"b": 2**70, "a": -1}], zone="é")
        if n == 0:
            made["at"] = made["at"].replace(microsecond=0)  # isoformat() leaves the digits out
        got = solution.call(ENCODE, shuffled(rng, made))
        assert isinstance(got, bytes), "encode should return bytes."
        fields = [name.encode() for name in sorted(made)]
        places = [got.find(b'"' + name + b'":') for name in fields]
        assert places == sorted(places), (
            f"The fields should be sorted: {', '.join(sorted(made))}. This is where each begins."
        )
        check_line(got, canonical(made), f"The event is {made!r}.")


@pytest.mark.check(task="write", points=2, needs=["test_writes_the_one_form"])
def test_equal_events_give_equal_bytes(solution, rng):
    """The order of fields, the time zone and the zeros of an amount make no difference."""
    made = event(rng, amount=Decimal(rng.randrange(1, 900)))
    expected = canonical(made)
    forms = {"the fields in another order": shuffled(rng, made)}
    for minutes in (90, -420):
        zone = timezone(timedelta(minutes=minutes))
        forms[f"at in the time zone {zone}"] = {**made, "at": made["at"].astimezone(zone)}
    for amount in (f"{made['amount']}.0", f"{made['amount']}.0000"):
        forms[f"the amount {amount}"] = {**made, "amount": Decimal(amount)}
    for name, form in forms.items():
        got = solution.call(ENCODE, form)
        check_line(got, expected, f"The same event, but with {name}.")
        got = solution.call("events:fingerprint", form)
        assert got == hashlib.sha256(expected).hexdigest(), (
            f"The same event, but with {name}: this is its fingerprint, which is the SHA-256 of "
            "the bytes, in hexadecimal."
        )
    got = solution.call(ENCODE, {**made, "amount": Decimal("-0.00")})
    zero = canonical({**made, "amount": Decimal(0)})
    check_line(got, zero, "Minus zero and zero are the same amount; this is minus zero.")


ROUND_TRIP = """
import json, sys
from copy import deepcopy
from events import decode, encode

wrong, changed = [], []
for line in sys.stdin.buffer:
    event = decode(line)
    before = deepcopy(event)
    written = encode(event)
    (changed if event != before else wrong if decode(written) != before else []).append(
        [line.decode(), written.decode()]
    )
with open("wrong.json", "w") as file:
    json.dump([wrong[:1], changed[:1]], file)
"""


@pytest.mark.check(task="write", points=3, needs=["test_writes_the_one_form"])
def test_what_is_written_can_be_read(solution, rng):
    """What encode has written, decode reads as the same event, with all further fields."""
    for _ in range(12):
        expected = event(rng, extra=[further_value(rng, 3) for _ in range(4)])
        expected["items"].append({"sku": "rye", "count": 1, "rate": Decimal("0.190")})
        written = solution.call(ENCODE, expected)
        assert isinstance(written, bytes), "encode should return bytes."
        assert b"\n" not in written, f"There is a line feed in the line {written!r}."
        got = solution.call(DECODE, written)
        for name, right in expected.items():
            value = got.get(name, "(missing)")
            about = f"The field {name} was written in the line {as_text(written)}"
            assert shape(value) == shape(right), (
                f"These are the types in a field that was written, when it is read. {about}"
            )
            assert value == right, f"This is a field that was written, when it is read. {about}"
    lines = b"\n".join(line(rng, event(rng, extra=further_value(rng))) for _ in range(40))
    result = solution.run(
        ["python3", "round_trip.py"], files={"round_trip.py": ROUND_TRIP}, stdin=lines, check=True
    )
    wrong, changed = result.json("wrong.json")
    assert changed == [], "encode has changed the event it was given. This was its line."
    assert wrong == [], "These lines, as read and as written, are different events."


@pytest.mark.check(
    task="write",
    points=3,
    needs=["test_writes_the_one_form"],
    hint="json.dumps with allow_nan=False raises, but does not say where. A function that writes a "
    "value, and calls itself for what is inside, can carry the pointer along.",
)
def test_refuses_what_cannot_be_written(solution, rng):
    """What decode would not read back is refused, with a pointer."""
    naive = datetime(2026, 3, 1, 9, 15)
    nan, infinite = float("nan"), float("inf")
    wrong = [
        ({"at": naive}, "/at", "value"),
        ({"at": "2026-03-01T09:15:00Z"}, "/at", "type"),
        ({"amount": 12.5}, "/amount", "type"),
        ({"amount": 12}, "/amount", "type"),
        ({"amount": Decimal("12.345")}, "/amount", "value"),
        ({"amount": Decimal("NaN")}, "/amount", "value"),
        ({"amount": Decimal("Infinity")}, "/amount", "value"),
        ({"currency": "eur"}, "/currency", "value"),
        ({"items": [{"sku": "rye", "count": 0}]}, "/items/0/count", "value"),
        ({"labels": {"till": 7}}, "/labels/till", "type"),
        ({"x": [1, nan]}, "/x/1", "value"),
        ({"x": {"a/b": -infinite}}, "/x/a~1b", "value"),
        ({"x": [{"y": Decimal("NaN")}]}, "/x/0/y", "value"),
        ({"x": [[], "\ud83d"]}, "/x/1", "value"),
        ({"x": "the first \ud800"}, "/x", "value"),
        ({"x": "the last \udfff"}, "/x", "value"),
        ({"x": {"y": {1, 2}}}, "/x/y", "type"),
        ({"x": {"till", "door"}}, "/x", "type"),
        ({"x": b"bytes"}, "/x", "type"),
    ]
    for fields, pointer, reason in rng.sample(wrong, len(wrong)):
        about = f"An event with {fields!r}"
        got = problems(solution, "encode", event(rng, **fields), about=about)
        assert got == [(pointer, reason)], f"{about}: these are the reported problems."


# 4. Old and new versions


def old(rng, made, **fields):
    """The line of version 1 for an event, and the event as decode should give it."""
    seconds, cents = int(made["at"].timestamp()), int(f"{made['amount']:.2f}".replace(".", ""))
    line = {**made, "version": 1, "time": seconds, "cents": cents}
    del line["at"], line["amount"]
    text = json.dumps(shuffled(rng, {**line, **fields})).encode()
    return text, {**made, "at": made["at"].replace(microsecond=0)}


@pytest.mark.check(task="versions", points=3)
def test_reads_version_1(solution, rng):
    """An event of version 1 is checked, and returned in the form of version 2."""
    for cents in (rng.randrange(100, 10**6), rng.randrange(1, 10), -rng.randrange(101, 10**4), -5):
        made = event(rng, amount=Decimal(cents).scaleb(-2), shop=rng.randrange(99))
        if cents == -5:
            made["at"] = datetime(1970, 1, 1, tzinfo=UTC)  # time is 0 then
        given, expected = old(rng, made)
        got = solution.call(DECODE, given)
        check_event(got, expected, f"The line {given.decode()} is read.")
        assert str(got["at"]) == str(expected["at"]), "at should be in UTC."
    wrong = [
        ({"time": -1}, [("/time", "value")]),
        ({"time": True}, [("/time", "type")]),
        ({"time": "1772356500"}, [("/time", "type")]),
        ({"cents": "1250"}, [("/cents", "type")]),
        ({"cents": 12.5, "currency": "eur"}, [("/cents", "type"), ("/currency", "value")]),
    ]
    for fields, expected in wrong:
        given, _ = old(rng, event(rng), **fields)
        got = problems(solution, "decode", given, about=f"The line {given.decode()}")
        assert got == expected, f"These problems are reported. The line is {given.decode()}"
    given = json.dumps({**plain(event(rng, labels={})), "version": 1}).encode()
    got = problems(solution, "decode", given, about="Version 1 with the fields of version 2")
    assert got == [("/cents", "missing"), ("/time", "missing")], (
        "An event of version 1 with at and amount, the fields of version 2: these are the problems."
    )


@pytest.mark.check(task="versions", points=2, needs=["test_what_is_written_can_be_read"])
def test_keeps_what_it_does_not_know(solution, rng):
    """An event of a higher version keeps its version and its further fields."""
    for version in (3, rng.randrange(4, 2**31)):
        made = event(rng, version=version, payer={"id": rng.randrange(99), "tags": ["a", None]})
        for item in made["items"]:
            item["vat"] = rng.randrange(1, 25)
        got = solution.call(DECODE, line(rng, made))
        check_event(got, made, f"An event of version {version} is read.")
        got = solution.call(ENCODE, got)
        check_line(got, canonical(made), f"An event of version {version}, read and written again.")


@pytest.mark.check(task="versions", points=3, needs=["test_reads_version_1"])
def test_writes_version_1(solution, rng):
    """encode(event, version=1) writes what old programs read."""
    for cents in (rng.randrange(100, 10**6), 7, -3, -rng.randrange(101, 10**4), 0):
        made = event(rng, amount=Decimal(cents).scaleb(-2), version=rng.choice([2, 3]), x=[None])
        made["at"] = made["at"].replace(microsecond=rng.randrange(500_001, 999_999))
        _, expected = old(rng, made)
        fields = {**plain(made), "version": 1, "cents": cents}
        fields["time"] = (made["at"] - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
        del fields["at"], fields["amount"]
        wanted = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        zone = timezone(timedelta(minutes=rng.choice([0, 90, -420])))
        given = {**made, "at": made["at"].astimezone(zone)}
        got = solution.call(ENCODE, given, version=1)
        check_line(got, wanted.encode(), f"The event is {given!r}, written for old programs.")
        back = solution.call(DECODE, got)
        check_event(back, {**expected, "version": 2}, "A line of version 1 is read again.")
