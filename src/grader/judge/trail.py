"""What a check asked of the submission, in order: for a learner who asks what it looked at.

One for each process, as there is one run in it. Nothing is kept unless somebody asked.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from grader.judge.comparison import show

MOST = 80
"""Entries of one check."""
LONGEST = 300
"""Characters of one entry."""
VALUE = 120
"""Characters of one value in it."""


class Trail:
    """Entries of the check that runs."""

    def __init__(self) -> None:
        self.open = False
        self._entries: list[str] = []
        self._missing = 0
        self.gave_nothing = ""  # the first call that returned None or an empty value

    def begin(self) -> None:
        """Another check begins."""
        self._entries, self._missing, self.gave_nothing = [], 0, ""

    def saw(self, text: str) -> None:
        """Add an entry. Safe from any thread."""
        if not self.open:
            return
        if len(self._entries) < MOST:
            self._entries.append(_short(text, LONGEST))
        else:
            self._missing += 1

    def called(
        self, what: str, args: Sequence[Any], kwargs: Mapping[str, Any], ended: str, value: Any = ""
    ) -> None:
        """A call into the learner's code and how it ended."""
        if not self.open:
            return
        given = [shown(one) for one in args] + [f"{k}={shown(v)}" for k, v in kwargs.items()]
        call = f"{what}({', '.join(given)})"
        empty = value is None or (isinstance(value, list | tuple | dict | str) and not value)
        if empty and ended == "returned " and not self.gave_nothing:
            self.gave_nothing = f"{what}() returned {value!r}"
        self.saw(f"{call} {ended}{shown(value) if ended == 'returned ' else value}")

    @property
    def entries(self) -> list[str]:
        more = [f"... and {self._missing} more"] if self._missing else []
        return [*self._entries, *more]


def shown(value: Any) -> str:
    """A value on one line, cut."""
    return _short(" ".join(show(value).split("\n")), VALUE)


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."


def same_but_case(name: str, names: Sequence[str]) -> str:
    """The one of `names` that differs from `name` in upper and lower case only; "" for none."""
    others = itertools.chain((one for one in names if one.casefold() == name.casefold()), [""])
    return "" if name in names else next(others)


TRAIL = Trail()
