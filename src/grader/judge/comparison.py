"""The two sides of a failing comparison, as bounded text a learner can read.

pytest's own explanation of a failed assert shows test source, so it is cut: the comparison hook
returns a token under which both sides are kept, and the text from there on is thrown away.
"""

from __future__ import annotations

import difflib
import itertools
import pprint
import reprlib
import secrets
from dataclasses import dataclass
from typing import Any

LONGEST = 4000
MOST_LINES = 60
DEEPEST = 20
"""Levels that are laid out with line breaks, at most."""
MOST_TEXT = 100_000
"""Characters of a text that are compared line by line."""


@dataclass(frozen=True)
class Sides:
    got: str
    expected: str
    diff: str | None


class Comparisons:
    """Keeps the sides of the comparisons that failed in one test."""

    def __init__(self) -> None:
        self._kept: dict[str, Sides] = {}

    def explain(self, op: str, left: Any, right: Any) -> str:
        """Called for each failing comparison in an assert; the returned token ends up in it."""
        token = f"@{secrets.token_hex(16)}@"
        expected = show(right)
        diff = None
        if op == "==":
            diff = _diff_text(left, right) or _diff(expected, show(left))
        else:
            expected = f"{op} {expected}"
        self._kept[token] = Sides(show(left), expected, diff)
        return token

    def split(self, text: str) -> tuple[str, Sides | None]:
        """The author's sentence and the sides, out of the text of an AssertionError."""
        found = [token for token in self._kept if token in text]
        if not found:
            return _before_assert(text), None
        # Of several in one assert, the last is the one that did not hold.
        last, first = max(found, key=text.rindex), min(found, key=text.index)
        return _before_assert(text.partition(first)[0] + "\n"), self._kept[last]


def _before_assert(text: str) -> str:
    if text.startswith("assert "):
        return ""
    return text.partition("\nassert ")[0].strip()


def show(value: Any) -> str:
    """A bounded, readable form; never raises, whatever the size."""
    try:
        text = pprint.pformat(value, width=76, sort_dicts=False) if _small(value) else ""
    except (ValueError, ArithmeticError, RecursionError):  # of sets: NaNs cannot be sorted
        text = ""
    if not text:
        text = _SHORT.repr(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + "..."


class _Short(reprlib.Repr):
    """reprlib, but never slow and never raising."""

    def repr_int(self, x: int, level: int) -> str:
        del level
        digits = int(x.bit_length() * 0.30103) + 1
        return repr(x) if digits < self.maxlong else f"<a number of about {digits} digits>"

    def repr_bytes(self, x: bytes, level: int) -> str:
        del level
        return repr(x[: self.maxother]) + ("..." if len(x) > self.maxother else "")

    def repr_set(self, x: set[Any], level: int) -> str:
        return self._some(x, level, "{", "}") if x else "set()"

    def repr_frozenset(self, x: frozenset[Any], level: int) -> str:
        return self._some(x, level, "frozenset({", "})")

    def _some(self, x: set[Any] | frozenset[Any], level: int, left: str, right: str) -> str:
        """Unsorted: sorting a million items for twenty of them takes a second."""
        shown = [self.repr1(item, level - 1) for item in itertools.islice(x, self.maxset)]
        return left + ", ".join(shown + ["..."] * (len(x) > self.maxset)) + right


_SHORT = _Short()
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxset = _SHORT.maxfrozenset = _SHORT.maxdict = 20
_SHORT.maxstring = _SHORT.maxother = 500
_SHORT.maxlong = 200


def _small(value: Any) -> bool:
    """Whether pprint is safe: counts items without going deep or far.

    It writes out the whole inside of each level anew: 600 lists in each other take it minutes.
    """
    budget = 2000
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        budget -= 1
        inner: list[Any] = []
        if isinstance(item, str | bytes | bytearray):
            budget -= len(item) // 20
        elif isinstance(item, int) and item.bit_length() > 4000:
            return False
        elif isinstance(item, dict):
            inner = [*list(item.keys())[:budget], *list(item.values())[:budget]]
        elif isinstance(item, list | tuple | set | frozenset):
            inner = list(item)[: budget + 1]
        waiting += [(one, depth + 1) for one in inner]
        if budget <= 0 or depth > DEEPEST:
            return False
    return True


def _diff(expected: str, got: str) -> str | None:
    if "\n" not in expected and "\n" not in got:
        return None
    return _lines_diff(expected.splitlines(), got.splitlines())


def _diff_text(left: Any, right: Any) -> str | None:
    """Text of several lines is compared line by line, not as one long repr."""
    if not (isinstance(left, str) and isinstance(right, str)):
        return None
    left, right = left[:MOST_TEXT], right[:MOST_TEXT]
    if "\n" not in left.strip() and "\n" not in right.strip():
        return None
    return _lines_diff(right.splitlines()[:500], left.splitlines()[:500])


def _lines_diff(expected: list[str], got: list[str]) -> str | None:
    lines = list(
        difflib.unified_diff(
            [line[:300] for line in expected],
            [line[:300] for line in got],
            "expected",
            "got",
            lineterm="",
            n=2,
        )
    )
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"... {len(lines) - MOST_LINES} more lines"]
    return "\n".join(lines) or None
