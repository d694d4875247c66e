"""Proves exercises: their files first, then every proof, side by side on warm sessions."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from grader import shipped
from grader.authoring.cache import Proofs, key
from grader.authoring.files import file_findings
from grader.authoring.proofs import Asked, Kind, Proof, Proven, proofs, prove, unneeded
from grader.authoring.times import Ran
from grader.catalog import find, load_roadmap
from grader.engine import runners
from grader.engine.base import Engine
from grader.errors import (
    EngineUnavailable,
    ExerciseError,
    ImageError,
    InfrastructureError,
    Problem,
)
from grader.grade import GradeOptions, grade, spec_of
from grader.making import Maker
from grader.model import progress as progress_of
from grader.model.exercise import Exercise
from grader.model.report import Status

OWNER = f"grader validate {os.getpid()}"


@dataclass(frozen=True)
class ProofBegun:
    """A proof is being made by a worker; workers count from 0."""

    proof: Proof
    worker: int


@dataclass(frozen=True)
class ProofEnded:
    """How it came out; `worker` is None for one that was known."""

    proof: Proof
    proven: Proven
    worker: int | None


@dataclass(frozen=True)
class ProofLost:
    """It could not be made: something of ours failed."""

    proof: Proof
    worker: int
    reason: str


News = ProofBegun | ProofEnded | ProofLost
Listener = Callable[[News], None]


@dataclass(kw_only=True)
class Validation:
    """All that is known of one exercise. `exercise` is None when its files cannot be read.

    `problems` are all there are; `wrong_files` and `unneeded` those that no single proof has.
    """

    name: str
    exercise: Exercise | None = None
    problems: list[Problem] = field(default_factory=list)
    wrong_files: list[Problem] = field(default_factory=list)
    unneeded: list[Problem] | None = None
    """Checks that no mutant fails; None while that is not known."""
    warnings: list[Problem] = field(default_factory=list)
    proofs: list[Proof] = field(default_factory=list)
    ended: list[ProofEnded] = field(default_factory=list)
    lost: list[ProofLost] = field(default_factory=list)

    @property
    def proven(self) -> bool:
        complete = self.exercise is not None and len(self.ended) == len(self.proofs)
        return complete and not self.problems

    def add(self, news: ProofEnded | ProofLost) -> None:
        """Take in how one proof came out."""
        if isinstance(news, ProofLost):
            self.lost.append(news)
            return
        self.ended.append(news)
        self.problems += news.proven.problems
        self.warnings += news.proven.warnings

    def finish(self) -> None:
        """What only all proofs together show."""
        mutants = [one for one in self.ended if one.proof.kind is Kind.MUTANT]
        if self.exercise and len(mutants) == len(self.exercise.mutants):
            rejected = [name for one in mutants for name in one.proven.rejected_by]
            for one in mutants:  # what it should have been rejected by is told already
                if one.proven.problems and one.proof.mutant:
                    rejected += (*one.proof.mutant.fails, *one.proof.mutant.breaks)
            self.unneeded = unneeded(self.exercise, rejected)
            self.problems += self.unneeded
        self.problems = sorted(set(self.problems))
        self.warnings = sorted(set(self.warnings))


def examine(root: Path, name: str) -> Validation:
    """Look at the files of an exercise, and list its proofs.

    `name` is that of the exercise in the catalog at `root`, or its folder. Raises UsageError when
    there is none, ExerciseError when the catalog's roadmap is wrong.
    """
    roadmap = load_roadmap(root)
    known = runners.load(shipped.runners()).values()
    languages = [one.name for one in known if one.kind == "language"]
    try:
        exercise = find(root, name, roadmap=roadmap, runners=languages)
    except ExerciseError as error:
        problems = list(error.problems)
        return Validation(name=name, problems=problems, wrong_files=problems)
    found = file_findings(exercise, [one.name for one in known if one.kind == "service"])
    made, problems = proofs(exercise)
    return Validation(
        name=exercise.slug,
        exercise=exercise,
        problems=[*found.problems, *problems],
        wrong_files=[*found.problems, *problems],
        warnings=list(found.warnings),
        proofs=made,
    )


class Validator:
    """Makes the proofs of an exercise side by side, those that are not known already."""

    def __init__(
        self,
        exercise: Exercise,
        make_engine: Callable[[], Engine],
        cache: Proofs,
        jobs: int,
        *,
        kept: Path | None = None,
    ) -> None:
        """`kept` is a folder where workspaces that were made are remembered."""
        self._exercise = exercise
        self._kept = kept
        self._make_engine = make_engine
        self._cache = cache
        self._jobs = jobs
        self._spec = spec_of(exercise, "")
        self._made_of = make_engine().version(self._spec)

    def prove(
        self,
        validation: Validation,
        listener: Listener,
        progress: progress_of.Listener,
    ) -> None:
        """Make every proof; before that, `progress` hears of the images that have to be made.

        Raises EngineUnavailable, ImageError.
        """
        todo = deque(self._unknown(validation, listener))
        if todo:
            self._make_engine().prepare(self._spec, progress)
            self._side_by_side(validation, todo, listener)
        validation.finish()

    def _unknown(self, validation: Validation, listener: Listener) -> Iterator[Proof]:
        for proof in validation.proofs:
            known = self._cache.find(key(proof, self._made_of))
            if known is None:
                yield proof
            else:
                ended = ProofEnded(proof, known, None)
                validation.add(ended)
                listener(ended)

    def _side_by_side(self, validation: Validation, todo: deque[Proof], listener: Listener) -> None:
        lock, stop = threading.Lock(), threading.Event()

        def say(news: News) -> None:
            with lock:
                if not isinstance(news, ProofBegun):
                    validation.add(news)
                if isinstance(news, ProofEnded):
                    self._cache.keep(key(news.proof, self._made_of), news.proven)
                listener(news)

        workers = [
            Worker(number, self._make_engine(), self._exercise, stop, self._kept)
            for number in range(min(self._jobs, len(todo)))
        ]
        pool = ThreadPoolExecutor(len(workers))
        try:
            futures = [pool.submit(worker.work, todo, say) for worker in workers]
            for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                future.result()
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


class _Stopped(Exception):
    """Another worker failed, or the user has had enough."""


class Worker:
    """Makes proofs of one exercise, one after the other, on a warm session of its own."""

    def __init__(
        self,
        number: int,
        engine: Engine,
        exercise: Exercise,
        stop: threading.Event,
        kept: Path | None = None,
    ) -> None:
        self._number = number
        self._engine = engine
        self._exercise = exercise
        self._stop = stop
        self._owner = f"{OWNER} {number}"
        self._maker = Maker(exercise, engine, self._go_on, owner=self._owner, kept=kept)

    def work(self, todo: deque[Proof], say: Listener) -> None:
        """Take proofs until there is none left."""
        try:
            while not self._stop.is_set():
                try:
                    proof = todo.popleft()
                except IndexError:
                    break
                say(ProofBegun(proof, self._number))
                self._one(proof, say)
        except _Stopped:
            return
        finally:
            self._engine.release(spec_of(self._exercise, self._owner))
            self._maker.end()

    def _one(self, proof: Proof, say: Listener) -> None:
        try:
            proven = prove(proof, self._graded)
        except InfrastructureError as error:
            if isinstance(error, EngineUnavailable | ImageError):  # it would not get better
                raise
            say(ProofLost(proof, self._number, error.message))
            return
        say(ProofEnded(proof, proven, self._number))

    def _graded(self, asked: Asked) -> Ran:
        options = GradeOptions(
            seed=asked.seed,
            learner_seed=asked.seed,
            only=asked.only,
            shuffled=asked.shuffled,
            owner=self._owner,
            trusted=True,
            maker=self._maker,
        )
        limits: dict[str, float] = {}

        def listen(event: progress_of.Progress) -> None:
            self._go_on(event)
            if isinstance(event, progress_of.Collected):
                limits.update((check.id, check.seconds) for check in event.checks)

        submission = self._maker.submission(asked.submission, asked.seed, ends=asked.ends)
        report = grade(self._exercise, submission, self._engine, options, listen)
        if report.status is Status.ERROR:
            raise InfrastructureError(report.error or "no check ran")
        return Ran(report, limits)

    def _go_on(self, _event: object) -> None:
        if self._stop.is_set():
            raise _Stopped
