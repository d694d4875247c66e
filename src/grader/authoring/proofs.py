"""The proofs of one exercise: what is graded, how often, and what must come of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from grader.authoring import variants
from grader.authoring.files import contract
from grader.authoring.places import at_check
from grader.authoring.times import Ran, tight
from grader.catalog.load import CONTRACT
from grader.errors import ExerciseError, Problem, SubmissionError
from grader.judging import OTHER_SHAPE
from grader.model.exercise import Exercise, Mutant
from grader.model.report import CheckResult, Outcome, Report, Status
from grader.model.submission import Submission

FEW = 3
REFERENCE_SEEDS = 10
"""The reference meets so many seeds: one run each, where a mutant costs as many. But an exercise
that asks for less than FEW has runs that take long, and its reference meets as many as it asks for.
"""


class Kind(StrEnum):
    """What a proof is about."""

    STARTER = "starter"
    REFERENCE = "reference"
    ALTERNATIVE = "alternative"
    MUTANT = "mutant"


@dataclass(frozen=True, kw_only=True)
class Proof:
    """One submission and what its grading must show. `line` is that of a mutant's entry."""

    exercise: Exercise
    kind: Kind
    name: str
    submission: Submission
    mutant: Mutant | None = None
    line: int = 0


@dataclass(frozen=True, kw_only=True)
class Proven:
    """What came of it: proven when there is no problem.

    `rejected_by` are the checks that a mutant did not pass. `seconds` is the time of all runs.
    """

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    rejected_by: tuple[str, ...] = ()
    runs: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Asked:
    """One run of a proof."""

    submission: Submission
    seed: int
    shuffled: bool = True
    only: tuple[str, ...] = ()
    ends: bool = True
    """False: a wrong procedure may also fail on its way."""


Run = Callable[[Asked], Report]
"""Grades what is asked. Raises ExerciseError for broken tests, InfrastructureError for a report
without a score."""


def seeds(exercise: Exercise, kind: Kind = Kind.MUTANT) -> list[int]:
    """The seeds of such a proof: the same every time, so that it can be repeated."""
    quick = exercise.validate_seeds >= FEW
    least = REFERENCE_SEEDS if kind is Kind.REFERENCE and quick else 0
    digests = [
        hashlib.sha256(f"{exercise.slug} {number}".encode()).digest()
        for number in range(max(exercise.validate_seeds, least))
    ]
    return [int.from_bytes(digest[:4], "big") >> 1 for digest in digests]


def proofs(exercise: Exercise) -> tuple[list[Proof], list[Problem]]:
    """Every proof of an exercise, in order, and the submissions that cannot be made."""
    document = contract(exercise)
    makers: list[tuple[Kind, str, Mutant | None, Callable[[], Submission]]] = [
        (Kind.STARTER, "", None, partial(variants.starter, exercise)),
        (Kind.REFERENCE, "", None, partial(variants.solution, exercise)),
        *(
            (Kind.ALTERNATIVE, name, None, partial(variants.alternative, exercise, name))
            for name in variants.alternatives(exercise)
        ),
        *(
            (Kind.MUTANT, one.name, one, partial(variants.mutant, exercise, one))
            for one in exercise.mutants
        ),
    ]
    made: list[Proof] = []
    problems: list[Problem] = []
    for kind, name, mutant, make in makers:
        line = document.line(("mutants", name)) if mutant else 0
        try:
            submission = make()
        except (SubmissionError, ExerciseError) as error:
            said = "; ".join([error.message, *(str(one) for one in error.problems)])
            where = _place(exercise, kind, name)
            problems.append(Problem(file=where, message=f"cannot be graded: {said}", fix=error.fix))
            continue
        made.append(
            Proof(
                exercise=exercise,
                kind=kind,
                name=name,
                submission=submission,
                mutant=mutant,
                line=line,
            )
        )
    return made, problems


def _place(exercise: Exercise, kind: Kind, name: str) -> str:
    return f"{exercise.root / kind} {name}".rstrip()


def prove(proof: Proof, run: Callable[[Asked], Ran]) -> Proven:
    """Make one proof. Raises InfrastructureError when it could not be made."""
    taken: list[Ran] = []

    def counted(asked: Asked) -> Report:
        taken.append(run(asked))
        return taken[-1].report

    by_kind = {Kind.STARTER: _starter, Kind.MUTANT: _mutant}
    try:
        found = by_kind.get(proof.kind, _right)(proof, counted)
    except (ExerciseError, SubmissionError) as error:
        broken = isinstance(error, ExerciseError)
        where = (
            str(proof.exercise.tests) if broken else _place(proof.exercise, proof.kind, proof.name)
        )
        said = "\n".join([error.message, *(str(one) for one in error.problems)])
        found = Proven(problems=(Problem(file=where, message=said, fix=error.fix),))
    if proof.kind is Kind.REFERENCE and not found.problems:
        found = replace(found, warnings=tuple(tight(proof.exercise, taken)))
    seconds = sum(one.report.seconds for one in taken)
    return replace(found, runs=len(taken), seconds=seconds)


# -- right solutions ------------------------------------------------------------------------------


def _right(proof: Proof, run: Run) -> Proven:
    """It scores 100 whatever the seed and the order; the reference, twice the same."""
    first, *others = seeds(proof.exercise, proof.kind)
    for seed in (first, *others):
        report = run(Asked(proof.submission, seed))
        if _not_passed(report):
            return Proven(problems=tuple(_why(proof, report, run)))
    if proof.kind is Kind.REFERENCE:
        again = run(Asked(proof.submission, first, shuffled=False))
        if _not_passed(again):
            return Proven(problems=tuple(_why(proof, again, run, shuffled=False)))
    return Proven()


def _not_passed(report: Report) -> list[CheckResult]:
    return [one for one in report.checks() if one.outcome is not Outcome.PASSED]


def _why(proof: Proof, report: Report, run: Run, *, shuffled: bool = True) -> Iterator[Problem]:
    """What keeps a right solution from 100: it is run again until that is clear."""
    what = proof.kind if not proof.name else f"{proof.kind} '{proof.name}'"
    again = run(Asked(proof.submission, report.seed, shuffled=shuffled))
    unsteady = list(_unsteady(proof.exercise, report, again))
    if unsteady:
        yield from unsteady
        return
    other = run(Asked(proof.submission, report.seed, shuffled=not shuffled))
    moved = _passed(other)
    elsewhere = _passed(*(run(Asked(proof.submission, s)) for s in _others(proof, report.seed)))
    for check in _not_passed(report):
        if check.outcome is Outcome.SKIPPED:
            continue
        said = f"{check.id} {_end(check)}"
        if check.id in moved:
            message = f"{said} on the {what} only in another order of checks (seed {report.seed})"
            fix = "a check must not need what another one did: say so with needs=, or keep"
        elif check.id in elsewhere:
            message = f"{said} on the {what} with seed {report.seed}, and passes with others"
            fix = "mend the check, or the solution, for these inputs"
        else:
            message, fix = f"{said} on the {what}", "mend the check, or the solution"
        yield at_check(proof.exercise, check.id, message, fix)


def _others(proof: Proof, seed: int) -> list[int]:
    return [other for other in seeds(proof.exercise) if other != seed]


def _passed(*reports: Report) -> set[str]:
    return {
        check.id
        for report in reports
        for check in report.checks()
        if check.outcome is Outcome.PASSED
    }


def _unsteady(exercise: Exercise, one: Report, other: Report) -> Iterator[Problem]:
    """The checks that ended differently in two equal runs."""
    ends = {check.id: check for check in other.checks()}
    for check in one.checks():
        after = ends.get(check.id)
        if after is None or (after.outcome, after.reason) == (check.outcome, check.reason):
            continue
        if Outcome.SKIPPED in (check.outcome, after.outcome):
            continue  # what it waits for is told
        message = (
            f"{check.id} is flaky: with seed {one.seed} it {_end(check)}, and then {_end(after)}"
        )
        fix = "nothing but the seed may decide: use rng for inputs, eventually(...) for waiting"
        yield at_check(exercise, check.id, message, fix)


# -- wrong ones -----------------------------------------------------------------------------------


def _starter(proof: Proof, run: Run) -> Proven:
    """It runs, and does not pass; each check that fails says something that helps."""
    exercise = proof.exercise
    first, *others = seeds(exercise)
    reports = [run(Asked(proof.submission, seed)) for seed in (first, first, *others)]
    problems = [*_unsteady(exercise, reports[0], reports[1])]
    for report in reports:
        if report.status is Status.PASSED:
            message = f"passes all checks with seed {report.seed}: nothing is left to do"
            fix = "take more out of it, or ask for more"
            problems.append(Problem(file=str(exercise.starter), message=message, fix=fix))
        for check in report.checks():
            if check.outcome is Outcome.BROKE:
                message = f"{check.id} breaks on the starter ({check.reason}): {check.message}"
                fix = "a starter runs, and says what is missing"
                problems.append(at_check(exercise, check.id, message, fix))
            elif check.message == OTHER_SHAPE:
                message = f"{check.id} stumbles over the starter's answer, and tells nothing"
                fix = "let the check assert the shape of an answer before it looks into it"
                problems.append(at_check(exercise, check.id, message, fix))
    return Proven(problems=tuple(dict.fromkeys(problems)))


def _mutant(proof: Proof, run: Run) -> Proven:
    """It is rejected with every seed, by the checks that it names."""
    assert proof.mutant is not None
    named = (*proof.mutant.fails, *proof.mutant.breaks)
    rejected: set[str] = set()
    for number, seed in enumerate(seeds(proof.exercise)):
        # Once as a whole, to see which checks it is that notice; then only those it names.
        report = run(Asked(proof.submission, seed, only=named if number else (), ends=False))
        rejected |= {
            check.id
            for check in report.checks()
            if check.outcome in (Outcome.FAILED, Outcome.BROKE)
        }
        problems = list(_missed(proof, report, later=bool(number)))
        if problems:
            return Proven(problems=tuple(problems), rejected_by=tuple(sorted(rejected)))
    return Proven(rejected_by=tuple(sorted(rejected)))


def _missed(proof: Proof, report: Report, *, later: bool) -> Iterator[Problem]:
    assert proof.mutant is not None
    contract_file = str(proof.exercise.root / CONTRACT)
    if report.status is Status.PASSED and not report.partial:
        message = f"the mutant '{proof.name}' passes every check: {proof.mutant.why}"
        fix = "strengthen a check until it notices the mistake"
        yield Problem(file=contract_file, line=proof.line, message=message, fix=fix)
        return
    for missed in variants.not_rejected(proof.mutant, report):
        with_seed = f" with seed {report.seed}, and was with another" if later else ""
        message = f"the mutant '{proof.name}' is not rejected{with_seed}: {missed}"
        fix = "strengthen the check, or correct what the mutant's entry names"
        yield Problem(file=contract_file, line=proof.line, message=message, fix=fix)


def unneeded(exercise: Exercise, rejected: Iterable[str]) -> list[Problem]:
    """The checks that no mutant fails: nothing shows that they can tell right from wrong."""
    seen = {name.partition("[")[0] for name in rejected}
    return [
        Problem(
            file=check.file,
            line=check.line,
            message=f"no mutant fails {check.name}: nothing shows that it rejects anything",
            fix="add a mutant that only this check notices, or remove the check",
        )
        for check in exercise.checks
        if check.name not in seen
    ]


# -- words ----------------------------------------------------------------------------------------


def _end(check: CheckResult) -> str:
    match check.outcome:
        case Outcome.PASSED:
            return "passed"
        case Outcome.BROKE:
            return f"broke ({check.reason}: {check.message})"
        case _:
            return f"failed ({check.message})"
