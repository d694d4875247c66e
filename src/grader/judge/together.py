"""Calls that begin at the same moment, for checks of what happens side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Together(Generic[T]):
    """Start calls at one barrier; the results come in order, the first exception is raised."""

    def __call__(self, calls: Iterable[Sequence[Any]], threads: int = 50) -> list[Any]:
        listed = [tuple(call) for call in calls]
        results: list[Any] = [None] * len(listed)
        errors: list[BaseException | None] = [None] * len(listed)
        barrier = threading.Barrier(min(threads, max(len(listed), 1)))
        indexes = iter(range(len(listed)))
        taking = threading.Lock()
        over = threading.Event()

        def work() -> None:
            barrier.wait(10)
            while True:
                with taking:
                    index = next(indexes, None)
                if index is None or over.is_set():
                    return
                fn, *args = listed[index]
                try:
                    results[index] = fn(*args)
                except BaseException as error:  # noqa: BLE001 -- raised again below, in order
                    errors[index] = error

        workers = [threading.Thread(target=work, daemon=True) for _ in range(barrier.parties)]
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        finally:
            over.set()  # a time limit cut in: the rest must not run into the next check
        for error in errors:
            if error is not None:
                raise error
        return results

    def start(self, fn: Callable[..., T], *args: Any) -> Future[T]:
        """Begin one call now; `.result()` waits for it."""
        return Future(fn, args)


class Future(Generic[T]):
    """A call that is under way."""

    def __init__(self, fn: Callable[..., T], args: Sequence[Any]) -> None:
        self._outcome: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(fn, args), daemon=True)
        self._thread.start()

    def _run(self, fn: Callable[..., T], args: Sequence[Any]) -> None:
        try:
            self._outcome.append(fn(*args))
        except BaseException as error:  # noqa: BLE001 -- raised again by result()
            self._error = error

    def done(self) -> bool:
        return not self._thread.is_alive()

    def result(self) -> T:
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._outcome[0]
