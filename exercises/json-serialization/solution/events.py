"""Payment events: the one place where they are read and written."""

import hashlib
import json
import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST = 65_536
AT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})"
)
AMOUNT = re.compile(r"-?[0-9]+\.[0-9]{2}")
CURRENCY = re.compile(r"[A-Z]{3}")


class EventError(Exception):
    """An event that cannot be read or written; `problems` is a list of (pointer, reason)."""

    def __init__(self, problems):
        super().__init__(problems)
        self.problems = problems


# Reading


def decode(line):
    """The event in this line, in the form of version 2 or higher. Raises EventError."""
    event = parse(line)
    version = event.get("version") if isinstance(event, dict) else None
    fields = FIELDS_OF_1 if type(version) is int and version == 1 else FIELDS_ON_THE_WIRE
    refuse(problems_of(event, fields))
    if version == 1:
        event["version"] = 2
        event["at"] = EPOCH + timedelta(seconds=event.pop("time"))
        event["amount"] = Decimal(f"{event.pop('cents')}e-2")
    else:
        event["at"] = instant(event["at"])
        event["amount"] = Decimal(event["amount"])
    return event


def parse(line):
    try:
        value = json.loads(
            line.decode("utf-8"),
            parse_float=Decimal,
            parse_constant=refuse_constant,
            object_pairs_hook=once_each,
        )
        # Half a surrogate pair has no form in UTF-8, so this refuses it, wherever it is.
        json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
    except (ValueError, ArithmeticError, RecursionError):
        raise EventError([("", "syntax")]) from None
    return value


def refuse_constant(name):
    raise ValueError(name)


def once_each(pairs):
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a field is there twice")
    return fields


def instant(text):
    return datetime.fromisoformat(text).astimezone(UTC)


# The rules: each is a function from (value, pointer) to the problems found there


def problems_of(event, fields):
    if not isinstance(event, dict):
        return [("", "type")]
    version = list(field_problems(event, "", {"version": is_a(int, lambda number: number >= 1)}))
    return version or list(field_problems(event, "", fields))


def field_problems(value, pointer, fields):
    for name, rule in fields.items():
        if name in value:
            yield from rule(value[name], f"{pointer}/{name}")
        elif name != "labels":
            yield f"{pointer}/{name}", "missing"


def is_a(kind, is_right=lambda value: True):
    def rule(value, pointer):
        if not isinstance(value, kind) or isinstance(value, bool):
            yield pointer, "type"
        elif not is_right(value):
            yield pointer, "value"

    return rule


def items(value, pointer):
    if not isinstance(value, list):
        yield pointer, "type"
        return
    for number, item in enumerate(value):
        if isinstance(item, dict):
            yield from field_problems(item, f"{pointer}/{number}", FIELDS_OF_AN_ITEM)
        else:
            yield f"{pointer}/{number}", "type"


def labels(value, pointer):
    if not isinstance(value, dict):
        yield pointer, "type"
        return
    for name, text in value.items():
        if not isinstance(text, str):
            yield f"{pointer}/{escaped(name)}", "type"


def escaped(name):
    return str(name).replace("~", "~0").replace("/", "~1")


def is_time(text):
    try:
        return AT.fullmatch(text) is not None and instant(text) is not None
    except (ValueError, OverflowError):
        return False


def is_since_epoch(seconds):
    try:
        return seconds >= 0 and EPOCH + timedelta(seconds=seconds) >= EPOCH
    except OverflowError:
        return False


def is_whole_cents(amount):
    return amount.is_finite() and Decimal(f"{amount:.2f}") == amount


FIELDS_OF_AN_ITEM = {
    "sku": is_a(str, lambda text: text != ""),
    "count": is_a(int, lambda number: number >= 1),
}
EVERY_FORM = {
    "id": is_a(str, lambda text: text != ""),
    "currency": is_a(str, CURRENCY.fullmatch),
    "items": items,
    "labels": labels,
}
FIELDS_ON_THE_WIRE = {"at": is_a(str, is_time), "amount": is_a(str, AMOUNT.fullmatch), **EVERY_FORM}
FIELDS_OF_1 = {"time": is_a(int, is_since_epoch), "cents": is_a(int), **EVERY_FORM}
FIELDS_IN_PYTHON = {
    "at": is_a(datetime, lambda at: at.utcoffset() is not None),
    "amount": is_a(Decimal, is_whole_cents),
    **EVERY_FORM,
}


def refuse(problems):
    if problems:
        raise EventError(problems)


# Writing


def encode(event, version=None):
    """The one line of this event, as old programs want it with version=1. Raises EventError."""
    refuse(problems_of(event, FIELDS_IN_PYTHON))
    fields = dict(event)
    at, amount = fields.pop("at").astimezone(UTC), f"{fields.pop('amount'):.2f}"
    if amount == "-0.00":
        amount = "0.00"
    if version == 1:
        fields["version"] = 1
        fields["time"] = (at - EPOCH) // timedelta(seconds=1)
        fields["cents"] = int(amount.replace(".", ""))
    else:
        fields["at"] = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
        fields["amount"] = amount
    problems = []
    text = written(fields, "", problems)
    refuse(problems)
    return text.encode("utf-8")


def written(value, pointer, problems):
    """The canonical text of a value; adds what JSON has no form for to `problems`."""
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    if isinstance(value, str):
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            problems.append((pointer, "value"))
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float | Decimal):
        if not math.isfinite(value):
            problems.append((pointer, "value"))
        return str(value)
    if isinstance(value, list):
        parts = [written(item, f"{pointer}/{n}", problems) for n, item in enumerate(value)]
        return f"[{','.join(parts)}]"
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        parts = []
        for name, inner in sorted(value.items()):
            place = f"{pointer}/{escaped(name)}"
            parts.append(f"{written(name, place, problems)}:{written(inner, place, problems)}")
        return f"{{{','.join(parts)}}}"
    problems.append((pointer, "type"))
    return ""


def fingerprint(event):
    """The SHA-256 of the event's line, in hexadecimal."""
    return hashlib.sha256(encode(event)).hexdigest()


# The stream


def read_events(file):
    """Yield (line number, event or None, problems) for each line of a binary file."""
    number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        if len(line) > LONGEST and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = file.readline(LONGEST)
            yield number, None, [("", "long")]
        elif line.strip():
            yield number, *read(line)


def read(line):
    try:
        return decode(line), []
    except EventError as error:
        return None, error.problems
