"""Makes events, the lines that mean them, and the lines that encode should write."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

TEXTS = [
    "rye bread",
    'the "old" mill',
    "back\\slash / slash",
    "line\nfeed\tand\ttab",
    "bell \x07 and null \x00",
    "smørrebrød",
    "日本のパン",
    "two 🥨🥨",
    "separators \u2028 \u2029 \x85 end",
    "delete \x7f",
    "~tilde~",
]
LONG_NUMBERS = ["0.1", "1234567890.12345678901234567890", "-0.000000123456789012345678", "2.5e40"]


def text(rng):
    return f"{rng.choice(TEXTS)} {rng.randrange(1000)}"


def further_value(rng, depth=2):
    """Any value that JSON has, with integers and decimals that no float holds."""
    kinds = ["text", "int", "big", "decimal", "constant"] + ["list", "dict"] * (depth > 0)
    kind = rng.choice(kinds)
    if kind == "list":
        return [further_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    if kind == "dict":
        return {text(rng): further_value(rng, depth - 1) for _ in range(rng.randrange(4))}
    return {
        "text": text(rng),
        "int": rng.randrange(-1000, 1000),
        "big": rng.choice([-1, 1]) * rng.randrange(2**64, 2**100),
        "decimal": Decimal(rng.choice(LONG_NUMBERS)),
        "constant": rng.choice([None, True, False]),
    }[kind]


def event(rng, **more):
    """A right event, as decode gives it."""
    cents = rng.choice([rng.randrange(1, 10**5), rng.randrange(10**17, 10**20) * 10 + 1])
    made = {
        "version": 2,
        "id": f"p-{rng.randrange(10**6)}",
        "at": datetime(2024, 1, 1, tzinfo=UTC)
        + timedelta(seconds=rng.randrange(10**8), microseconds=rng.randrange(1, 10**6)),
        "amount": Decimal(f"{rng.choice(['', '', '-'])}{cents}e-2"),
        "currency": rng.choice(["EUR", "SEK", "JPY", "USD"]),
        "items": [
            {"sku": text(rng), "count": rng.randrange(1, 50)} for _ in range(rng.randrange(4))
        ],
    }
    if rng.random() < 0.5:
        made["labels"] = {text(rng): text(rng) for _ in range(3)}
    return {**made, **more}


def time_text(rng, at):
    """This moment, in a time zone and with as many digits as it pleases the sender."""
    offset = timedelta(minutes=rng.choice([0, 60, -210, 345, 840, -720]))
    local = at.astimezone(timezone(offset))
    seconds = local.strftime("%Y-%m-%dT%H:%M:%S")
    digits = f"{local.microsecond:06}"
    shortest = digits.rstrip("0")
    fraction = rng.choice([digits, shortest]) if shortest else rng.choice(["", ".0", ".000"])
    zone = local.isoformat()[-6:]
    if offset == timedelta(0) and rng.random() < 0.7:
        zone = "Z"
    return seconds + ("." if fraction and fraction[0] != "." else "") + fraction + zone


def plain(event):
    """The event with its time and its amount as canonical text."""
    at = event["at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {**event, "at": at, "amount": f"{event['amount']:.2f}"}


def dumps(value, **options):
    """json.dumps that writes a Decimal as a number."""
    marked = json.dumps(value, default=lambda number: f"\0{number}\0", **options)
    return re.sub(r'"\\u0000([-+.\dE]+)\\u0000"', r"\1", marked)


def canonical(event):
    """The bytes that encode should give."""
    options = {"sort_keys": True, "separators": (",", ":"), "ensure_ascii": False}
    return dumps(plain(event), **options).encode()


def shuffled(rng, value):
    """The same value with the fields of every object in another order."""
    if isinstance(value, list):
        return [shuffled(rng, each) for each in value]
    if isinstance(value, dict):
        fields = [(name, shuffled(rng, each)) for name, each in value.items()]
        rng.shuffle(fields)
        return dict(fields)
    return value


def line(rng, event):
    """A line that means this event, as some sender may write it."""
    made = {**plain(event), "at": time_text(rng, event["at"])}
    space = rng.choice([(",", ":"), (", ", ": "), (" , ", " : ")])
    ascii_only = rng.random() < 0.5
    return dumps(shuffled(rng, made), separators=space, ensure_ascii=ascii_only).encode()


def raw(event, **fields):
    """A line with these fields instead, whatever they are."""
    return dumps({**plain(event), **fields}).encode()


def shape(value):
    """The type names in a value, without the values."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [shape(each) for each in value]
    return type(value).__name__


def differing(got, expected):
    """Of two dictionaries only the fields in which they differ; other values as they are."""
    if not (isinstance(got, dict) and isinstance(expected, dict)):
        return got, expected
    missing = "(missing)"
    names = [n for n in {**expected, **got} if got.get(n, missing) != expected.get(n, missing)]
    return tuple({n: side.get(n, missing) for n in names} for side in (got, expected))


def as_text(value):
    """Bytes as readable text; other values as they are."""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value


def check_line(got, expected, about):
    """Fails when the bytes differ, and shows where they begin to."""
    assert isinstance(got, bytes), f"encode should return bytes. {about}"
    got, expected = as_text(got), as_text(expected)
    pairs = enumerate(zip(got, expected, strict=False))
    place = next((n for n, (one, other) in pairs if one != other), min(len(got), len(expected)))
    begin = max(0, place - 20)
    assert got[begin : place + 40] == expected[begin : place + 40], (
        f"From character {place + 1} on the line differs; this is that part of it. {about}"
    )


def check_event(got, expected, about):
    """Fails when the dictionaries differ, and shows the fields that do."""
    assert isinstance(got, dict), f"decode should return a dictionary. {about}"
    types, right_types = differing(shape(got), shape(expected))
    assert types == right_types, f"The types of these fields are not right. {about}"
    fields, right = differing(got, expected)
    assert fields == right, f"These fields are not right. {about}"


def problems(solution, function, *args, about):
    """The sorted problems of the EventError that this call should raise."""
    got = None
    try:
        with solution.raises("EventError") as caught:
            got = solution.call(f"events:{function}", *args)
    except AssertionError:
        returned = str(as_text(got))[:500]
        pytest.fail(f"{function} should raise EventError. {about}. It returned {returned}")
    found = caught.args[0] if caught.args else None
    told = f"EventError should be raised with a list of (pointer, reason). {about}."
    assert isinstance(found, list | tuple), told
    pairs = [tuple(each) if isinstance(each, list | tuple) else each for each in found]
    wrong = [each for each in pairs if not isinstance(each, tuple) or shape(each) != ["str"] * 2]
    assert wrong == [], told
    return sorted(pairs)
