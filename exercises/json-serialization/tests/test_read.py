"""Hidden tests of tasks 1 and 2. Each line is made from an event, so its meaning is known."""

import json

import pytest
from payments import check_event, event, further_value, line, plain, problems, raw, shape, text

DECODE = "events:decode"


# 1. Read an event


@pytest.mark.check(task="read", points=2)
def test_reads_an_event(solution, rng):
    """decode gives the fields of an event, with their types."""
    for _ in range(6):
        expected = event(rng)
        given = line(rng, expected)
        got = solution.call(DECODE, given)
        check_event(got, expected, f"The line {given.decode()} is read.")


@pytest.mark.check(task="read", points=2, needs=["test_reads_an_event"])
def test_times_are_in_utc(solution, rng):
    """at is a moment in UTC, whatever time zone it was written in."""
    for _ in range(8):
        made = event(rng)
        given = line(rng, made)
        written = json.loads(given)["at"]
        got = solution.call(DECODE, given)["at"]
        assert str(got) == str(made["at"]), f"at was written as {written}."


@pytest.mark.check(task="read", points=2, needs=["test_reads_an_event"])
def test_nothing_is_lost(solution, rng):
    """Further fields keep every digit: integers stay int, other numbers become Decimal."""
    for _ in range(6):
        expected = event(rng, extra=[further_value(rng) for _ in range(6)])
        expected["items"].append({"sku": "rye", "count": 1, "rate": further_value(rng)})
        got = solution.call(DECODE, line(rng, expected))
        extra, rate = got.get("extra"), got["items"][-1].get("rate", "(missing)")
        for value, right in ((extra, expected["extra"]), (rate, expected["items"][-1]["rate"])):
            assert shape(value) == shape(right), (
                "These are the types in a field that the table does not have. json.loads turns "
                "numbers into float, unless you give it something else to do (parse_float)."
            )
            assert value == right, "These are the values in a field that the table does not have."


NO_EVENTS = {
    "NaN": '"x": NaN',
    "Infinity, deep inside": '"x": [{"y": -Infinity}]',
    "a field twice": '"x": 1, "x": 1',
    "a field twice, deep inside": '"x": [{"y": {"a": 1, "b": 2, "a": 3}}]',
    "half of a surrogate pair": '"x": "\\ud83d"',
    "half of a surrogate pair in a name": '"x": {"\\udc00": 1}',
    "single quotes": "'x': 1",
    "something after the end": '"x": 1}{}{',
    "a comma too many": '"x": [1,]',
}


@pytest.mark.check(task="read", points=3, needs=["test_reads_an_event"])
def test_what_cannot_be_read_is_refused(solution, rng):
    """What is no JSON, or means two things, is the problem syntax."""
    good = raw(event(rng))[:-1].decode()
    lines = {about: f"{good}, {more}}}".encode() for about, more in NO_EVENTS.items()}
    lines["half of the line"] = good[: rng.randrange(5, len(good))].encode()
    lines["no UTF-8"] = f'{good}, "x": "\xff"}}'.encode("latin-1")
    lines["UTF-16"] = f"{good}}}".encode("utf-16-le")
    lines["half of a surrogate pair as bytes"] = f'{good}, "x": "?"}}'.encode().replace(
        b"?", b"\xed\xa0\xbd"
    )
    lines["nothing"] = b""
    for about in rng.sample(sorted(lines), len(lines)):
        got = problems(solution, "decode", lines[about], about=f"A line with {about}")
        assert got == [("", "syntax")], f"A line with {about}: these are the reported problems."


@pytest.mark.check(
    task="read",
    points=2,
    needs=["test_what_cannot_be_read_is_refused"],
    hint="The traceback names the exception that came through. Which ones can json, int, "
    "Decimal and datetime raise besides ValueError?",
)
def test_hostile_lines_do_no_harm(solution, rng):
    """Whatever a line holds, decode raises EventError or nothing."""
    deep = rng.randrange(50_000, 100_000)
    hostile = [
        ("x", "[" * deep + "]" * deep),
        ("x", '{"a":' * deep + "1" + "}" * deep),
        ("x", "9" * rng.randrange(5000, 9000)),
        ("x", f"1e{'9' * 25}"),
        ("x", f"-1.5e-{'9' * 25}"),
        ("at", '"0001-01-01T00:00:00+10:00"'),
        ("at", '"9999-12-31T23:59:59-10:00"'),
        ("at", '"2026-02-30T00:00:00Z"'),
    ]
    good = raw(event(rng))[:-1].decode()
    lines = [f'{good}, "{name}": {value}}}'.encode() for name, value in hostile]
    lines += [line.replace(b'"at": "20', b'"when": "20', 1) for line in lines[5:]]
    old = '{"version": 1, "id": "p", "cents": 1, "currency": "EUR", "items": [], "time": '
    lines += [f"{old}{10**power}}}".encode() for power in (11, 15, 18, 30)]
    for given in lines:
        try:
            with solution.raises("EventError"):
                solution.call(DECODE, given)
                raise LookupError
        except LookupError:
            pass


# 2. Report all problems at once

# field -> what may stand there, and what is wrong with it
WRONG = {
    "id": [("", "value"), (7, "type"), (None, "type")],
    "at": [("tomorrow", "value"), ("09:15", "value"), (1772356500, "type")],
    "amount": [("free", "value"), ("12", "value"), (12, "type")],
    "currency": [("eur", "value"), ("EURO", "value"), (["EUR"], "type")],
    "items": [({}, "type"), ("rye", "type"), (None, "type")],
    "labels": [([], "type"), ("till", "type"), (None, "type")],
}
NEARLY_RIGHT = {
    "at": [
        "2026-03-01T09:15:00",
        "2026-03-01",
        "2026-03-01 09:15:00Z",
        "20260301T091500Z",
        "2026-02-30T09:15:00Z",
        "2026-03-01T09:15Z",
        "2026-03-01T09:15:00.1234567Z",
        "2026-03-01T09:15:00,5Z",
        "2026-03-01T09:15:00Z\n",
    ],
    "amount": [
        "12.5",
        "1,250.00",
        "1e3",
        "NaN",
        "+1.00",
        ".50",
        "1_0.00",
        "\u0661\u0662.\u0665\u0660",
        "12.50\n",
        " 12.50",
    ],
    "currency": ["Eur", "EU", "\u00c4\u00d6\u00dc", "EUR\n"],
}
WRONG_VERSIONS = [(0, "value"), (-1, "value"), ("2", "type"), (None, "type")]


def spoil(rng, made, fields):
    """A line in which these fields are wrong or missing, and the problems in it."""
    spoilt, expected = plain(made), []
    for name in fields:
        if name != "labels" and rng.random() < 0.2:
            del spoilt[name]
            expected.append((f"/{name}", "missing"))
        else:
            spoilt[name], reason = rng.choice(WRONG[name])
            expected.append((f"/{name}", reason))
    return json.dumps(spoilt).encode(), sorted(expected)


@pytest.mark.check(task="report", points=3, needs=["test_what_cannot_be_read_is_refused"])
def test_every_problem_is_reported(solution, rng):
    """All fields that are missing or wrong are reported at once."""
    for count in (1, 2, 3, 4, 6):
        made = event(rng, labels={"till": "7"})
        given, expected = spoil(rng, made, rng.sample(sorted(WRONG), count))
        got = problems(solution, "decode", given, about=f"The line {given.decode()}")
        assert got == expected, f"These problems are reported. The line is {given.decode()}"
    for value in (b"[]", b"null", b'"p-81"', b"17", b"true"):
        got = problems(solution, "decode", value, about=f"The line {value.decode()}")
        assert got == [("", "type")], f"The line {value.decode()}: these are the problems."
    for version, reason in [*WRONG_VERSIONS, ("(none)", "missing")]:
        fields = {"version": version, "id": 7, "items": None}
        if reason == "missing":
            del fields["version"]
        given = json.dumps(fields).encode()
        got = problems(solution, "decode", given, about=f"The line {given.decode()}")
        assert got == [("/version", reason)], (
            f"The line {given.decode()}: these are the problems. Without a version nobody knows "
            "which rules hold, so nothing else is reported."
        )


@pytest.mark.check(
    task="report",
    points=2,
    needs=["test_every_problem_is_reported"],
    hint="re.match stops at the end of the pattern, `$` matches before a line feed, and `\\d` "
    "matches every digit there is in the world.",
)
def test_text_that_is_nearly_right(solution, rng):
    """Times, amounts and currencies that Python takes and the table does not are refused."""
    wrong = [(field, text) for field, texts in NEARLY_RIGHT.items() for text in texts]
    for field, value in rng.sample(wrong, len(wrong)):
        given = raw(event(rng), **{field: value})
        got = problems(solution, "decode", given, about=f"{field} is {value!r}")
        assert got == [(f"/{field}", "value")], f"{field} is {value!r}: these are the problems."


@pytest.mark.check(
    task="report",
    points=2,
    needs=["test_every_problem_is_reported"],
    hint="isinstance(True, int) is true in Python.",
)
def test_items_are_looked_into(solution, rng):
    """Problems in an item have a pointer with its number; true and 2.0 are no integers."""
    wrong = [(True, "type"), (2.5, "type"), ("2", "type"), (0, "value"), (-3, "value")]
    rng.shuffle(wrong)
    items = [{"sku": text(rng), "count": 1} for _ in range(12)]
    places = rng.sample(range(12), 9)
    expected = []
    for place, (count, reason) in zip(places, wrong, strict=False):
        items[place]["count"] = count
        expected.append((f"/items/{place}/count", reason))
    del items[places[5]]["count"]
    items[places[6]]["sku"] = ""
    items[places[7]] = rng.choice(["rye", None, ["rye", 2]])
    items[places[8]] = {}
    expected += [(f"/items/{places[5]}/count", "missing"), (f"/items/{places[6]}/sku", "value")]
    expected += [(f"/items/{places[7]}", "type"), (f"/items/{places[8]}/sku", "missing")]
    expected += [(f"/items/{places[8]}/count", "missing")]
    given = raw(event(rng), items=items).replace(b"2.5", b"2.0")
    got = problems(solution, "decode", given, about="Nine of twelve items are wrong")
    assert got == sorted(expected), (
        f"These problems are reported. The items are {json.loads(given)['items']}."
    )
    for number in ("true", "2.0"):
        given = raw(event(rng)).replace(b'"version": 2', f'"version": {number}'.encode())
        got = problems(solution, "decode", given, about=f"version is {number}")
        assert got == [("/version", "type")], f"version is {number}: these are the problems."


@pytest.mark.check(task="report", points=1, needs=["test_every_problem_is_reported"])
def test_pointers_are_escaped(solution, rng):
    """A name with / or ~ is written in a pointer as RFC 6901 says."""
    names = {"a/b": "a~1b", "m~n": "m~0n", "~1": "~01", "x//~": "x~1~1~0", "": "", "plain": "plain"}
    labels = {name: rng.choice([1, None, [], True]) for name in names}
    given = raw(event(rng), labels=labels)
    got = problems(solution, "decode", given, about="labels hold numbers")
    expected = sorted((f"/labels/{each}", "type") for each in names.values())
    assert got == expected, (
        f"The labels are {labels}. These are the reported problems. In a pointer ~ is written ~0 "
        "and / is written ~1; mind which of the two you replace first."
    )
