"""Values and frames between judge and sandbox: what crosses, what does not, and every bound."""

from __future__ import annotations

import datetime
import json
import math
import uuid
from collections import OrderedDict, deque, namedtuple
from decimal import Decimal
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.agent import wire
from grader.agent.wire import Opaque

OFFSETS = st.none() | st.integers(-1439, 1439).map(
    lambda minutes: datetime.timezone(datetime.timedelta(minutes=minutes))
)
HASHABLE: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False),
        st.text(max_size=8),
        st.sampled_from(["$", "$x", "v"]),
        st.binary(max_size=8),
        st.decimals(allow_nan=False),
        st.datetimes(timezones=OFFSETS),
        st.dates(),
        st.times(),
        st.timedeltas(),
        st.fractions(),
        st.complex_numbers(allow_nan=False),
        st.uuids(),
    ),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=5,
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    HASHABLE | st.sets(HASHABLE, max_size=3),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(HASHABLE, inner, max_size=4),
        st.dictionaries(st.text(max_size=4), inner, max_size=4),
    ),
    max_leaves=10,
)


def crossed(value: Any) -> Any:
    """The value as it is on the other side."""
    return wire.decode(json.loads(json.dumps(wire.encode(value), allow_nan=False)))


def shape(value: Any) -> Any:
    """The classes in a value, in order where there is one: 1, 1.0 and True are equal."""
    if isinstance(value, list | tuple):
        return type(value), [shape(item) for item in value]
    if isinstance(value, dict):
        return dict, [(shape(key), shape(item)) for key, item in value.items()]
    return type(value)


@settings(max_examples=40, deadline=None)
@given(VALUES)
def test_values_cross_as_they_are(value: Any) -> None:
    """Every supported value comes back equal and of the same class, however nested."""
    back = crossed(value)
    assert back == value
    assert shape(back) == shape(value)


def test_numbers_that_json_lacks_cross() -> None:
    """Infinities and what is not a number stay what they are."""
    assert crossed([math.inf, -math.inf]) == [math.inf, -math.inf]
    assert math.isnan(crossed(math.nan))
    assert crossed(Decimal("NaN")).is_nan()
    assert crossed(Decimal("-Infinity")) == Decimal("-Infinity")
    assert math.copysign(1, crossed(-0.0)) == -1


def test_views_and_iterators_become_lists() -> None:
    """What can be iterated once is drained, and arrives as a list."""
    assert crossed(range(3)) == [0, 1, 2]
    assert crossed(deque("ab")) == ["a", "b"]
    assert crossed({"a": 1}.keys()) == ["a"]
    assert crossed({"a": 1}.items()) == [("a", 1)]
    assert crossed(n * n for n in (1, 2)) == [1, 4]


class Liar:
    def __eq__(self, other: object) -> bool:
        return True


class LyingInt(Liar, int):
    def __index__(self) -> int:
        return 5

    def __str__(self) -> str:
        return "5"

    def __lt__(self, other: object) -> bool:
        return True


class LyingStr(Liar, str):
    def __hash__(self) -> int:
        return 7

    def __str__(self) -> str:
        return "lie"

    def startswith(self, *_: object) -> bool:
        return False


class LyingFloat(Liar, float):
    def __float__(self) -> float:
        return 5.0


class LyingList(Liar, list[Any]):
    pass


class LyingDict(Liar, dict[Any, Any]):
    def items(self) -> Any:
        return [("lie", 1)]


class LyingDecimal(Liar, Decimal):
    def __str__(self) -> str:
        return "5"


class Colour(IntEnum):
    RED = 3


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (LyingInt(3), 3),
        (LyingInt(2**60), 2**60),
        (LyingStr("$a"), "$a"),
        (LyingFloat(2.5), 2.5),
        (LyingList([LyingInt(3)]), [3]),
        (LyingDict(a=2), {"a": 2}),
        ({LyingStr("$"): 1}, {"$": 1}),
        (LyingDecimal("7"), Decimal(7)),
        (Colour.RED, 3),
        (Point(1, 2), (1, 2)),
        (OrderedDict(b=1), {"b": 1}),
        (bytearray(b"x"), b"x"),
    ],
)
def test_subclasses_become_plain(value: Any, plain: Any) -> None:
    """A class that lies about itself arrives as the plain value it holds."""
    back = crossed(value)
    assert type(back) is type(plain)
    assert plain == back
    assert plain.__eq__(back) is True


class Pretender:
    """Says that it is of another class, as proxies and mocks do."""

    def __init__(self, claimed: type) -> None:
        self.claimed = claimed

    @property  # type: ignore[misc]  # for type checkers it can be written
    def __class__(self) -> type:
        return self.claimed

    def __repr__(self) -> str:
        return "Pretender()"


@pytest.mark.parametrize("claimed", [bool, int, str, float, dict, list, bytes, Decimal, uuid.UUID])
def test_a_class_that_is_only_claimed_does_not_count(claimed: type) -> None:
    """What an object says it is does not make it that: it arrives as an opaque value."""
    back = crossed(Pretender(claimed))
    assert isinstance(back, Opaque)
    assert back.type_name == "Pretender"


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


class EndlessText(str):
    __slots__ = ()

    def __len__(self) -> int:
        return 0


class Talkative:
    def __repr__(self) -> str:
        return EndlessText("z" * 100_000)


def test_other_objects_arrive_opaque() -> None:
    """An object of any other class is its name and a bounded text, and equals nothing."""
    back = crossed([object(), Unprintable(), Talkative()])
    assert [item.type_name for item in back] == ["object", "Unprintable", "Talkative"]
    assert "its repr raised RuntimeError" in repr(back[1])
    assert back[0] != crossed(object())
    assert all(len(json.dumps(wire.encode(item))) < 1000 for item in (Talkative(), Unprintable()))
