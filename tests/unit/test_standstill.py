"""Time that went by while nothing ran: a machine that slept, containers that were stopped."""

from __future__ import annotations

import time

import pytest

from grader.judge import standstill
from grader.judge.standstill import Deadline, Standstill


class Clock:
    """Time passes only when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def looks(deadline: Deadline, clock: Clock, seconds: float) -> bool:
    """Look as often as is asked for, for so long; whether the limit passed meanwhile."""
    end = clock.now + seconds
    while clock.now < end:
        clock.now += standstill.LOOK_EVERY
        if deadline.is_over():
            return True
    return False


def test_a_limit_passes_while_it_is_looked_at() -> None:
    """Two seconds are two seconds."""
    clock = Clock()
    deadline = Deadline(2.0, clock)
    assert not looks(deadline, clock, 1.9)
    assert deadline.spent == pytest.approx(1.9)
    assert looks(deadline, clock, 0.5)


def test_a_sleep_of_the_machine_does_not_count() -> None:
    """An hour in which nobody looked is no time at all; the rest of the limit is still there."""
    clock = Clock()
    deadline = Deadline(2.0, clock)
    assert not looks(deadline, clock, 1.0)
    clock.now += 3600
    assert not deadline.is_over()
    assert not looks(deadline, clock, 0.8)
    assert looks(deadline, clock, 0.5)


def test_a_clock_that_is_set_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither forward nor back: only the monotonic clock is asked."""
    deadline, now = Deadline(5.0), time.time()
    for jump in (1e6, -1e6):
        monkeypatch.setattr(time, "time", lambda jump=jump: now + jump)
        assert not deadline.is_over()
        assert deadline.spent < 5


def test_a_short_wait_is_no_standstill() -> None:
    """A busy machine is late by fractions of a second."""
    seen, began = Standstill(), time.monotonic()
    time.sleep(0.3)
    assert seen.since(began) == 0


def test_a_standstill_is_seen_at_once_and_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks right behind it hears of it, before the thread that looks had its turn."""
    seen, began = Standstill(), time.monotonic()
    real, late = time.monotonic, 0.0
    monkeypatch.setattr(time, "monotonic", lambda: real() + late)
    late = 30.0
    assert seen.since(began) == pytest.approx(30, abs=5)
    time.sleep(0.5)
    assert seen.since(began) == pytest.approx(30, abs=5)
    assert seen.since(real() + late) == 0  # a check that began behind it has no part in it
