"""The same in another way: a collector that walks along, and json.dumps for nearly everything.

json has no Decimal, so a number takes the place of a marked text while json.dumps runs.
The stream is read in pieces, not in lines.
"""

import json
import math
import string
from calendar import timegm
from collections import Counter
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256

MARK = "\ud800"  # half of a surrogate pair: no text that is written can have it
MOST = 1 << 16
DEEPEST = 200
UTC = timezone(timedelta(0))


class EventError(Exception):
    def __init__(self, problems):
        super().__init__(problems)
        self.problems = problems


class Collector:
    """Knows where it is in the event, and collects what is wrong there."""

    def __init__(self, value, path=(), problems=None):
        self.value = value
        self.path = path
        self.problems = [] if problems is None else problems

    def wrong(self, reason):
        pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in self.path)
        self.problems.append((pointer, reason))

    def at(self, key):
        return Collector(self.value[key], (*self.path, str(key)), self.problems)

    def field(self, name, check, optional=False):
        if name in self.value:
            check(self.at(name))
        elif not optional:
            Collector(None, (*self.path, name), self.problems).wrong("missing")

    def has_type(self, *types):
        if type(self.value) in types:
            return True
        self.wrong("type")
        return False

    def holds(self, test, *types):
        if self.has_type(*types) and not test(self.value):
            self.wrong("value")


def positive(it):
    it.holds(lambda number: number > 0, int)


def whole(it):
    it.has_type(int)


def some_text(it):
    it.holds(bool, str)


def currency(it):
    it.holds(lambda text: len(text) == 3 and not set(text) - set(string.ascii_uppercase), str)


def item(it):
    if it.has_type(dict):
        it.field("sku", some_text)
        it.field("count", positive)


def items(it):
    if it.has_type(list):
        for number in range(len(it.value)):
            item(it.at(number))


def labels(it):
    if it.has_type(dict):
        for name in it.value:
            it.at(name).has_type(str)


def written_time(it):
    it.holds(moment, str)


def seconds(it):
    it.holds(lambda number: 0 <= number < 250_000_000_000, int)


def written_amount(it):
    it.holds(amount, str)


def python_time(it):
    it.holds(lambda time: time.utcoffset() is not None, datetime)


def python_amount(it):
    it.holds(lambda money: in_cents(money) is not None, Decimal)


def check(event, time, money):
    it = Collector(event)
    if it.has_type(dict):
        it.field("version", positive)
        if not it.problems:
            names = {"id": some_text, "currency": currency, "items": items, **time, **money}
            for name, rule in names.items():
                it.field(name, rule)
            it.field("labels", labels, optional=True)
    if it.problems:
        raise EventError(it.problems)


def digits(text, *lengths):
    return len(text) in lengths and text.isascii() and text.isdigit()


def moment(text):
    """The time in UTC, or None."""
    clock, zone = (text[:-1], "+00:00") if text.endswith("Z") else (text[:-6], text[-6:])
    whole_seconds, dot, fraction = clock.partition(".")
    template = "".join("9" if letter in string.digits else letter for letter in whole_seconds)
    right = (
        template == "9999-99-99T99:99:99"
        and (digits(fraction, *range(1, 7)) if dot else not fraction)
        and zone[:1] in ("+", "-")
        and digits(zone[1:3], 2)
        and zone[3:4] == ":"
        and digits(zone[4:], 2)
    )
    if not right:
        return None
    try:
        local = datetime.strptime(whole_seconds, "%Y-%m-%dT%H:%M:%S")
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:]))
        local += timedelta(microseconds=int(f"{fraction:0<6}")) - offset * int(zone[0] + "1")
    except (ValueError, OverflowError):
        return None
    return local.replace(tzinfo=UTC)


def amount(text):
    whole_part, _, cents = text.removeprefix("-").partition(".")
    if not (digits(cents, 2) and digits(whole_part, len(whole_part)) and whole_part):
        return None
    return (Decimal(text),)


def in_cents(money):
    """The number of cents as an int, or None when there is no such number."""
    if not money.is_finite():
        return None
    sign, places, exponent = money.as_tuple()
    value = int("".join(map(str, places)))
    if exponent < -2 and value % 10 ** (-2 - exponent):
        return None
    value = value * 10 ** (exponent + 2) if exponent >= -2 else value // 10 ** (-2 - exponent)
    return -value if sign else value


def as_text(cents):
    sign, rest = ("-" if cents < 0 else ""), f"{abs(cents):03}"
    return f"{sign}{rest[:-2]}.{rest[-2:]}"


# Reading


def unique(pairs):
    if any(count > 1 for count in Counter(name for name, _ in pairs).values()):
        raise ValueError
    return dict(pairs)


def no_constant(_):
    raise ValueError


def check_texts(value, depth=0):
    if depth > DEEPEST:
        raise ValueError
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, list):
        for each in value:
            check_texts(each, depth + 1)
    elif isinstance(value, dict):
        for name, each in value.items():
            name.encode()
            check_texts(each, depth + 1)


def decode(line):
    try:
        text = str(line, "utf-8")
        event = json.loads(
            text, parse_float=Decimal, parse_constant=no_constant, object_pairs_hook=unique
        )
        check_texts(event)
    except (ValueError, ArithmeticError, RecursionError):
        raise EventError([("", "syntax")]) from None
    if isinstance(event, dict) and event.get("version") == 1 and event["version"] is not True:
        check(event, {"time": seconds}, {"cents": whole})
        time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(0, event["time"])
        upgraded = {"version": 2, "at": time, "amount": Decimal(as_text(event["cents"]))}
        gone = ("time", "cents")
        return {name: each for name, each in event.items() if name not in gone} | upgraded
    check(event, {"at": written_time}, {"amount": written_amount})
    return event | {"at": moment(event["at"]), "amount": Decimal(event["amount"])}


# Writing


def encode(event, version=None):
    check(event, {"at": python_time}, {"amount": python_amount})
    utc, cents = event["at"].astimezone(UTC), in_cents(event["amount"])
    fields = {name: event[name] for name in event if name not in ("at", "amount")}
    if version == 1:
        fields |= {"version": 1, "time": timegm(utc.utctimetuple()), "cents": cents}
    else:
        fields |= {"at": f"{utc:%Y-%m-%dT%H:%M:%S.%f}Z", "amount": as_text(cents)}
    it = Collector(fields)
    marked = mark(it)
    if it.problems:
        raise EventError(it.problems)
    text = json.dumps(marked, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    first, *rest = text.split(f'"{MARK}')
    return (first + "".join(part.replace('"', "", 1) for part in rest)).encode()


def mark(it):
    """The value with marked texts instead of Decimals; what cannot be written is collected."""
    value = it.value
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            it.wrong("type")
            return None
        for name in value:
            Collector(name, (*it.path, name), it.problems).holds(is_text, str)
        return {name: mark(it.at(name)) for name in value}
    if isinstance(value, list):
        return [mark(it.at(number)) for number in range(len(value))]
    if isinstance(value, str):
        it.holds(is_text, str)
    elif isinstance(value, float | Decimal):
        it.holds(math.isfinite, float, Decimal)
        return MARK + str(value)
    elif not (value is None or isinstance(value, int)):
        it.wrong("type")
    return value


def is_text(value):
    try:
        return bool(value.encode()) or True
    except UnicodeEncodeError:
        return False


def fingerprint(event):
    return sha256(encode(event)).hexdigest()


# The stream


def lines(file):
    """Yield each line; None for one that is too long."""
    start, too_long = b"", False
    while piece := file.read1(MOST):
        *whole_lines, rest = piece.split(b"\n")
        for each in whole_lines:
            line = start + each
            yield None if too_long or len(line) > MOST else line
            start, too_long = b"", False
        start += rest
        if len(start) > MOST:
            start, too_long = b"", True
    if too_long or start:
        yield None if too_long else start


def read_events(file):
    for number, line in enumerate(lines(file), 1):
        if line is None:
            yield number, None, [("", "long")]
        elif not line.isspace() and line:
            try:
                event = decode(line)
            except EventError as error:
                yield number, None, error.problems
            else:
                yield number, event, []
