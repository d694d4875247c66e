"""BSON (https://bsonspec.org/spec.html) as extended JSON, as far as there is room for it.

The bytes come from the learner's program: what is wrong in them raises Unreadable and nothing else.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

CUT = "..."
"""Ends a text that says less than there is."""
DEEPEST = 100
"""Documents in each other that a server takes."""
_DOUBLE, _STRING, _DOCUMENT, _ARRAY, _BINARY, _ID, _BOOL, _DATE = 1, 2, 3, 4, 5, 7, 8, 9
_REGEX, _POINTER, _CODE, _SYMBOL, _SCOPED, _INT, _STAMP, _LONG = 11, 12, 13, 14, 15, 16, 17, 18
_NULL = 10
_SIZES = {
    _DOUBLE: 8,
    _ID: 12,
    _BOOL: 1,
    _DATE: 8,
    _INT: 4,
    _STAMP: 8,
    _LONG: 8,
    19: 16,
    **dict.fromkeys((6, _NULL, 127, 255), 0),
}
_NUMBERS = {_DOUBLE: "<d", _DATE: "<q", _INT: "<i", _STAMP: "<Q", _LONG: "<q"}


class Unreadable(Exception):
    """The bytes are no document, or end too early."""


def elements(document: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Name, type and value of each element, until there is no more. Raises Unreadable."""
    at = 4
    while at < len(document) and document[at]:
        end = document.find(b"\0", at + 1)
        if end < 0:
            raise Unreadable
        kind, name = document[at], document[at + 1 : end].decode("utf-8", "replace")
        size = _size(document, kind, end + 1)
        at = end + 1 + size
        yield name, kind, document[end + 1 : at]


def written(kind: int, value: bytes, room: int) -> str:
    """A value as text of about `room` characters at most; 0 is a row of documents. Never raises."""
    parts: list[str] = []
    try:
        left = room
        for part in _parts(kind, value, 0):
            parts.append(part[:left])
            left -= len(part)
            if left <= 0:
                raise Unreadable
    except Unreadable:
        return "".join(parts)[:room] + CUT
    return "".join(parts)


def _size(data: bytes, kind: int, at: int) -> int:
    """Bytes of the value that begins there, which may be more than are there."""
    if kind in _SIZES:
        return _SIZES[kind]
    if kind == _REGEX:
        middle = data.find(b"\0", at)
        end = data.find(b"\0", middle + 1)
        if middle < 0 or end < 0:
            raise Unreadable
        return end + 1 - at
    if len(data) < at + 4:
        raise Unreadable
    size = int(struct.unpack_from("<i", data, at)[0])
    if size < 0:
        raise Unreadable
    if kind in (_STRING, _CODE, _SYMBOL):
        return size + 4
    if kind in (_DOCUMENT, _ARRAY, _SCOPED):
        return max(size, 4)
    if kind == _BINARY:
        return size + 5
    if kind == _POINTER:
        return size + 16
    raise Unreadable


def _parts(kind: int, value: bytes, depth: int) -> Iterator[str]:
    if depth > DEEPEST:
        raise Unreadable
    if kind == 0:
        yield from _row(value)
    elif kind in (_DOCUMENT, _ARRAY):
        yield from _nested(kind, value, depth)
    elif kind in _SIZES and len(value) < _SIZES[kind]:
        raise Unreadable
    elif kind in (_STRING, _SYMBOL, _CODE):
        yield json.dumps(value[4:-1].decode("utf-8", "replace"), ensure_ascii=False)
    elif kind == _BOOL:
        yield "true" if value[0] else "false"
    elif kind in _NUMBERS:
        number = struct.unpack(_NUMBERS[kind], value)[0]
        yield f'{{"$date": {number}}}' if kind == _DATE else repr(number)
    elif kind == _NULL:
        yield "null"
    elif kind == _REGEX:
        pattern, _, options = value[:-1].decode("utf-8", "replace").partition("\0")
        said = {"$regularExpression": {"pattern": pattern, "options": options}}
        yield json.dumps(said, ensure_ascii=False)
    elif kind == _ID:
        yield f'{{"$oid": "{value.hex()}"}}'
    else:
        yield f'"{value[:100].hex()}"'


def _nested(kind: int, value: bytes, depth: int) -> Iterator[str]:
    if len(value) < 5:
        raise Unreadable
    yield "[" if kind == _ARRAY else "{"
    between = ""
    for name, inner, content in elements(value):
        yield between
        if kind == _DOCUMENT:
            yield f"{json.dumps(name, ensure_ascii=False)}: "
        yield from _parts(inner, content, depth + 1)
        between = ", "
    if not value.endswith(b"\0") or len(value) < int(struct.unpack_from("<i", value)[0]):
        raise Unreadable
    yield "]" if kind == _ARRAY else "}"


def _row(value: bytes) -> Iterator[str]:
    between = ""
    while value:
        if len(value) < 4:
            raise Unreadable
        size = max(int(struct.unpack_from("<i", value)[0]), 5)
        yield between
        yield from _parts(_DOCUMENT, value[:size], 0)
        value, between = value[size:], ", "
