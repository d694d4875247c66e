"""Frames and values on the wire between judge, agent and interpreter.

A frame is four bytes, the length as a big-endian number, then that much JSON. A Python value that
JSON does not have is an object with the key `$`: `{"$": "decimal", "v": "1.50"}`. Decoding makes
plain values only; an object of any other class becomes an `Opaque`, which equals nothing.
"""

from __future__ import annotations

import base64
import datetime
import json
import math
import socket
import struct
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

MAX_FRAME = 32 * 1024 * 1024
MAX_DEPTH = 100
MAX_DIGITS = 10_000
MAX_ITEMS = 200_000
MAX_PARTS = 2_000_000
"""Commas and brackets in one message: empty lists take thirty times the room of their text."""
_SAFE_INT = 2**53


class BadData(ValueError):
    """What came over the wire is not what it should be, or past a bound. Says which."""


class Opaque:
    """A value of a class that does not cross the wire: its class name and its bounded repr."""

    def __init__(self, type_name: str, text: str) -> None:
        self.type_name = type_name
        self.text = text

    def __repr__(self) -> str:
        return self.text or f"<{self.type_name}>"


# -- frames -----------------------------------------------------------------------------------


def send(sock: socket.socket, message: Mapping[str, Any]) -> None:
    """Write one frame. Raises OSError when the other side is gone, BadData for what is no JSON."""
    try:
        body = json.dumps(message, separators=(",", ":"), allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise BadData(f"no JSON can be made of it: {type(error).__name__}") from None
    sock.sendall(struct.pack(">I", len(body)) + body)


def receive(
    sock: socket.socket, limit: int = MAX_FRAME, within: float | None = None
) -> dict[str, Any]:
    """Read one frame, whole in `within` seconds however slowly its bytes drip.

    Raises EOFError at the end, TimeoutError, and BadData for anything but a bounded object.
    """
    deadline = None if within is None else time.monotonic() + within
    length = struct.unpack(">I", _exactly(sock, 4, deadline))[0]
    if length > limit:
        raise BadData(f"an answer of {length} bytes is over the limit of {limit}")
    return parse(_exactly(sock, length, deadline))


def parse(body: bytes) -> dict[str, Any]:
    """One JSON object. Raises BadData, also for nesting too deep to parse and too many parts."""
    if len(body) > MAX_PARTS and sum(map(body.count, (b",", b"[", b"{"))) > MAX_PARTS:
        raise BadData(f"a message of more than {MAX_PARTS} parts")
    try:
        message = json.loads(body, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise BadData(f"not a JSON message: {type(error).__name__}") from None
    if not isinstance(message, dict):
        raise BadData("a message must be a JSON object")
    return message


def _finite(text: str) -> float:
    """Refuses `1e999`, which Python reads as infinity and cannot send on."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text[:20])
    return value


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _exactly(sock: socket.socket, count: int, deadline: float | None) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        if deadline is not None:
            sock.settimeout(max(deadline - time.monotonic(), 0.001))
        part = sock.recv(min(count - len(parts), 1 << 20))
        if not part:
            raise EOFError("the connection was closed")
        parts += part
    return bytes(parts)


# -- values -----------------------------------------------------------------------------------


def encode(value: Any, depth: int = 0) -> Any:
    """A Python value as JSON. Subclasses of plain types go as the plain type.

    Raises BadData for nesting over MAX_DEPTH and more than MAX_ITEMS items in one iterator.
    """
    if depth > MAX_DEPTH:
        raise BadData(f"a value nested more than {MAX_DEPTH} deep")
    if value is None or value is True or value is False:
        return value
    for kind, encoder in _ENCODERS:
        if issubclass(type(value), kind):  # what it claims as its __class__ does not count
            return encoder(value, depth + 1)
    return {"$": "object", "type": type(value).__qualname__, "repr": bounded_repr(value)}


def bounded_repr(value: Any, limit: int = 500) -> str:
    """repr() that never raises and never grows."""
    try:
        text = str.__str__(repr(value))  # a subclass of str has its own idea of its length
    except Exception as error:
        return f"<{type(value).__name__}: its repr raised {type(error).__name__}>"
    return text if len(text) <= limit else text[:limit] + "..."


def _int(value: int, _depth: int) -> Any:
    plain = int.__index__(value)
    return plain if -_SAFE_INT < plain < _SAFE_INT else {"$": "int", "v": hex(plain)}


def _float(value: float, _depth: int) -> Any:
    plain = float.__float__(value)
    return plain if math.isfinite(plain) else {"$": "float", "v": repr(plain)}


def _dict(value: dict[Any, Any], depth: int) -> Any:
    items = list(dict.items(value))
    if all(type(key) is str and not key.startswith("$") for key, _ in items):
        return {key: encode(item, depth) for key, item in items}
    return {"$": "dict", "v": [[encode(k, depth), encode(item, depth)] for k, item in items]}


def _tagged(tag: str, to_json: Callable[[Any], Any]) -> Callable[[Any, int], Any]:
    return lambda value, _depth: {"$": tag, "v": to_json(value)}


def _sequence(tag: str) -> Callable[[Any, int], Any]:
    def encoder(value: Any, depth: int) -> Any:
        items = [encode(item, depth) for item in value]
        return items if tag == "list" else {"$": tag, "v": items}

    return encoder


def _iterator(value: Iterator[Any], depth: int) -> Any:
    items: list[Any] = []
    for item in value:
        if len(items) >= MAX_ITEMS:
            raise BadData(f"an iterator of more than {MAX_ITEMS} items")
        items.append(encode(item, depth))
    return items


_ENCODERS: tuple[tuple[Any, Callable[[Any, int], Any]], ...] = (
    (str, lambda value, _depth: str.__str__(value)),
    (int, _int),
    (float, _float),
    (dict, _dict),
    (list, _sequence("list")),
    (tuple, _sequence("tuple")),
    ((bytes, bytearray), _tagged("bytes", lambda v: base64.b64encode(bytes(v)).decode())),
    (frozenset, _sequence("frozenset")),
    (set, _sequence("set")),
    (Decimal, _tagged("decimal", Decimal.__str__)),
    (datetime.datetime, _tagged("datetime", datetime.datetime.isoformat)),
    (datetime.date, _tagged("date", datetime.date.isoformat)),
    (datetime.time, _tagged("time", datetime.time.isoformat)),
    (datetime.timedelta, _tagged("timedelta", lambda v: [v.days, v.seconds, v.microseconds])),
    (Fraction, _tagged("fraction", lambda v: [hex(v.numerator), hex(v.denominator)])),
    (complex, _tagged("complex", lambda v: [repr(v.real), repr(v.imag)])),
    (uuid.UUID, _tagged("uuid", lambda v: v.hex)),
    ((deque, range, type({}.keys()), type({}.values()), type({}.items())), _sequence("list")),
    (Iterator, _iterator),
)


def decode(data: Any, handle: Callable[[int], Any] | None = None, depth: int = 0) -> Any:
    """The plain Python value of encoded data. `handle` finds the object of a handle's number.

    Raises BadData for anything malformed or past a bound, and nothing else.
    """
    if depth > MAX_DEPTH * 2:
        raise BadData("a value nested too deep")
    if isinstance(data, list):
        return [decode(item, handle, depth + 1) for item in data]
    if not isinstance(data, dict):
        return data
    if "$" not in data:
        return {key: decode(item, handle, depth + 1) for key, item in data.items()}
    tag, value = data["$"], data.get("v")
    if tag == "object":
        name, text = data.get("type"), data.get("repr")
        if not (isinstance(name, str) and isinstance(text, str)):
            raise BadData("an object without a name")
        return Opaque(name[:200], text[:600])
    if tag == "handle" and handle is not None and isinstance(value, int):
        return handle(value)
    decoder = _DECODERS.get(tag) if isinstance(tag, str) else None
    if decoder is None:
        raise BadData("a value of a kind that does not exist")
    try:
        if tag in _CONTAINERS:
            return decoder(decode(value, handle, depth + 1))
        return decoder(value)
    except BadData:
        raise
    except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as error:
        raise BadData(f"a malformed {tag}: {type(error).__name__}") from None


def _decimal(text: str) -> Decimal:
    if len(text) > MAX_DIGITS:
        raise BadData(f"a Decimal of more than {MAX_DIGITS} digits")
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and abs(exponent) > MAX_DIGITS:
        raise BadData(f"a Decimal with an exponent past {MAX_DIGITS}")
    return number


def _bounded_int(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise BadData(f"a number of more than {MAX_DIGITS} digits")
    return int(text, 16)


_CONTAINERS = frozenset({"tuple", "set", "frozenset", "dict"})
_DECODERS: dict[str, Callable[[Any], Any]] = {
    "int": _bounded_int,
    "float": float,
    "dict": dict,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "bytes": lambda text: base64.b64decode(text, validate=True),
    "decimal": _decimal,
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "timedelta": lambda parts: datetime.timedelta(parts[0], parts[1], parts[2]),
    "fraction": lambda parts: Fraction(_bounded_int(parts[0]), _bounded_int(parts[1])),
    "complex": lambda parts: complex(float(parts[0]), float(parts[1])),
    "uuid": lambda text: uuid.UUID(hex=text),
}
