"""The judge's further sandboxes and its clock: who is clean, who is asked for, whose time it is."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest

from grader.judge.clock import Clock
from grader.judge.errors import AuthorFault, OutOfTime, SandboxLost
from grader.judge.result import Result
from grader.judge.sandboxes import Sandboxes


class Client:
    """An agent that remembers what it was asked; `broken` ones do not answer."""

    def __init__(self, slot: str) -> None:
        self.slot = slot
        self.asked: list[str] = []
        self.lost = False
        self.broken = False

    def request(self, op: str, **_: Any) -> dict[str, Any]:
        self.asked.append(op)
        if self.broken:
            self.lost = True
            raise SandboxLost("gone")
        return {}

    def close(self) -> None:
        self.lost = True


class Host:
    """Makes sandboxes, and knows which slots are in use."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, list[str]]] = []
        self.greeted: list[str] = []
        self.made = 0
        greet: Any = lambda client: self.greeted.append(client.slot)  # noqa: E731 -- one line is enough
        ask: Any = self._ask
        self.sandboxes: Any = Sandboxes(ask, greet, Clock(lambda _: None), 3)

    def _ask(self, count: int, lost: list[str]) -> list[Client]:
        self.asked.append((count, lost))
        self.made += count
        return [Client(f"s{number}") for number in range(self.made - count, self.made)]


def test_no_more_are_asked_for_than_are_missing() -> None:
    """What a check released is reset and taken again; all are clean at the next check."""
    host = Host()
    first, second = host.sandboxes.take(2)
    host.sandboxes.release(first)
    (again,) = host.sandboxes.take(1)
    assert (again, again.asked) == (first, ["reset"])
    host.sandboxes.reset()
    assert second.asked == ["reset"]
    third = host.sandboxes.take(3)
    assert host.asked == [(2, []), (1, [])]
    assert {first, second} < set(third)
    assert sorted(host.greeted) == ["s0", "s0", "s1", "s1", "s1", "s2"]


def test_a_lost_one_is_given_back_to_the_host() -> None:
    """Its slot is free again with the next request, and it is never taken again."""
    host = Host()
    (first,) = host.sandboxes.take(1)
    first.broken = True
    host.sandboxes.reset()
    (second,) = host.sandboxes.take(1)
    assert second is not first
    assert host.asked == [(1, []), (1, ["s0"])]
    assert list(host.sandboxes) == [second]


def test_one_that_was_lost_while_clean_is_not_taken() -> None:
    """Whatever ended it, nobody finds a dead sandbox."""
    host = Host()
    (first,) = host.sandboxes.take(1)
    host.sandboxes.reset()
    first.lost = True
    (second,) = host.sandboxes.take(1)
    assert second is not first
    assert host.asked[-1] == (1, ["s0"])


def test_there_is_a_limit() -> None:
    """More at once than there are places is the author's fault."""
    host = Host()
    host.sandboxes.take(2)
    with pytest.raises(AuthorFault, match="3 sandboxes"):
        host.sandboxes.take(2)


def test_the_clock_ends_a_check() -> None:
    """After its seconds OutOfTime is raised, wherever the test is."""
    clock = Clock(lambda _: None)
    clock.start(0.1)
    with pytest.raises(OutOfTime), clock.limited():
        time.sleep(5)


def test_a_stopped_clock_does_not_count() -> None:
    """Work of ours neither ends the check nor takes its time; those outside are told."""
    told: list[float] = []
    clock = Clock(told.append)
    clock.start(0.3)
    with clock.limited():
        with clock.stopped():
            time.sleep(0.5)
        time.sleep(0.05)
        assert 0.4 < clock.stopped_seconds < 5
    assert told[0] == 0.3
    assert told[1] > 60
    assert 0 < told[2] <= 0.3
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def _result(collect: tuple[str, ...], collected: dict[str, bytes]) -> Result:
    return Result(0, b"", b"", 0.1, collected, dict.fromkeys(collected, "file"), collect, None)


def test_a_fresh_run_keeps_what_was_collected() -> None:
    """A file that no glob names is the author's oversight; one that was not written, a failure."""
    result = _result(("*.txt", "out/**"), {"out/b.json": b"[1]"})
    assert (result.tree, result.json("out/b.json")) == ({"out/b.json": "file"}, [1])
    with pytest.raises(AssertionError, match=r"no file 'a\.txt'"):
        result.file("a.txt")
    with pytest.raises(LookupError, match="collect"):
        result.file("data.csv")
