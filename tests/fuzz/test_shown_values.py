"""What tests compare and note: any nested answer of a database, a cache or a program."""

from __future__ import annotations

import datetime
from decimal import Decimal
from fractions import Fraction
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.agent.wire import Opaque
from grader.judge.comparison import LONGEST, MOST_LINES, Comparisons, show
from tests.fuzz.harness import MIB, Deep, bounded, expanded, fuzz, nested, watched

TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["\x1b[2J", "\u202e", "\ud800", "\0"]),
    st.tuples(
        st.sampled_from(["a\nb\n", "\r\n", " ", "x", "'\"\\", "ab "]), st.integers(1, 3000)
    ).map(lambda many: many[0] * many[1]),
)
# made late: hypothesis prints its strategies, and Python does not print such numbers
HUGE = st.sampled_from(["1", "-1", "1/"]).map(
    lambda kind: Fraction(1, 10**5000) if kind == "1/" else int(kind) * 10**5000
)
KEYS = st.one_of(
    *(st.none(), st.booleans(), st.integers(), TEXTS, st.binary(max_size=20), st.floats()),
    *(st.decimals().filter(lambda d: not d.is_snan()), st.dates(), st.uuids(), HUGE),
    st.sampled_from(
        [Decimal("NaN"), Decimal("1e9999"), Decimal(1), float("nan"), ip_address("::1")]
    ),
)
LEAVES = st.one_of(
    KEYS,
    st.sampled_from([Decimal("sNaN"), Decimal(10**2000), datetime.timedelta.max]),
    st.builds(Opaque, TEXTS, TEXTS),
    st.datetimes(),
    st.binary(max_size=3000),
    st.binary(max_size=9).map(lambda content: bytearray(content * 1000)),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=8),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(KEYS, inner, max_size=6),
        st.sets(KEYS, max_size=25),
        st.frozensets(KEYS, max_size=25),
        st.lists(st.dictionaries(TEXTS, inner, max_size=3), max_size=4),
        inner.map(Deep),
    ),
    max_leaves=12,
)


@fuzz
@given(VALUES)
def test_any_value_is_shown(value: Any) -> None:
    """Bounded text, whatever it is."""
    with watched(value):
        assert len(show(expanded(value))) <= LONGEST + 3


@fuzz
@given(VALUES, VALUES, st.sampled_from(["==", "in", "<", "!=", "is"]))
def test_any_two_values_are_compared(left: Any, right: Any, op: str) -> None:
    """Both sides are kept under their token, and a difference has its bound."""
    kept = Comparisons()
    with watched((left, right)):
        token = kept.explain(op, expanded(left), expanded(right))
        message, sides = kept.split(f"sentence\nassert {token}")
    assert message == "sentence"
    assert sides is not None
    assert len(sides.got) <= LONGEST + 3
    assert len(sides.expected) <= LONGEST + 10
    assert sides.diff is None or len(sides.diff.split("\n")) <= MOST_LINES + 1


def wide(value: Any) -> list[Any]:
    return [value] * 5000


@pytest.mark.parametrize(
    "value",
    [
        {Decimal("NaN"), *(Decimal(number) * 10**30 for number in range(20))},
        frozenset(
            {float("nan"), *(Decimal(number) * 10**30 for number in range(20)), Decimal("NaN")}
        ),
        nested(1, 990),
        nested({"a": 10**4000}, 300),
        nested(wide(1), 600),
        wide(wide(1)),
        {str(number): number for number in range(200_000)},
        "\n" * 5_000_000,
        b"\n" * 5_000_000,
        bytearray(5_000_000),
        [" \n" * 19_000],
        Fraction(10**6000, 7),
    ],
    ids=range(12),
)
def test_a_value_made_to_be_hard(value: Any) -> None:
    """Sets that cannot be sorted, nesting, numbers and texts without end."""
    kept = Comparisons()
    with bounded(150 * MIB), watched("hard"):
        assert len(show(value)) <= LONGEST + 3
        kept.explain("==", value, "a\nb")
        kept.explain("==", [1], value)


def test_texts_of_very_many_lines_are_compared_at_a_bounded_cost() -> None:
    """Thirty million empty lines became a list of as many texts."""
    kept = Comparisons()
    with bounded(60 * MIB), watched("lines"):
        kept.explain("==", "\n" * 30_000_000 + "a", "a\nb")
        kept.explain("==", "a\nb\n" * 250, "b\na\n" * 250)
