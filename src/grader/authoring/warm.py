"""Many submissions of one exercise, graded side by side, each worker's session kept warm."""

from __future__ import annotations

import contextlib
import queue
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TypeVar

from grader.engine.base import Engine, SessionSpec
from grader.errors import InfrastructureError
from grader.grade import GradeOptions, grade
from grader.making import Maker
from grader.model.exercise import Exercise
from grader.model.report import Report, Status
from grader.model.submission import Submission

T = TypeVar("T")
R = TypeVar("R")


@dataclass
class Worker:
    """One session at a time, used again by the next submission."""

    exercise: Exercise
    engine: Engine
    options: GradeOptions
    warm: bool = False
    owner: str = field(default_factory=lambda: f"grader-authoring-{secrets.token_hex(6)}")

    def __post_init__(self) -> None:
        self.maker = Maker(self.exercise, self.engine, _nobody, owner=self.owner)

    def grade(
        self, submission: Submission, only: tuple[str, ...] = (), seed: int | None = None
    ) -> Report:
        """Grade one, made for the seed where it has to be. Raises what grader.grade raises."""
        options = replace(self.options, owner=self.owner, only=only, maker=self.maker)
        if seed is not None:
            options = replace(options, seed=seed, learner_seed=seed)
        made = self.maker.submission(submission, options.learner_seed, ends=False)
        self.warm = False
        report = grade(self.exercise, made, self.engine, options, _nobody)
        self.warm = report.status is not Status.ERROR
        return report

    def end(self) -> None:
        """End the session that the last run left warm."""
        self.maker.end()
        if not self.warm:
            return
        spec = SessionSpec(
            exercise=self.exercise.slug,
            runner=self.exercise.runner,
            services=tuple(self.exercise.services),
            limits=self.exercise.limits,
            owner=self.owner,
        )
        with (
            contextlib.suppress(InfrastructureError),
            self.engine.session(spec, _nobody) as session,
        ):
            session.spoil()


class Workers:
    """A fixed number of workers; `each` gives every item to one that is free."""

    def __init__(
        self, exercise: Exercise, make: Callable[[], Engine], options: GradeOptions, jobs: int
    ) -> None:
        self._all = [Worker(exercise, make(), options) for _ in range(jobs)]
        self._free: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        self._stopped = threading.Event()
        for worker in self._all:
            self._free.put(worker)

    def each(
        self, items: Sequence[T], work: Callable[[Worker, T], R]
    ) -> Iterator[tuple[T, R | None]]:
        """Items with what `work` made of them, as they get ready; None once `stop` was called.

        Raises what `work` raises. The sessions have ended when the last item was taken.
        """
        pool = ThreadPoolExecutor(max_workers=len(self._all))
        ready: queue.SimpleQueue[tuple[T, Future[R | None]]] = queue.SimpleQueue()
        try:
            for item in items:
                future = pool.submit(self._one, work, item)
                future.add_done_callback(lambda done, item=item: ready.put((item, done)))  # type: ignore[misc]  # item is bound
            for _ in items:
                item, done = ready.get()
                yield item, done.result()
        finally:
            self.stop()
            pool.shutdown(cancel_futures=True)
            for worker in self._all:
                worker.end()

    def stop(self) -> None:
        """Begin no more work."""
        self._stopped.set()

    def _one(self, work: Callable[[Worker, T], R], item: T) -> R | None:
        if self._stopped.is_set():
            return None
        worker = self._free.get()
        try:
            return work(worker, item)
        finally:
            self._free.put(worker)


def _nobody(_event: object) -> None:
    """A listener for runs nobody watches."""
