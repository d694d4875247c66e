"""The time of one check: limited from inside, and stopped while the grader's own work is done."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator

from grader.judge.errors import OutOfTime

STOPPED_AT_MOST = 90.0
"""Seconds that work of ours inside a check may take before the judge counts as lost."""


class Clock:
    """`tell` says to those who watch from outside how many seconds the check has from now on."""

    def __init__(self, tell: Callable[[float], None]) -> None:
        self._tell = tell
        self._deadline = 0.0
        self._limiting = False
        self.stopped_seconds = 0.0

    def start(self, seconds: float) -> None:
        """A check begins and has so many seconds."""
        self._deadline = time.monotonic() + seconds
        self.stopped_seconds = 0.0
        self._tell(seconds)

    @contextlib.contextmanager
    def limited(self) -> Iterator[None]:
        """Raise OutOfTime in the main thread when the check's time is over."""
        signal.signal(signal.SIGALRM, _expire)
        self._limiting = True
        self._arm()
        try:
            yield
        finally:
            self._limiting = False
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _arm(self) -> None:
        left = self._deadline - time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, max(left, 0.01))

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """What happens in here is not the learner's time: starting another sandbox, say."""
        if not self._limiting:
            yield
            return
        began = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._tell(STOPPED_AT_MOST)
        try:
            yield
        finally:
            seconds = time.monotonic() - began
            self._deadline += seconds
            self.stopped_seconds += seconds
            self._tell(max(self._deadline - time.monotonic(), 0.01))
            if self._limiting:
                self._arm()


def _expire(*_: object) -> None:
    raise OutOfTime
