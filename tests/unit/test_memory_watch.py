"""Whose out of memory it was: the engine's events, and the times of checks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from grader.engine.docker.memory import LATE, MemoryWatch


class Stream:
    """What the engine says, as the SDK hands it on."""

    def __init__(self, *at: float) -> None:
        self._at = at

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for moment in self._at:
            yield {"Action": "oom", "Actor": {"ID": "sandbox"}, "timeNano": int(moment * 1e9)}

    def close(self) -> None:
        pass


class Client:
    def __init__(self, *at: float) -> None:
        self._stream = Stream(*at)

    def events(self, **_: object) -> Stream:
        return self._stream


def watch(*at: float) -> MemoryWatch:
    made = MemoryWatch(Client(*at), "session", 0)  # type: ignore[arg-type]  # all that is used
    made._thread.join(5)
    return made


NOW = time.time() - 100


def test_an_event_belongs_to_the_check_in_whose_time_it_was() -> None:
    """Not to the one before, and not to the next, however soon that begins."""
    seen = watch(NOW + 1.0)
    assert not seen.met_limit({"sandbox"}, NOW + 0.0, NOW + 0.8)
    assert not seen.met_limit({"another"}, NOW + 0.9, NOW + 1.01)
    assert seen.met_limit({"sandbox"}, NOW + 0.9, NOW + 1.01)
    assert not seen.met_limit({"sandbox"}, NOW + 1.02, NOW + 2.0)


def test_a_late_event_is_told_once() -> None:
    """The engine may speak when the next check runs already; that one is not blamed for it."""
    late = NOW + 1.0 + LATE / 2
    seen = watch(late)
    assert seen.met_limit({"sandbox"}, NOW, NOW + 1.0)
    assert not seen.met_limit({"sandbox"}, NOW + 1.01, NOW + 2.0)


def test_two_checks_in_a_row_may_meet_it() -> None:
    """Each with an event of its own."""
    seen = watch(NOW + 0.5, NOW + 1.5)
    assert seen.met_limit({"sandbox"}, NOW, NOW + 1.0)
    assert seen.met_limit({"sandbox"}, NOW + 1.01, NOW + 1.6)
