"""Which sandboxes a session has: the main one, one started ahead, and those beside it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future

from grader.engine.base import FURTHER, Sandbox
from grader.errors import SessionLost

MAIN_SLOTS = ("slot0", "slot1", "slot2")
FURTHER_SLOTS = tuple(f"further{number}" for number in range(FURTHER))
REFERENCE_SLOT = "reference"
SLOTS = (*MAIN_SLOTS, *FURTHER_SLOTS, REFERENCE_SLOT)
"""Places that the judge has mounted: a volume each, through which it reaches one sandbox."""


class Sandboxes:
    """`start` makes a container for a slot, `kill` ends one by its name."""

    def __init__(
        self,
        start: Callable[[str], Sandbox],
        kill: Callable[[str], None],
        pool: Executor,
        main: tuple[str, ...] = MAIN_SLOTS,
    ) -> None:
        self._start = start
        self._kill = kill
        self._pool = pool
        self._main = main
        self._ahead: Future[Sandbox] | None = None
        self._used: dict[str, str] = {}

    def start_ahead(self) -> None:
        """Begin to make the next main one."""
        self._ahead = self._pool.submit(self._start, self._free(self._main))

    def adopt(self, waiting: Sandbox) -> None:
        """Use one as the next that an earlier process started ahead."""
        self._ahead = Future()
        self._ahead.set_result(waiting)

    def take(self) -> Sandbox:
        """The next main one. Raises SessionLost, InfrastructureError."""
        ahead, self._ahead = self._ahead, None
        ready = ahead.result() if ahead is not None else self._start(self._free(self._main))
        self._used[ready.slot] = ready.name
        return ready

    def further(self, count: int) -> list[Sandbox]:
        """So many beside it, started side by side. Raises SessionLost, InfrastructureError."""
        starting = []
        for _ in range(count):
            slot = self._free(FURTHER_SLOTS)
            self._used[slot] = ""
            starting.append(self._pool.submit(self._start, slot))
        made = [one.result() for one in starting]
        self._used.update({sandbox.slot: sandbox.name for sandbox in made})
        return made

    def _free(self, slots: tuple[str, ...]) -> str:
        for slot in slots:
            if slot not in self._used:
                return slot
        raise SessionLost("every place for a sandbox is taken")

    def discard(self, sandbox: Sandbox) -> None:
        self._kill(sandbox.name)
        self._used.pop(sandbox.slot, None)

    def waiting(self) -> Sandbox | None:
        """The one that was started ahead."""
        return None if self._ahead is None else self._ahead.result()

    def used(self) -> set[str]:
        """The names of those that the session's run has had."""
        return set(self._used.values())
