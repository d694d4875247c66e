"""What a learner is told of a failed assert: the author's sentence and the two sides."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from _pytest.assertion import rewrite, util
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.judge.comparison import LONGEST, MOST_LINES, Comparisons, Sides, show

SECONDS = 0.2


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[str, Sides | None]]:
    """Runs a statement as pytest runs it in a hidden test; what the learner is told of it."""

    def run(statement: str, **names: Any) -> tuple[str, Sides | None]:
        comparisons = Comparisons()
        monkeypatch.setattr(util, "_reprcompare", comparisons.explain)
        tree = ast.parse(statement)
        rewrite.rewrite_asserts(tree, statement.encode())
        with pytest.raises(AssertionError) as caught:
            exec(compile(tree, "test_hidden.py", "exec"), names)
        return comparisons.split(str(caught.value))

    return run


Failing = Callable[..., tuple[str, Sides | None]]


def test_the_sentence_and_both_sides(failing: Failing) -> None:
    """Left is what the learner's code gave, right is what was expected."""
    message, sides = failing("assert got == 2, 'Two was asked for.'", got=1)
    assert message == "Two was asked for."
    assert sides == Sides(got="1", expected="2", diff=None)


def test_sides_without_a_sentence(failing: Failing) -> None:
    """An assert without a message still shows its sides, and no test source."""
    assert failing("assert got == 2", got=1) == ("", Sides(got="1", expected="2", diff=None))


@pytest.mark.parametrize(
    "statement",
    [
        "assert all(item for item in secret), 'All are wanted.'",
        "assert secret[0], 'All are wanted.'",
        "assert not secret, 'All are wanted.'",
        "assert len(secret) > 1 and secret[0], 'All are wanted.'",
    ],
)
def test_no_source_of_the_test_is_told(failing: Failing, statement: str) -> None:
    """What pytest explains of an assert is cut off behind the author's sentence."""
    message, _ = failing(statement, secret=[0, 0])
    assert message == "All are wanted."


def test_no_source_without_a_sentence(failing: Failing) -> None:
    """An assert that says nothing tells nothing."""
    assert failing("assert secret[0]", secret=[0]) == ("", None)


def test_other_comparisons_name_themselves(failing: Failing) -> None:
    """For everything but `==` the expected side begins with the operator."""
    _, sides = failing("assert got > 2, 'More.'", got=1)
    assert sides == Sides(got="1", expected="> 2", diff=None)
    _, sides = failing("assert got in [3], 'In there.'", got=1)
    assert sides == Sides(got="1", expected="in [3]", diff=None)


def test_the_comparison_that_failed_is_shown(failing: Failing) -> None:
    """Of several comparisons in one assert the sides are those of the one that did not hold."""
    message, sides = failing("assert a == 1 and b == 3, 'Both.'", a=1, b=2)
    assert message == "Both."
    assert sides == Sides(got="2", expected="3", diff=None)
    _, sides = failing("assert 0 < a < b < 2, 'Between.'", a=1, b=2)
    assert sides == Sides(got="2", expected="< 2", diff=None)


def test_a_sentence_of_many_lines_stays_whole(failing: Failing) -> None:
    """Lines of the author's sentence are kept, also one that looks like an assert."""
    message, sides = failing("assert got == 2, text", got=1, text="one\ntwo\nassert three")
    assert [line.strip() for line in message.splitlines()] == ["one", "two", "assert three"]
    assert sides is not None


def test_a_passing_comparison_before_leaves_nothing(failing: Failing) -> None:
    """Sides of an assert that held, or of an error the test dealt with, are not shown later."""
    statement = """
try:
    assert got == 5, 'first'
except AssertionError:
    pass
raise AssertionError('second')
"""
    assert failing(statement, got=1) == ("second", None)


def test_text_of_pytests_own_form() -> None:
    """The messages that pytest builds of a token are taken apart, whatever the author wrote."""
    comparisons = Comparisons()
    token = comparisons.explain("==", [1], [2])
    sides = Sides(got="[1]", expected="[2]", diff=None)
    assert comparisons.split(f"A sentence.\nassert {token}") == ("A sentence.", sides)
    assert comparisons.split(f"assert {token}\n +  where x = f(secret)") == ("", sides)
    assert comparisons.split(f"A.\nassert not ({token} and secret)") == ("A.", sides)
    assert comparisons.split("Raised by hand.") == ("Raised by hand.", None)
    assert comparisons.split("") == ("", None)
    assert comparisons.split("A.\nassert 3 == secret\n +  where") == ("A.", None)


def test_tokens_cannot_be_foreseen() -> None:
    """Text of the learner's cannot stand for the sides of a comparison."""
    tokens = {Comparisons().explain("==", 1, 2) for _ in range(50)}
    assert len(tokens) == 50
    assert all(len(token) > 30 for token in tokens)


@pytest.mark.parametrize("first", ["a", "a " * 60], ids=["short", "long"])
def test_lines_get_a_diff(first: str) -> None:
    """Text of several lines and values that take several lines are compared line by line."""
    comparisons = Comparisons()
    token = comparisons.explain("==", f"{first}\nx\nc", f"{first}\nb\nc")
    _, sides = comparisons.split(f"assert {token}")
    assert sides is not None
    assert sides.diff is not None
    assert {"-b", "+x"} <= set(sides.diff.splitlines())
    rows = [{"id": number, "name": "n" * 20} for number in range(9)]
    token = comparisons.explain("==", rows[:-1], rows)
    _, sides = comparisons.split(f"assert {token}")
    assert sides is not None
    assert sides.diff is not None
    assert sides.diff.startswith("--- expected")


@pytest.mark.parametrize(("got", "expected"), [("a", "b"), (1, 2), ("a\n", "a"), ("x", ["y"])])
def test_what_fits_one_line_gets_none(got: Any, expected: Any) -> None:
    """A diff of two short values would say nothing more."""
    comparisons = Comparisons()
    _, sides = comparisons.split(f"assert {comparisons.explain('==', got, expected)}")
    assert sides is not None
    assert sides.diff is None


def test_a_long_diff_is_cut() -> None:
    """Everything different is said with a bounded number of lines, each of bounded length."""
    comparisons = Comparisons()
    got, expected = (
        "\n".join("x" * 900 for _ in range(400)),
        "\n".join("yz" * 9 for _ in range(400)),
    )
    _, sides = comparisons.split(f"assert {comparisons.explain('==', got, expected)}")
    assert sides is not None
    assert sides.diff is not None
    assert len(sides.diff.splitlines()) == MOST_LINES + 1
    assert max(map(len, sides.diff.splitlines())) < 400


def deep() -> list[Any]:
    value: list[Any] = []
    for _ in range(50_000):
        value = [value]
    return value


HUGE: dict[str, Callable[[], Any]] = {
    "list": lambda: list(range(1_000_000)),
    "rows": lambda: [[number] for number in range(200_000)],
    "digits": lambda: 10**99_999,
    "digits in a list": lambda: [10**9_999],
    "deep": deep,
    "text": lambda: "x" * 10_000_000,
    "lines": lambda: "x\n" * 1_000_000,
    "bytes": lambda: b"\0" * 10_000_000,
    "set": lambda: {str(number) for number in range(300_000)},
    "dict": lambda: {str(number): number for number in range(300_000)},
    "decimal": lambda: Decimal("1" * 10_000),
}


@pytest.mark.parametrize("name", HUGE)
def test_huge_values_are_bounded_and_fast(name: str) -> None:
    """Whatever its size, a value is shown at once, in a few lines."""
    value = HUGE[name]()
    comparisons = Comparisons()
    began = time.thread_time()
    token = comparisons.explain("==", value, [1])
    spent = time.thread_time() - began
    _, sides = comparisons.split(f"assert {token}")
    assert sides is not None
    assert 0 < len(sides.got) <= LONGEST + 3
    assert spent < SECONDS


@settings(max_examples=40, deadline=None)
@given(
    st.recursive(
        st.none() | st.integers(-(10**5000), 10**5000) | st.text() | st.floats() | st.binary(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.text(max_size=2), inner)
            | st.lists(inner).map(tuple)
        ),
        max_leaves=8,
    )
)
def test_showing_never_raises(value: Any) -> None:
    """Any plain value has a bounded text."""
    assert 0 < len(show(value)) <= LONGEST + 3
