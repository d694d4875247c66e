"""The single pipeline behind check, grade, validate, batch and the workers."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from grader.engine.base import Engine, SessionSpec
from grader.errors import ExerciseError, InfrastructureError, UsageError
from grader.judging import Findings, Judging, Work
from grader.model.exercise import Exercise
from grader.model.progress import Listener, Retrying, Stage
from grader.model.report import CheckResult, Outcome, Report
from grader.model.submission import Submission
from grader.scoring import make_report
from grader.workspace.snapshot import snapshot_folder


@dataclass(frozen=True, kw_only=True)
class GradeOptions:
    """`seed` None draws one. `only` are check ids or base names. `owner` keeps a session warm."""

    seed: int | None = None
    only: tuple[str, ...] = ()
    learner_seed: int = 0
    attempt: int = 1
    owner: str = ""
    fresh: bool = False


def grade(
    exercise: Exercise,
    submission: Submission,
    engine: Engine,
    options: GradeOptions,
    listener: Listener,
) -> Report:
    """Grade one submission once.

    A fault of the grader's own is tried once more on a fresh session; what comes back as a fault
    again is a report of status `error`, without a score. Raises EngineUnavailable and ImageError
    before anything ran, ExerciseError for broken tests, UsageError for an unknown `only`.
    """
    _known(exercise, options.only)
    work = Work(
        exercise=exercise,
        submission=submission,
        seed=secrets.randbelow(2**31) if options.seed is None else options.seed,
        learner_seed=options.learner_seed,
        attempt=options.attempt,
        only=options.only,
    )
    spec = _spec(exercise, options.owner)
    engine.prepare(spec, listener)
    results, fault = _attempt(work, spec, engine, listener, fresh=options.fresh)
    if fault:
        listener(Retrying(fault))
        results, fault = _attempt(work, spec, engine, listener, fresh=True)
    return make_report(work, engine.name, results, fault)


def _known(exercise: Exercise, only: tuple[str, ...]) -> None:
    names = [check.name for check in exercise.checks]
    for wanted in only:
        if wanted.partition("[")[0] not in names:
            listed = ", ".join(names)
            raise UsageError(f"exercise '{exercise.slug}' has no check '{wanted}'", fix=listed)


def _spec(exercise: Exercise, owner: str) -> SessionSpec:
    return SessionSpec(
        exercise=exercise.slug,
        runner=exercise.runner,
        services=tuple(exercise.services),
        limits=exercise.limits,
        owner=owner,
    )


def _attempt(
    work: Work, spec: SessionSpec, engine: Engine, listener: Listener, *, fresh: bool
) -> tuple[list[CheckResult], str]:
    """The results, and what of ours failed ("" when nothing did)."""
    try:
        with engine.session(spec, listener, fresh=fresh) as session:
            listener(Stage("Running the checks"))
            found = Judging(session, work, listener).perform()
            fault = _first_error(found.results)
            if fault:
                session.spoil()
        if found.unexpected:
            _only_here(found, work, spec, engine)
    except InfrastructureError as error:
        return [], error.message
    return found.results, fault


def _first_error(results: list[CheckResult]) -> str:
    for result in results:
        if result.outcome is Outcome.ERROR:
            return f"{result.id}: {result.message}"
    return ""


def _only_here(found: Findings, work: Work, spec: SessionSpec, engine: Engine) -> None:
    """A test that raised by itself is the author's fault if it does so on the reference, too."""
    solution = snapshot_folder(work.exercise.solution, work.exercise.submit, work.exercise.limits)
    again = replace(work, submission=solution, only=tuple(found.unexpected))
    with engine.session(replace(spec, owner=""), _nobody, fresh=True) as session:
        reference = Judging(session, again, _nobody).perform()
    for check, text in reference.unexpected.items():
        raise ExerciseError(f"the check '{check}' fails by itself, with the reference too:\n{text}")
    for result in reference.results:
        if result.id in found.unexpected and result.outcome is not Outcome.PASSED:
            raise ExerciseError(
                f"the check '{result.id}' does not pass with the reference: {result.message}"
            )


def _nobody(_event: object) -> None:
    """A listener for work nobody watches."""
