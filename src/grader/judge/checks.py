"""Hidden tests as pytest collected them: their marks read, chosen and put in order."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

KEYS = ("task", "points", "needs", "show", "hint", "seconds", "reveal_after")


class NotWellFormed(Exception):
    """The tests themselves are wrong: the exercise's author must mend them."""


@dataclass(frozen=True, kw_only=True)
class Check:
    id: str
    name: str
    task: str
    title: str
    points: float = 1.0
    needs: tuple[str, ...] = ()
    show: str | None = None
    hint: str = ""
    seconds: float = 10.0
    reveal_after: int | None = None

    def matches(self, wanted: str) -> bool:
        """Whether `wanted` names this check, or the function it is a parameter of."""
        return wanted in (self.id, self.name)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "task": self.task,
            "title": self.title,
            "points": self.points,
            "needs": list(self.needs),
            "show": self.show,
            "hint": self.hint,
            "seconds": self.seconds,
            "reveal_after": self.reveal_after,
        }


def read(item: pytest.Item) -> Check:
    """A check from its marks: those nearer to the test win, key by key."""
    if not isinstance(item, pytest.Function):
        raise NotWellFormed(f"{item.name}: only test functions can be checks")
    values: dict[str, Any] = {}
    # A parameter's own marks are nearest, but pytest lists them behind those of the function.
    own = [mark for mark in _parameter_marks(item) if mark.name == "check"]
    for mark in [*reversed(list(item.iter_markers("check"))), *own]:
        values.update(mark.kwargs)
        if mark.args:
            values["task"] = mark.args[0]
    unknown = sorted(set(values) - set(KEYS))
    if unknown or not isinstance(values.get("task"), str):
        wrong = f"unknown key '{unknown[0]}'" if unknown else "no task"
        raise NotWellFormed(f"{item.name}: its check mark has {wrong}")
    title = inspect.cleandoc(item.function.__doc__ or "").partition("\n")[0].strip()
    if not title:
        raise NotWellFormed(f"{item.name}: a check needs a docstring: its title")
    if hasattr(item, "callspec"):
        for name, value in [*item.callspec.params.items(), ("id", item.callspec.id)]:
            title = title.replace("{" + name + "}", str(value))
    values["needs"] = tuple(values.get("needs", ()))
    return Check(id=item.name, name=item.originalname, title=title, **values)


def _parameter_marks(item: pytest.Function) -> Iterable[pytest.Mark]:
    return item.callspec.marks if hasattr(item, "callspec") else ()


def place(item: pytest.Item) -> tuple[str, ...]:
    """What a random order may move: its module, its class, itself; nothing inside `keep`."""
    names = []
    for node in reversed(list(item.iter_parents())):
        names.append(node.nodeid)
        if any(mark.name == "keep" for mark in node.own_markers):
            break
    return tuple(names)


def select(checks: list[Check], only: list[str]) -> list[Check]:
    """The checks asked for and all that they need; every check when nothing is asked for."""
    twice = {check.id for check in checks if sum(o.id == check.id for o in checks) > 1}
    if twice:
        raise NotWellFormed(f"two checks are called {sorted(twice)[0]}")
    if not only:
        return checks
    wanted = list(only)
    chosen: set[str] = set()
    while wanted:
        name = wanted.pop()
        for check in checks:
            if check.matches(name) and check.id not in chosen:
                chosen.add(check.id)
                wanted += check.needs
    return [check for check in checks if check.id in chosen]


def shuffled(checks: list[Check], places: Mapping[str, tuple[str, ...]], seed: int) -> list[Check]:
    """The order that this seed gives: modules change places, and classes and checks in them.

    `places` are those of the checks, by id: what has the same place stays in file order.
    """

    def drawn(check: Check) -> list[bytes]:
        return [hashlib.sha256(f"{seed}:{part}".encode()).digest() for part in places[check.id]]

    return sorted(checks, key=drawn)


def order(checks: list[Check]) -> list[Check]:
    """The same order, but a check comes after everything it needs."""
    done: list[Check] = []
    waiting = list(checks)
    while waiting:
        ready = next((c for c in waiting if not _waits(c, waiting)), None)
        if ready is None:
            names = ", ".join(check.id for check in waiting)
            raise NotWellFormed(f"these checks need each other in a circle: {names}")
        waiting.remove(ready)
        done.append(ready)
    return done


def _waits(check: Check, waiting: Iterable[Check]) -> bool:
    return any(other.matches(need) for need in check.needs for other in waiting)
