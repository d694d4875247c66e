"""Grades many submissions side by side. Whatever ends it, what was written is done, once."""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass

from grader.batch.handed import Handed
from grader.batch.store import Result, Store, Verdict
from grader.catalog.digest import exercise_digest
from grader.engine.base import Engine
from grader.errors import SubmissionError, UsageError
from grader.grade import GradeOptions, grade, spec_of
from grader.model.exercise import Exercise
from grader.model.progress import Listener as Heard
from grader.model.report import Report, Status
from grader.model.seeds import learner_seed, run_seed
from grader.model.submission import Submission
from grader.report.jsonform import to_json
from grader.workspace import snapshot

SPARE = 1
"""Submissions at a time beyond one a processor: each waits now and then."""


@dataclass(frozen=True)
class Begun:
    """A worker took up a submission."""

    handed: Handed
    worker: int


@dataclass(frozen=True)
class Ended:
    """A submission is done. `known`: its result was there already, and nothing ran.

    `before` is the result of an earlier version, in a regrade.
    """

    result: Result
    worker: int
    known: bool = False
    before: Result | None = None


News = Begun | Ended
Listener = Callable[[News], None]


@dataclass(frozen=True, kw_only=True)
class BatchOptions:
    """`secret` is the course's, "" when it has none: seeds are drawn then.

    `regrade`: what was graded with another exercise or other images is graded again. `trusted`:
    also on an engine that does not hold programs back.
    """

    jobs: int = 0
    secret: str = ""
    regrade: bool = False
    trusted: bool = False


class _Stopped(Exception):
    """Another worker met what ends the batch, or the user has had enough."""


class Batch:
    """The submissions of one exercise, graded into one store."""

    def __init__(
        self,
        exercise: Exercise,
        make_engine: Callable[[], Engine],
        store: Store,
        options: BatchOptions,
    ) -> None:
        self._exercise = exercise
        self._make_engine = make_engine
        self._store = store
        self._options = options
        self._digest = exercise_digest(exercise)
        version = make_engine().version(spec_of(exercise, ""))
        self._images = hashlib.sha256(version.encode()).hexdigest()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._retried: set[Handed] = set()
        self.jobs = options.jobs or (os.cpu_count() or 1) + SPARE

    def prepare(self, progress: Heard) -> None:
        """Bring the images that every submission needs. Raises EngineUnavailable, ImageError."""
        self._make_engine().prepare(spec_of(self._exercise, ""), progress)

    def run(self, handed: Sequence[Handed], listener: Listener) -> None:
        """Grade each one that has no result yet.

        Raises EngineUnavailable, ImageError, InfrastructureError when the engine does not hold
        programs back, ExerciseError for broken tests, RecordError. Results written stay.
        """
        todo = deque(handed)
        self._stop.clear()

        def say(news: News) -> None:
            with self._lock:
                listener(news)

        count = max(1, min(self.jobs, len(todo)))
        pool = ThreadPoolExecutor(count)
        try:
            futures = [pool.submit(self._work, number, todo, say) for number in range(count)]
            for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                future.result()
        finally:
            self._stop.set()
            pool.shutdown(wait=True, cancel_futures=True)

    def plan(
        self, handed: Sequence[Handed]
    ) -> tuple[list[Handed], int, list[tuple[Handed, Result, list[str]]]]:
        """What has no result, how many have one, and which of those are outdated and why.

        Runs nothing.
        """
        new, known, outdated = [], 0, []
        for one in handed:
            try:
                digest = self._snapshot(one).digest
            except (SubmissionError, UsageError):
                new.append(one)
                continue
            before = self._store.last(one.learner, self._exercise.slug, digest)
            if before is None:
                new.append(one)
            elif why := self.changes(before):
                outdated.append((one, before, why))
            else:
                known += 1
        return new, known, outdated

    def changes(self, before: Result) -> list[str]:
        """What is different now from what a result was made with, in words."""
        found = []
        if before.exercise_version != self._exercise.version:
            found.append(
                f"version {self._exercise.version} of the exercise, was {before.exercise_version}"
            )
        elif before.exercise_digest != self._digest:
            found.append("the exercise's tests, reference or limits changed")
        if before.images != self._images:
            found.append("images or grader's own code changed")
        return found

    # -- one worker -------------------------------------------------------------------------------

    def _work(self, number: int, todo: deque[Handed], say: Listener) -> None:
        engine = self._make_engine()
        # Without services, all that a session keeps is the judge, which no learner's code enters;
        # sandboxes are new for each run. Servers that one learner used are never given to another.
        owner = "" if self._exercise.services else f"batch-{secrets.token_hex(6)}"
        try:
            while not self._stop.is_set():
                try:
                    handed = todo.popleft()
                except IndexError:
                    break
                say(Begun(handed, number))
                ended = self._one(handed, number, engine, owner)
                if ended.result.status is Verdict.ERROR and handed not in self._retried:
                    self._retried.add(handed)  # once more, when everything else is done
                    todo.append(handed)
                else:
                    say(ended)
        except _Stopped:
            pass
        finally:
            if owner:
                engine.release(spec_of(self._exercise, owner))

    def _one(self, handed: Handed, worker: int, engine: Engine, owner: str) -> Ended:
        try:
            submission = self._snapshot(handed)
        except SubmissionError as error:
            said = "; ".join(str(one) for one in error.problems) or error.message
            result = self._result(handed, status=Verdict.REFUSED, message=said)
            self._store.add(result)
            return Ended(result, worker)
        except UsageError as error:  # it cannot be read: a disk, rights
            result = self._result(handed, status=Verdict.ERROR, message=error.message)
            self._store.add(result)
            return Ended(result, worker)
        before = self._store.last(handed.learner, self._exercise.slug, submission.digest)
        if before is not None and not (self._options.regrade and self.changes(before)):
            return Ended(before, worker, known=True)
        result = self._graded(handed, submission, before, engine, owner)
        if not self._store.add(result):  # another batch was quicker: its result stands
            stored = self._store.last(handed.learner, self._exercise.slug, submission.digest)
            return Ended(stored or result, worker, known=True)
        return Ended(result, worker, before=before)

    def _snapshot(self, handed: Handed) -> Submission:
        return snapshot(handed.path, self._exercise.submit, self._exercise.limits)

    def _graded(
        self,
        handed: Handed,
        submission: Submission,
        before: Result | None,
        engine: Engine,
        owner: str,
    ) -> Result:
        exercise, secret = self._exercise, self._options.secret
        seed: int | None = None
        own = 0
        if secret:
            of = (secret, handed.learner, exercise.slug, exercise.version)
            own, seed = learner_seed(*of), run_seed(*of, submission.digest)
        elif before is not None:  # so that nothing but the change can make a difference
            seed = before.seed
        options = GradeOptions(
            seed=seed, learner_seed=own, owner=owner, trusted=self._options.trusted
        )
        began = time.monotonic()
        report = grade(exercise, submission, engine, options, self._go_on)
        return self._result(
            handed,
            submission=report.submission,
            status=_verdict(report),
            score=report.score,
            seconds=round(time.monotonic() - began, 3),
            seed=report.seed,
            message=report.error or ("no check ran" if report.score is None else ""),
            report=to_json(report).decode(),
        )

    def _result(self, handed: Handed, *, status: Verdict, **values: object) -> Result:
        return Result(
            learner=handed.learner,
            name=handed.name,
            exercise=self._exercise.slug,
            exercise_version=self._exercise.version,
            exercise_digest=self._digest,
            images=self._images,
            path=str(handed.path),
            handed_in=handed.time.isoformat(timespec="seconds") if handed.time else None,
            status=status,
            **{"submission": "", **values},  # type: ignore[arg-type]  # names and types are Result's
        )

    def _go_on(self, _event: object) -> None:
        if self._stop.is_set():
            raise _Stopped


def _verdict(report: Report) -> Verdict:
    return {
        Status.PASSED: Verdict.PASSED,
        Status.FAILED: Verdict.FAILED,
        Status.ERROR: Verdict.ERROR,
    }[report.status]
