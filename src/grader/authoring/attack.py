"""Proof that no dishonest or hostile submission gets anything out of an exercise."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader import shipped
from grader.authoring import archives, corpus, variants
from grader.authoring.cache import Proofs, attack_key
from grader.authoring.corpus import EARNS, HARMS, REFUSED, SIGN, Attack
from grader.authoring.proofs import Proven
from grader.authoring.warm import Worker, Workers
from grader.engine.base import Engine
from grader.errors import ExerciseError, InfrastructureError, SubmissionError
from grader.grade import GradeOptions, spec_of
from grader.model.exercise import Exercise
from grader.model.progress import Listener, Stage
from grader.model.report import CheckResult, Outcome, Report, Status
from grader.model.submission import Submission
from grader.report.jsonform import to_json
from grader.report.terminal import to_text

SEED = 7
QUICK = 2
"""Checks that an attack meets whose aim is not the points."""
LONGEST = 20.0
"""Seconds that all checks of one attack may take: many let each check wait for its end."""
_UNSAFE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2028\u2029\u2066-\u2069\ufeff]"
)
_SIGN = re.compile(rf"(WARNING:\s+)?{SIGN}")
_COMMAND = re.compile(r"^\s*::\w|##(\[|vso\[|teamcity\[)", re.MULTILINE)
"""What begins a command to the pipeline that shows the report."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One attack, what it got (each a sentence), and how long it took.

    `known`: it was tried before on the very same, and got nothing.
    """

    attack: Attack
    got: tuple[str, ...]
    seconds: float
    known: bool = False


@dataclass(frozen=True, kw_only=True)
class Attacked:
    """All attacks on one exercise, in the order of the corpus."""

    exercise: str
    tried: tuple[Tried, ...]
    outside: tuple[str, ...]
    """What changed on this side meanwhile."""
    seconds: float

    @property
    def got_through(self) -> list[Tried]:
        return [one for one in self.tried if one.got]

    @property
    def only_archives(self) -> bool:
        """Whether no attack is written in the exercise's language yet."""
        return all(one.attack.should == REFUSED for one in self.tried)

    @property
    def held(self) -> bool:
        return not self.got_through and not self.outside


@dataclass(frozen=True, kw_only=True)
class _Target:
    """The exercise, and what honest submissions come to."""

    exercise: Exercise
    starter: Submission
    reference: Submission
    honest: Report
    """The starter's own report: an attack is appended to the starter and must earn no more."""
    quick: tuple[str, ...]


def attack(
    exercise: Exercise, make: Callable[[], Engine], cache: Proofs, *, jobs: int, listener: Listener
) -> Attacked:
    """Try every attack that fits, but for those that `cache` knows to have got nothing.

    Raises ExerciseError when the reference does not pass.
    """
    began = time.monotonic()
    wanted, made_of = corpus.attacks(exercise), make().version(spec_of(exercise, ""))
    keys = {one.name: attack_key(one, exercise, made_of) for one in wanted}
    tried = {
        one.name: Tried(attack=one, got=(), seconds=proven.seconds, known=True)
        for one in wanted
        if (proven := cache.find(keys[one.name])) is not None
    }
    unknown = [one for one in wanted if one.name not in tried]
    changed: list[str] = []
    if unknown:
        before = _digest(exercise)
        for result in _tries(exercise, make, unknown, jobs, listener):
            tried[result.attack.name] = result
            if not result.got:
                cache.keep(keys[result.attack.name], Proven(seconds=result.seconds))
            done = f"attack {len(tried)} of {len(wanted)}"
            listener(Stage(f"{exercise.slug}: {done}: {result.attack.name}"))
        after = _digest(exercise)
        changed = [path for path, digest in after.items() if before.get(path) != digest]
    return Attacked(
        exercise=exercise.slug,
        tried=tuple(tried[one.name] for one in wanted),
        outside=tuple(f"{path} has changed" for path in changed),
        seconds=time.monotonic() - began,
    )


def _tries(
    exercise: Exercise,
    make: Callable[[], Engine],
    attacks: Sequence[Attack],
    jobs: int,
    listener: Listener,
) -> Iterator[Tried]:
    options = GradeOptions(seed=SEED, author=True)
    listener(Stage(f"{exercise.slug}: grading the starter and the reference"))
    target = _target(exercise, make, options)
    hurried = replace(exercise.limits, seconds=min(exercise.limits.seconds, LONGEST))
    workers = Workers(replace(exercise, limits=hurried), make, options, jobs)
    for _, result in workers.each(attacks, lambda worker, one: _try(target, worker, one)):
        if result is not None:
            yield result


def _target(exercise: Exercise, make: Callable[[], Engine], options: GradeOptions) -> _Target:
    worker = Worker(exercise, make(), options)
    starter, reference = variants.starter(exercise), variants.solution(exercise)
    try:
        right, honest = worker.grade(reference), worker.grade(starter)
        starter = worker.maker.submission(starter, options.learner_seed)
    finally:
        worker.end()
    for report in (right, honest):
        if report.error:
            raise InfrastructureError(f"{exercise.slug}: a run was not graded: {report.error}")
    if right.status is not Status.PASSED:
        raise ExerciseError(
            f"{exercise.slug}: the reference does not pass, so nothing can be proven",
            fix=f"see: grader validate {exercise.slug}",
        )
    earned = {check.id for check in honest.checks() if check.outcome is Outcome.PASSED}
    needs = {check.name for check in exercise.checks if check.needs}
    free = [
        check
        for check in right.checks()
        if check.id not in earned and check.id.partition("[")[0] not in needs
    ]
    quick = sorted(free or right.checks(), key=lambda check: check.seconds)[:QUICK]
    return _Target(
        exercise=exercise,
        starter=starter,
        reference=reference,
        honest=honest,
        quick=tuple(check.id for check in quick),
    )


def _try(target: _Target, worker: Worker, one: Attack) -> Tried:
    began = time.monotonic()
    if one.should == REFUSED:
        got = archives.shortfalls(one, target.exercise, target.starter)
    else:
        submission = corpus.applied(one, target.exercise, target.starter)
        only = {EARNS: (), HARMS: target.quick[:1]}.get(one.should, target.quick)
        try:
            got = _gains(worker.grade(submission, only), target.honest)
        except SubmissionError:  # a repository that is not even taken
            got = []
        if one.should == HARMS:
            got += _left_behind(target, worker)
    return Tried(attack=one, got=tuple(got), seconds=time.monotonic() - began)


def _gains(report: Report, honest: Report) -> list[str]:
    """What the report gives an attack that the starter alone does not get."""
    if report.error:
        return [f"it was not graded: {report.error}"]
    usual = {check.id: check.earned for check in honest.checks()}
    got = [
        f"it earned {check.earned:g} points at {check.id}"
        for check in report.checks()
        if check.earned > usual.get(check.id, 0)
    ]
    got += [f"it says: {line}" for check in report.checks() for line in _signs(check)]
    shown = to_text(report) + to_json(report).decode()
    if _UNSAFE.search(shown):
        got.append("the report holds characters that steer a terminal")
    if _COMMAND.search(shown):
        got.append("the report holds a command to a pipeline")
    return got


def _signs(check: CheckResult) -> list[str]:
    texts = (check.log, check.message, check.got or "")
    lines = [line.strip()[:200] for text in texts for line in text.splitlines()]
    return [line for line in lines if _SIGN.match(line)][:3]


def _left_behind(target: _Target, worker: Worker) -> list[str]:
    """What an honest submission meets that comes next."""
    report = worker.grade(corpus.afterwards(target.exercise, target.reference), target.quick[:1])
    if report.error:
        return [f"the next submission was not graded: {report.error}"]
    return [
        f"the next submission met it: {check.message[:200]}"
        for check in report.checks()
        if check.outcome is not Outcome.PASSED
    ]


def _digest(exercise: Exercise) -> dict[str, str]:
    """The files that decide about a score."""
    found = {}
    for root in (exercise.root, shipped.package(), shipped.runners()):
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                found[str(path)] = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return found
