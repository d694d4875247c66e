"""The single pipeline behind check, grade, validate, batch and the workers."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from grader.engine.base import Engine, SessionSpec
from grader.errors import Cancelled, ExerciseError, InfrastructureError, UsageError
from grader.judging import Findings, Judging
from grader.making import Maker
from grader.model.exercise import Exercise
from grader.model.progress import Listener, Retrying, Stage, Warned
from grader.model.report import Check, CheckResult, Outcome, Report
from grader.model.submission import Submission
from grader.scoring import make_report, overloaded
from grader.supply import Work


@dataclass(frozen=True, kw_only=True)
class GradeOptions:
    """`seed` None draws one. `only` are check ids or base names. `owner` keeps a session warm.

    `learner_seed` counts for a submission that does not say whose workspace it is from.
    `trusted` code is the user's own: it is run also where the engine does not hold it back.
    `shuffled`: checks run in an order that the seed gives. `author`: whoever asks wrote the tests,
    so nothing is left out of the report, and the listener gets tracebacks. `explain`: it also
    hears what each check looked at. `cancelled` is asked all the time; once it is true, nobody
    waits for the report any more. `maker` None: one that remembers nothing.
    """

    seed: int | None = None
    only: tuple[str, ...] = ()
    learner_seed: int = 0
    attempt: int = 1
    owner: str = ""
    fresh: bool = False
    trusted: bool = False
    shuffled: bool = False
    author: bool = False
    explain: bool = False
    cancelled: Callable[[], bool] | None = None
    maker: Maker | None = None


@dataclass(kw_only=True)
class Attempt:
    """One run's results, and what of ours failed: "" when nothing did."""

    fault: str = ""
    findings: Findings = field(default_factory=Findings)
    unfinished: list[Check] = field(default_factory=list)

    @property
    def results(self) -> list[CheckResult]:
        return self.findings.results


def grade(
    exercise: Exercise,
    submission: Submission,
    engine: Engine,
    options: GradeOptions,
    listener: Listener,
) -> Report:
    """Grade one submission once.

    A fault of the grader's own is tried once more on a fresh session. When it comes back while the
    reference runs well, the submission caused it: those checks broke, and the score counts. When
    the reference meets a fault as well, the report has the status `error` and no score. Raises
    EngineUnavailable and ImageError before anything ran, ExerciseError for broken tests,
    UsageError for an unknown `only`. Raises InfrastructureError when the engine does not hold back
    code that is not trusted, Cancelled when it was given up.
    """
    _known(exercise, options.only)
    work = Work(
        exercise=exercise,
        submission=submission,
        seed=secrets.randbelow(2**31) if options.seed is None else options.seed,
        learner_seed=options.learner_seed if submission.seed is None else submission.seed,
        attempt=options.attempt,
        only=options.only,
        shuffled=options.shuffled,
        author=options.author,
        explain=options.explain,
        maker=options.maker or Maker(exercise, engine, listener),
    )
    spec = spec_of(exercise, options.owner)
    engine.prepare(spec, listener)
    if not options.trusted:
        _refuse_gaps(engine)
    work.values()  # in a session of its own, before anything of the learner's runs
    stop = options.cancelled
    attempt = _attempt(work, spec, engine, listener, fresh=options.fresh, cancelled=stop)
    if attempt.fault:
        listener(Retrying(attempt.fault))
        attempt = _attempt(work, spec, engine, listener, fresh=True, cancelled=stop)
    if attempt.fault and attempt.results + attempt.unfinished:
        listener(Stage("Finding out whose fault it was"))
        if _healthy(work, spec, engine):
            results = overloaded(work, attempt.results, attempt.unfinished)
            attempt = Attempt(findings=replace(attempt.findings, results=results))
    if not attempt.fault and attempt.findings.unexpected:
        attempt.fault = _only_here(attempt.findings, work, spec, engine)
    return make_report(work, engine.name, attempt.results, attempt.fault)


def _known(exercise: Exercise, only: tuple[str, ...]) -> None:
    names = [check.name for check in exercise.checks]
    for wanted in only:
        if wanted.partition("[")[0] not in names:
            listed = f"its checks are: {', '.join(names)}"
            raise UsageError(f"exercise '{exercise.slug}' has no check '{wanted}'", fix=listed)


def spec_of(exercise: Exercise, owner: str) -> SessionSpec:
    """The kind of session that an exercise needs."""
    return SessionSpec(
        exercise=exercise.slug,
        runner=exercise.runner,
        services=tuple(exercise.services),
        limits=exercise.limits,
        owner=owner,
    )


def _attempt(
    work: Work,
    spec: SessionSpec,
    engine: Engine,
    listener: Listener,
    *,
    fresh: bool,
    cancelled: Callable[[], bool] | None = None,
) -> Attempt:
    attempt = Attempt()
    given_up: Cancelled | None = None
    try:
        with engine.session(spec, listener, fresh=fresh) as session:
            if not session.reused and (gaps := engine.gaps()):
                listener(Warned(f"{_sentence(gaps)} Run only code that you trust."))
            judging = Judging(session, work, listener, cancelled)
            attempt.findings = judging.findings
            try:
                judging.perform()
            except Cancelled as error:  # raised when the session waits for the next run
                given_up = error
            finally:
                attempt.unfinished = judging.unfinished()
            attempt.fault = _first_error(attempt.results)
            if attempt.fault:
                session.spoil()
            elif spec.owner:
                judging.prepare_next()
    except InfrastructureError as error:
        attempt.fault = error.message
    if given_up is not None:
        raise given_up
    return attempt


def _first_error(results: list[CheckResult]) -> str:
    for result in results:
        if result.outcome is Outcome.ERROR:
            return f"{result.id}: {result.message}"
    return ""


def _reference(work: Work, spec: SessionSpec, engine: Engine, only: tuple[str, ...]) -> Attempt:
    """The same run with the author's solution, in a session of its own."""
    again = replace(work, submission=work.reference(), only=only)
    return _attempt(again, replace(spec, owner=""), engine, _nobody, fresh=True)


def _healthy(work: Work, spec: SessionSpec, engine: Engine) -> bool:
    """Whether our side works: the pristine probe that DESIGN 3 asks for."""
    probe = _reference(work, spec, engine, work.only)
    return not probe.fault and all(r.outcome is Outcome.PASSED for r in probe.results)


def _only_here(found: Findings, work: Work, spec: SessionSpec, engine: Engine) -> str:
    """A test that raised by itself is the author's fault if it does so on the reference, too.

    The fault of ours that kept us from knowing, "" when there was none: then the answer is wrong.
    """
    reference = _reference(work, spec, engine, tuple(found.unexpected))
    if reference.fault:
        reference = _reference(work, spec, engine, tuple(found.unexpected))
    if reference.fault:
        found.results = [_undecided(one, found, reference.fault) for one in found.results]
        return reference.fault
    for check, text in reference.findings.unexpected.items():
        raise ExerciseError(f"the check '{check}' fails by itself, with the reference too:\n{text}")
    for result in reference.results:
        if result.id in found.unexpected and result.outcome is not Outcome.PASSED:
            raise ExerciseError(
                f"the check '{result.id}' does not pass with the reference: {result.message}"
            )
    return ""


def _undecided(result: CheckResult, found: Findings, fault: str) -> CheckResult:
    if result.id not in found.unexpected:
        return result
    return replace(result, outcome=Outcome.ERROR, message=fault)


def _refuse_gaps(engine: Engine) -> None:
    if gaps := engine.gaps():
        raise InfrastructureError(
            f"{_sentence(gaps)} So nothing was graded.",
            fix="use an engine that does (grader doctor says how), or, when you trust whoever "
            "wrote the program: --trust-submissions",
        )


def _sentence(gaps: Sequence[str]) -> str:
    return f"This engine does not keep a program from {', or '.join(gaps)}."


def _nobody(_event: object) -> None:
    """A listener for work nobody watches."""
