"""How good the hidden tests are: small changes of the reference, which a check should reject."""

from __future__ import annotations

import difflib
import hashlib
import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.authoring import variants
from grader.authoring.operators import changes
from grader.authoring.warm import Worker, Workers
from grader.engine.base import Engine, SessionSpec
from grader.errors import ExerciseError, InfrastructureError
from grader.grade import GradeOptions
from grader.model.exercise import Equivalent, Exercise
from grader.model.progress import Listener, Stage
from grader.model.report import Outcome, Report, Status
from grader.model.submission import Submission, SubmittedFile
from grader.supply import tests_archive

SEEDS = (11, 12)
"""A mutant that survives the first is tried with the second: it may have been luck."""
WANTED = 90.0
"""Per cent of the mutants that the tests of an exercise should reject."""
PATIENCE, LEAST = 3.0, 10.0
"""A mutant may take so many times what the reference takes, and so many seconds at least."""
LIKELY = 3
"""So many checks are asked before all others."""
SURVIVED = ""
"""Stands for the check that rejected a mutant when none did."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """A mutant that was made from the reference: one file with one change.

    `was` and `becomes` are the first line that is changed, without the blanks around it.
    """

    file: str
    line: int
    was: str
    becomes: str
    diff: str
    submission: Submission

    @property
    def id(self) -> str:
        return hashlib.sha256(f"{self.file}\0{self.diff}".encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Mutated:
    """What became of all mutants of one exercise."""

    exercise: str
    rejected: tuple[tuple[Made, str], ...]
    """Each with the check that rejected it."""
    survivors: tuple[Made, ...]
    equivalent: tuple[tuple[Made, str], ...]
    """Each with the reason that exercise.yaml gives."""
    left: int
    """How many there was no time for."""
    unused: tuple[Equivalent, ...]
    """Marks in exercise.yaml that fit no mutant, or one that a check rejects."""
    seconds: float

    @property
    def score(self) -> float:
        """Per cent that was rejected of those that can be told from the reference."""
        counted = len(self.rejected) + len(self.survivors)
        return math.floor(1000 * len(self.rejected) / counted) / 10 if counted else 100.0


def mutants(exercise: Exercise) -> list[Made]:
    """Every mutant of the reference that the operators make. Raises ExerciseError."""
    reference = variants.solution(exercise)
    return [one for file in reference.files for one in _of_file(reference, file)]


def _of_file(reference: Submission, file: SubmittedFile) -> Iterator[Made]:
    try:
        text = file.content.decode("utf-8")
        found = changes(file.path, text)
    except UnicodeDecodeError:
        return  # a picture, say
    except SyntaxError as error:
        raise ExerciseError(f"solution/{file.path}, line {error.lineno}: {error.msg}") from None
    for change in found:
        changed = change.apply(text)
        line = text.count("\n", 0, change.begin)
        before, after = text.splitlines(), changed.splitlines()
        made = replace(file, content=changed.encode())
        files = tuple(made if one.path == file.path else one for one in reference.files)
        diff = difflib.unified_diff(before, after, lineterm="", n=2)
        yield Made(
            file=file.path,
            line=line + 1,
            was=before[line].strip(),
            becomes=after[line].strip() if line < len(after) else "",
            diff="\n".join(list(diff)[2:]),
            submission=Submission(files=files),
        )


def mutate(
    exercise: Exercise,
    make: Callable[[], Engine],
    *,
    state: Path,
    jobs: int,
    budget: float | None,
    listener: Listener,
) -> Mutated:
    """Judge every mutant that is not known yet; what is known is kept below `state`.

    After `budget` seconds no mutant is begun. Raises ExerciseError when the reference does not
    pass, InfrastructureError when a mutant cannot be graded.
    """
    began = time.monotonic()
    made = mutants(exercise)
    marked = {(one.file, one.was, one.becomes) for one in exercise.equivalent}
    wanted = [one for one in made if _mark(one) not in marked]
    known = Known(state, exercise, make())
    unknown = [one for one in wanted if one.id not in known.rejected_by]
    if unknown:
        listener(Stage(f"{exercise.slug}: grading the reference"))
        workers = Workers(_hurried(exercise, make), make, GradeOptions(trusted=True), jobs)

        likely: dict[str, Counter[str]] = defaultdict(Counter)
        for one in wanted:
            likely[one.file].update(filter(None, [known.rejected_by.get(one.id)]))

        def judge(worker: Worker, one: Made) -> str | None:
            if budget is not None and time.monotonic() - began > budget:
                return None
            by = _judge(worker, one, [name for name, _ in likely[one.file].most_common(LIKELY)])
            likely[one.file].update(filter(None, [by]))
            return by

        for one, by in workers.each(unknown, judge):
            if by is None:
                continue
            known.add(one.id, by)
            done = sum(1 for one in wanted if one.id in known.rejected_by)
            listener(Stage(f"{exercise.slug}: mutant {done} of {len(wanted)}"))
    return _told(exercise, made, known.rejected_by, time.monotonic() - began)


def _told(
    exercise: Exercise, made: Sequence[Made], by: Mapping[str, str], seconds: float
) -> Mutated:
    marks = {(one.file, one.was, one.becomes): one for one in exercise.equivalent}
    fitting = {_mark(one) for one in made}
    wanted = [one for one in made if _mark(one) not in marks]
    judged = [one for one in wanted if one.id in by]
    return Mutated(
        exercise=exercise.slug,
        rejected=tuple((one, by[one.id]) for one in judged if by[one.id]),
        survivors=tuple(one for one in judged if by[one.id] == SURVIVED),
        equivalent=tuple((one, marks[_mark(one)].why) for one in made if _mark(one) in marks),
        left=len(wanted) - len(judged),
        unused=tuple(one for mark, one in marks.items() if mark not in fitting),
        seconds=seconds,
    )


def _mark(one: Made) -> tuple[str, str, str]:
    return one.file, one.was, one.becomes


def _hurried(exercise: Exercise, make: Callable[[], Engine]) -> Exercise:
    """The exercise with less time: many a mutant waits for something that never comes."""
    worker = Worker(exercise, make(), GradeOptions(trusted=True, seed=SEEDS[0]))
    try:
        report = worker.grade(variants.solution(exercise))
    finally:
        worker.end()
    _graded(exercise, report)
    if report.status is not Status.PASSED:
        raise ExerciseError(
            f"{exercise.slug}: the reference does not pass, so nothing can be proven",
            fix=f"see: grader validate {exercise.slug}",
        )
    seconds = min(exercise.limits.seconds, LEAST + PATIENCE * report.seconds)
    return replace(exercise, limits=replace(exercise.limits, seconds=seconds))


def _judge(worker: Worker, one: Made, likely: Sequence[str]) -> str:
    """The check that rejects the mutant, SURVIVED when none does.

    Those that rejected others of the same file are asked first: mostly they are enough.
    """
    runs = [(SEEDS[0], tuple(likely))] if likely else []
    for seed, only in [*runs, *((seed, ()) for seed in SEEDS)]:
        report = worker.grade(one.submission, only=only, seed=seed)
        _graded(worker.exercise, report)
        for check in report.checks():
            if check.outcome in (Outcome.FAILED, Outcome.BROKE):
                return check.id
    return SURVIVED


def _graded(exercise: Exercise, report: Report) -> None:
    if report.error:
        raise InfrastructureError(
            f"{exercise.slug}: a run was not graded: {report.error}",
            fix="run the same command again: it goes on with the mutants that are left",
        )


class Known:
    """What became of mutants in earlier runs, for the same tests on the same images."""

    def __init__(self, state: Path, exercise: Exercise, engine: Engine) -> None:
        spec = SessionSpec(
            exercise=exercise.slug,
            runner=exercise.runner,
            services=tuple(exercise.services),
            limits=exercise.limits,
        )
        init = [
            (exercise.root / path).read_bytes()
            for files in exercise.services.values()
            for path in files
        ]
        init += [(exercise.root / exercise.generate).read_bytes()] if exercise.generate else []
        parts = (engine.version(spec).encode(), tests_archive(exercise.tests), *init)
        digest = hashlib.sha256(b"\0".join(parts)).hexdigest()[:24]
        self._path = state / "mutants" / f"{exercise.slug}-{digest}.jsonl"
        self.rejected_by: dict[str, str] = dict(self._read())

    def _read(self) -> Iterator[tuple[str, str]]:
        try:
            lines = self._path.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            try:
                name, by = json.loads(line)
            except ValueError:
                continue  # the end of a run that was killed
            yield str(name), str(by)

    def add(self, mutant: str, by: str) -> None:
        """Remember one, at once: the next moment may be a Ctrl-C."""
        self.rejected_by[mutant] = by
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([mutant, by]) + "\n")
