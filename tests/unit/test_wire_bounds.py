"""Values that are malformed or past a bound: BadData, and nothing else, whoever sent them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.agent import wire
from grader.agent.wire import BadData, Opaque

TAGS = [
    *[
        "int",
        "float",
        "dict",
        "tuple",
        "set",
        "frozenset",
        "bytes",
        "decimal",
        "datetime",
        "date",
        "time",
        "timedelta",
    ],
    *["fraction", "complex", "uuid", "object", "handle", "nonsense"],
]
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(["0x1", "0x0", "sNaN", "NaN", "1e999999999", "2020-01-01", "AAAA", "=", "-"]),
)
JSON_TREES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.fixed_dictionaries({"$": st.sampled_from(TAGS) | inner}, optional={"v": inner}),
        st.fixed_dictionaries({"$": st.just("object"), "type": inner, "repr": inner}),
        st.dictionaries(st.sampled_from(["$", "v", "a", ""]), inner, max_size=3),
    ),
    max_leaves=12,
)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def repr_of_data(data: Any) -> str:
    """A test's name: without it pytest would write out the biggest values."""
    return f"{data['$']}" if isinstance(data, dict) else "deep"


def endless() -> Iterator[int]:
    while True:
        yield 0


def test_what_is_past_a_bound_is_not_sent() -> None:
    """Too deep, a cycle, an iterator without an end: each stops with BadData."""
    cycle: list[Any] = []
    cycle.append(cycle)
    for value in (nested(wire.MAX_DEPTH + 1), cycle, endless()):
        with pytest.raises(BadData):
            wire.encode(value)
    assert wire.decode(wire.encode(nested(wire.MAX_DEPTH - 1))) == nested(wire.MAX_DEPTH - 1)


@pytest.mark.parametrize(
    "data",
    [
        {"$": "int", "v": "0x" + "f" * wire.MAX_DIGITS},
        {"$": "decimal", "v": "1" * (wire.MAX_DIGITS + 1)},
        {"$": "decimal", "v": "1E+10001"},
        {"$": "decimal", "v": "1E-10001"},
        {"$": "decimal", "v": "1E+999999999999999999"},
        {"$": "fraction", "v": ["0x" + "f" * wire.MAX_DIGITS, "0x1"]},
        {"$": "fraction", "v": ["0x1", "0x0"]},
        {"$": "float", "v": 10**400},
        {"$": "timedelta", "v": [10**400, 0, 0]},
        {"$": "set", "v": [[1]]},
        {"$": "set", "v": [{"$": "decimal", "v": "sNaN"}]},
        {"$": "dict", "v": [[1]]},
        {"$": "bytes", "v": "A"},
        {"$": "datetime", "v": "yesterday"},
        {"$": "uuid", "v": 5},
        {"$": "handle", "v": 1},
        {"$": "no such kind", "v": 1},
        {"$": ["int"], "v": "0x1"},
        {"$": None},
        nested(100_000),
    ],
    ids=repr_of_data,
)
def test_malformed_or_unbounded_values_are_refused(data: Any) -> None:
    """Whatever the sandbox sends instead of a value, decoding raises BadData."""
    with pytest.raises(BadData):
        wire.decode(data)


@pytest.mark.parametrize("field", ["type", "repr"])
@pytest.mark.parametrize(
    "content", [nested(100_000), 10**5000, None, {"a": 1}], ids=["deep", "digits", "none", "dict"]
)
def test_an_opaque_value_is_made_of_texts(field: str, content: Any) -> None:
    """A name or text that is none cannot break the judge, and makes nothing big."""
    with_both = {"$": "object", "type": "T", "repr": "R", field: content}
    try:
        value = wire.decode(with_both)
    except BadData:
        return
    assert len(value.type_name) <= 200
    assert len(value.text) <= 600


@settings(max_examples=120, deadline=None)
@given(JSON_TREES)
def test_decoding_raises_bad_data_only(data: Any) -> None:
    """Any JSON is a value or BadData, and a decoded value holds plain classes only."""
    try:
        value = wire.decode(data)
    except BadData:
        return
    assert type(value).__module__ in ("builtins", "decimal", "datetime", "fractions", "uuid") or (
        isinstance(value, Opaque)
    )
