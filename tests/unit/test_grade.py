"""The pipeline, driven on the engine in memory: from an exercise and a submission to a report."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from grader.engine.base import SessionSpec
from grader.engine.fake import FakeEngine, FakeSession
from grader.errors import Cancelled, InfrastructureError, SessionLost, UsageError
from grader.grade import GradeOptions, grade
from grader.model.exercise import Exercise, Task
from grader.model.progress import (
    CheckFinished,
    CheckStarted,
    Collected,
    Progress,
    Retrying,
    Stage,
    Warned,
)
from grader.model.report import CheckResult, Outcome, Report, Status
from tests.unit.samples import SUBMISSION, Recorder, check, exercise

A, B = check("test_a"), check("test_b", points=3.0)
C, D = check("test_c"), check("test_d")
ERROR = {"outcome": "error", "ratio": 0.0, "message": "postgres stopped answering"}
FAILED = {"outcome": "failed", "ratio": 0.0, "message": "Two was asked for."}


def graded(made: Exercise, engine: FakeEngine, recorder: Any = None, **options: Any) -> Report:
    listener = recorder or Recorder()
    return grade(made, SUBMISSION, engine, GradeOptions(**options), listener)


def by_id(report: Report) -> dict[str, CheckResult]:
    return {result.id: result for result in report.checks()}


def test_a_right_answer_scores_100(tmp_path: Path) -> None:
    """All checks passed: full score, and the report says what was graded and how."""
    report = graded(exercise(tmp_path, A, B), FakeEngine(checks=(A, B)), seed=7)
    assert (report.status, report.score, report.earned, report.points) == (Status.PASSED, 100, 4, 4)
    assert (report.exercise, report.exercise_version, report.engine) == ("sample", 3, "fake")
    assert (report.seed, report.submission) == (7, SUBMISSION.digest)
    assert not report.partial
    assert report.error == ""


def test_a_wrong_answer_scores_by_points(tmp_path: Path) -> None:
    """A failed check costs its points and keeps the author's sentence, values and hint."""
    hinted = check("test_b", points=3.0, hint="Look again.")
    told = {**FAILED, "got": "1", "expected": "2", "diff": "-2", "given": [["n", "5"]], "log": "l"}
    engine = FakeEngine(checks=(A, hinted), outcomes={"test_b": told})
    report = graded(exercise(tmp_path, A, hinted), engine)
    assert (report.status, report.score, report.earned) == (Status.FAILED, 25, 1)
    failed = by_id(report)["test_b"]
    assert (failed.outcome, failed.message) == (Outcome.FAILED, "Two was asked for.")
    assert (failed.got, failed.expected, failed.diff, failed.log) == ("1", "2", "-2", "l")
    assert (failed.given, failed.hint) == ((("n", "5"),), "Look again.")


def test_partial_credit_counts_for_failed_checks_only(tmp_path: Path) -> None:
    """`award` keeps part of a failed check's points; a program that broke keeps none."""
    engine = FakeEngine(
        checks=(A, B),
        outcomes={
            "test_a": {"outcome": "broke", "ratio": 0.5, "reason": "crash"},
            "test_b": {**FAILED, "ratio": 0.5},
        },
    )
    results = by_id(graded(exercise(tmp_path, A, B), engine))
    assert results["test_a"].earned == 0
    assert results["test_b"].earned == 1.5


def test_broke_and_skipped_are_told_with_their_reason(tmp_path: Path) -> None:
    """A crash is no wrong answer, and a skipped check names the one it waits for."""
    needing = check("test_b", needs=["test_a"])
    engine = FakeEngine(
        checks=(A, needing),
        outcomes={
            "test_a": {"outcome": "broke", "ratio": 0.0, "reason": "timeout", "message": "Slow."},
            "test_b": {"outcome": "skipped", "ratio": 0.0, "reason": "test_a"},
        },
    )
    report = graded(exercise(tmp_path, A, needing), engine)
    results = by_id(report)
    assert (report.status, report.score) == (Status.FAILED, 0)
    assert (results["test_a"].outcome, results["test_a"].reason) == (Outcome.BROKE, "timeout")
    assert (results["test_b"].outcome, results["test_b"].reason) == (Outcome.SKIPPED, "test_a")


@pytest.mark.parametrize(("passing", "status"), [(25, Status.PASSED), (26, Status.FAILED)])
def test_the_passing_score_decides(tmp_path: Path, passing: int, status: Status) -> None:
    """Reaching the threshold exactly is enough."""
    engine = FakeEngine(checks=(A, B), outcomes={"test_b": FAILED})
    assert graded(exercise(tmp_path, A, B, passing=passing), engine).status is status


def test_thirds_of_points_sum_to_a_pass(tmp_path: Path) -> None:
    """Points that have no exact binary form do not cost the last bit of the score."""
    checks = tuple(check(f"test_{n}", points=0.1) for n in range(30))
    report = graded(exercise(tmp_path, *checks), FakeEngine(checks=checks))
    assert (report.status, report.score) == (Status.PASSED, 100)


def test_results_are_grouped_by_task(tmp_path: Path) -> None:
    """Each task has its own points, and its ladder of hints."""
    other = check("test_b", task="second", points=3.0)
    tasks = tuple(Task(id=name, title=name.title(), hints=(name,)) for name in ("first", "second"))
    engine = FakeEngine(checks=(A, other), outcomes={"test_a": FAILED})
    report = graded(exercise(tmp_path, A, other, tasks=tasks), engine)
    assert [(one.id, one.earned, one.points) for one in report.tasks] == [
        ("first", 0, 1),
        ("second", 3, 3),
    ]
    assert report.tasks[1].hints == ("second",)


def test_asking_for_some_checks_gives_a_partial_report(tmp_path: Path) -> None:
    """A report on some checks says so, and holds the tasks of those only."""
    other = check("test_b", task="second")
    tasks = tuple(Task(id=name, title=name, hints=()) for name in ("first", "second"))
    made = exercise(tmp_path, A, other, tasks=tasks)
    report = graded(made, FakeEngine(checks=(A, other)), only=("test_b",))
    assert report.partial
    assert [task.id for task in report.tasks] == ["second"]


def test_an_unknown_check_is_named_with_those_there_are(tmp_path: Path) -> None:
    """Nothing is started for a check that does not exist."""
    engine = FakeEngine(checks=(A, B))
    with pytest.raises(UsageError, match="test_c") as caught:
        graded(exercise(tmp_path, A, B), engine, only=("test_c",))
    assert "test_a, test_b" in caught.value.fix
    assert engine.sessions == []


def test_an_unknown_parameter_is_wrong_usage(tmp_path: Path) -> None:
    """A parameter that no check has is a slip of the user's, not a fault of the grader's."""
    one = check("test_a[1]")
    with pytest.raises(UsageError):
        graded(exercise(tmp_path, one), FakeEngine(checks=(one,)), only=("test_a[2]",))


def test_a_lost_session_is_tried_again_on_a_fresh_one(tmp_path: Path) -> None:
    """A container that ended costs the learner nothing but time."""
    recorder = Recorder()
    engine = FakeEngine(checks=(A,), lose_session=1)
    report = graded(exercise(tmp_path, A), engine, recorder, owner="me")
    assert (report.status, report.score) == (Status.PASSED, 100)
    assert len(engine.sessions) == 2
    assert engine.sessions[0].ended
    assert sum(isinstance(event, Retrying) for event in recorder.events) == 1


def test_a_session_lost_twice_is_no_zero(tmp_path: Path) -> None:
    """Nor does the reference run: no score, no points that nobody counted, and what failed."""
    engine = FakeEngine(checks=(A,), lose_session=3)
    report = graded(exercise(tmp_path, A), engine)
    assert (report.status, report.score) == (Status.ERROR, None)
    assert (report.points, report.earned) == (0, 0)
    assert "fake session" in report.error


def test_a_submission_that_takes_every_session_down_broke(tmp_path: Path) -> None:
    """The reference runs well beside it: nobody dodges a verdict by ending the session."""
    engine = FakeEngine(checks=(A, B), lose_session=2)
    report = graded(exercise(tmp_path, A, B), engine)
    assert (report.status, report.score, report.points) == (Status.FAILED, 0, 4)
    assert {result.outcome for result in report.checks()} == {Outcome.BROKE}
    assert report.error == ""


def test_an_error_is_tried_again_on_a_fresh_session(tmp_path: Path) -> None:
    """A service that failed spoils its session; the same submission is graded on another."""
    engine = FakeEngine(checks=(A, B), outcomes={"test_a": ERROR})

    def mend(event: Progress) -> None:
        if isinstance(event, Retrying):
            engine.outcomes = {}

    report = graded(exercise(tmp_path, A, B), engine, mend, owner="me")
    assert (report.status, report.score) == (Status.PASSED, 100)
    assert engine.sessions[0].spoiled
    assert [session.ended for session in engine.sessions] == [True, False]
    runs = [sent for one in engine.sessions for sent in one.sent if sent["type"] == "run"]
    assert len({run["seed"] for run in runs}) == 1
    assert {run["submission"] for run in runs} == {engine.learner}


def test_an_error_that_the_submission_causes_counts(tmp_path: Path) -> None:
    """It comes back, and the reference runs well: that check broke, the others keep theirs."""
    engine = FakeEngine(checks=(A, B), outcomes={"test_a": ERROR})
    report = graded(exercise(tmp_path, A, B), engine)
    assert (report.status, report.score) == (Status.FAILED, 75)
    assert by_id(report)["test_a"].outcome is Outcome.BROKE
    assert by_id(report)["test_a"].reason == "overloaded"
    assert by_id(report)["test_a"].message.startswith("A server stopped answering while your")


def test_an_overloaded_server_is_named(tmp_path: Path) -> None:
    """The judge says which server a check took down, and so does the report."""
    engine = FakeEngine(checks=(A, B), outcomes={"test_a": {**ERROR, "reason": "postgres"}})
    told = by_id(graded(exercise(tmp_path, A, B), engine))["test_a"]
    assert (told.outcome, told.reason) == (Outcome.BROKE, "overloaded postgres")
    assert told.message.startswith("postgres stopped answering while your program ran, twice")


def test_an_error_that_comes_back_gives_no_score(tmp_path: Path) -> None:
    """What passed beside it is shown, and counts for nothing."""
    again = {"test_a": ERROR}
    engine = FakeEngine(checks=(A, B), outcomes=again, reference=again)
    report = graded(exercise(tmp_path, A, B), engine)
    assert (report.status, report.score) == (Status.ERROR, None)
    assert report.error == "test_a: postgres stopped answering"
    assert by_id(report)["test_b"].outcome is Outcome.PASSED


def test_a_check_without_an_outcome_is_an_error(tmp_path: Path) -> None:
    """A judge that ends its run early has not graded the rest."""

    class Forgetful(FakeSession):
        def receive(self, timeout: float) -> Any:
            message = super().receive(timeout)
            return self.receive(timeout) if message and message["type"] == "outcome" else message

    report = graded(exercise(tmp_path, A), engine_of(Forgetful, checks=(A,)))
    assert (report.status, report.score) == (Status.ERROR, None)
    assert "test_a" in report.error


def engine_of(kind: type[FakeSession], **values: Any) -> FakeEngine:
    """An engine whose sessions are of another class."""

    class Engine(FakeEngine):
        @contextlib.contextmanager
        def session(self, spec: SessionSpec, listener: Any, *, fresh: bool = False) -> Any:
            self.sessions.append(kind(self, spec))
            yield self.sessions[-1]

    return Engine(**values)


def test_who_meets_the_memory_limit_is_told_so(tmp_path: Path) -> None:
    """Inside the engine's memory event all but a right answer ran out of memory.

    A child may have died of it while the rest of the program hangs, or answers wrongly.
    """
    engine = FakeEngine(
        checks=(A, B, C, D),
        out_of_memory=True,
        outcomes={
            "test_a": {
                "outcome": "broke",
                "ratio": 0.0,
                "reason": "killed",
                "message": "Signal 9.",
            },
            "test_b": {"outcome": "failed", "ratio": 0.0, "got": "1", "expected": "2"},
            "test_c": {"outcome": "unexpected", "ratio": 0.0, "message": "KeyError"},
        },
    )
    results = by_id(graded(exercise(tmp_path, A, B, C, D), engine))
    for name in ("test_a", "test_b", "test_c"):
        assert (results[name].outcome, results[name].reason) == (Outcome.BROKE, "memory")
        assert "256 MiB" in results[name].message
        assert results[name].got is None
    assert results["test_d"].outcome is Outcome.PASSED


def test_a_sandbox_that_somebody_else_killed_is_no_zero(tmp_path: Path) -> None:
    """What the program did to its own sandbox counts; what was done to it is tried again."""
    lost = {"outcome": "broke", "ratio": 0.0, "reason": "sandbox", "message": "It ended."}
    made = exercise(tmp_path, A)
    engine = FakeEngine(checks=(A,), outcomes={"test_a": lost})
    assert by_id(graded(made, engine))["test_a"].reason == "sandbox"
    assert len(engine.sessions) == 1
    engine = FakeEngine(checks=(A,), outcomes={"test_a": lost}, killed=True)

    def mend(event: Progress) -> None:
        if isinstance(event, Retrying):
            assert event.reason == "test_a: the sandbox was ended from outside while this check ran"
            engine.outcomes = {}

    assert graded(made, engine, mend).status is Status.PASSED
    assert len(engine.sessions) == 2


GAPS = ("taking this machine's memory", "starting processes without end")
SENTENCE = (
    "This engine does not keep a program from taking this machine's memory, "
    "or starting processes without end."
)


def test_code_of_others_is_not_run_where_it_is_not_held_back(tmp_path: Path) -> None:
    """An engine that does not enforce every limit grades nobody's code: exit code 3, and a fix."""
    engine = FakeEngine(checks=(A,), open_gaps=GAPS)
    with pytest.raises(InfrastructureError) as caught:
        graded(exercise(tmp_path, A), engine)
    assert caught.value.message == f"{SENTENCE} So nothing was graded."
    assert caught.value.exit_code == 3
    assert "--trust-submissions" in caught.value.fix
    assert engine.sessions == []


def test_ones_own_code_is_run_with_a_warning(tmp_path: Path) -> None:
    """A learner may check their own work anywhere; a warm session does not warn again."""
    engine, recorder = FakeEngine(checks=(A,), open_gaps=GAPS), Recorder()
    made = exercise(tmp_path, A)
    for _ in range(2):
        assert graded(made, engine, recorder, trusted=True, owner="me").status is Status.PASSED
    told = [event.text for event in recorder.events if isinstance(event, Warned)]
    assert told == [f"{SENTENCE} Run only code that you trust."]
    recorder = Recorder()
    graded(made, FakeEngine(checks=(A,)), recorder)
    assert not [event for event in recorder.events if isinstance(event, Warned)]


def test_the_seed_is_kept_or_drawn(tmp_path: Path) -> None:
    """A given seed is used, whatever it is; without one every run draws its own."""
    made, engine = exercise(tmp_path, A), FakeEngine(checks=(A,))
    assert graded(made, engine, seed=0).seed == 0
    assert engine.sessions[-1].sent[0]["seed"] == 0
    assert len({graded(made, engine).seed for _ in range(10)}) > 5


def test_events_come_in_order(tmp_path: Path) -> None:
    """First what will run, then each check's beginning and end."""
    recorder = Recorder()
    graded(exercise(tmp_path, A, B), FakeEngine(checks=(A, B)), recorder)
    kinds = [type(event) for event in recorder.events]
    assert kinds == [Stage, Collected, CheckStarted, CheckFinished, CheckStarted, CheckFinished]
    ended = [event.result.id for event in recorder.events if isinstance(event, CheckFinished)]
    assert ended == ["test_a", "test_b"]


def test_a_warm_session_is_used_again_unless_a_fresh_one_is_asked_for(tmp_path: Path) -> None:
    """An owner's next run finds the session; nobody's run leaves none."""
    made, engine = exercise(tmp_path, A), FakeEngine(checks=(A,))
    graded(made, engine, owner="me")
    graded(made, engine, owner="me")
    assert len(engine.sessions) == 1
    graded(made, engine, owner="me", fresh=True)
    assert len(engine.sessions) == 2
    graded(made, engine)
    assert engine.sessions[-1].ended


def test_an_interrupt_ends_the_run(tmp_path: Path) -> None:
    """Ctrl-C tells the judge to stop, and is not tried again, even if the judge is gone."""

    class Interrupted(FakeSession):
        def receive(self, timeout: float) -> Any:
            raise KeyboardInterrupt

        def send(self, message: Any) -> None:
            super().send(message)
            if message["type"] == "cancel":
                raise SessionLost("the judge cannot be reached")

    engine = engine_of(Interrupted, checks=(A,))
    with pytest.raises(KeyboardInterrupt):
        graded(exercise(tmp_path, A), engine)
    assert engine.sessions[0].sent[-1]["type"] == "cancel"
    assert len(engine.sessions) == 1


def test_a_cancelled_run_leaves_its_session_warm(tmp_path: Path) -> None:
    """Nobody waits for the report any more: the judge is told, and makes ready for the next."""
    engine = FakeEngine(checks=(A, B))
    made, recorder = exercise(tmp_path, A, B), Recorder()

    def cancelled() -> bool:
        return any(isinstance(event, CheckFinished) for event in recorder.events)

    with pytest.raises(Cancelled):
        graded(made, engine, recorder, owner="me", cancelled=cancelled)
    (session,) = engine.sessions
    assert [message["type"] for message in session.sent] == ["run", "cancel", "prepare"]
    assert not session.ended
    assert not session.spoiled
    assert graded(made, engine, owner="me").score == 100
    assert engine.sessions == [session]
