"""Notices when this process did not run: the machine slept, or its containers were stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LOOK_EVERY = 0.1
LONG = 1.0
"""Seconds without a look that no busy machine explains."""


class Standstill:
    """Looks at the clock in a thread. Time that went by unseen is nobody's, so no program's fault.

    The clock is the monotonic one. It stands still while a machine sleeps, and goes on while
    processes are stopped or a virtual machine is held.
    """

    def __init__(self) -> None:
        self._looked = time.monotonic()
        self._gaps: list[tuple[float, float]] = []
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            time.sleep(LOOK_EVERY)
            now = time.monotonic()
            if now - self._looked > LONG:
                self._gaps.append((now, now - self._looked))
            self._looked = now

    def since(self, begin: float) -> float:
        """The longest time, in seconds, that went by unseen since `begin`; 0 when none was long.

        A gap that is not over for the thread that looks counts already.
        """
        pending = time.monotonic() - self._looked
        gaps = [gap for end, gap in list(self._gaps) if end > begin]
        return max([*gaps, pending if pending > LONG else 0.0])


class Deadline:
    """A time limit that is looked at often, by a clock that nobody sets.

    Time in which nobody looked is not counted: whoever looks was stopped then, and the rest too.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seconds = seconds
        self._since = self._looked = clock()

    @property
    def spent(self) -> float:
        """Seconds that counted so far."""
        now = self._clock()
        if now - self._looked > LONG:
            self._since += now - self._looked
        self._looked = now
        return now - self._since

    def is_over(self) -> bool:
        """Whether the limit has passed; to be asked every LOOK_EVERY seconds."""
        return self.spent > self._seconds
