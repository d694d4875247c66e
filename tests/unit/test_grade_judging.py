"""The pipeline's dealings with the judge: what is withheld, the reference, other sandboxes."""

from __future__ import annotations

import base64
import contextlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.engine.base import FURTHER, Message, SessionSpec
from grader.engine.fake import FakeEngine, FakeSession
from grader.errors import ExerciseError, SessionLost
from grader.grade import GradeOptions, grade
from grader.judging import Judging
from grader.keeper import Keeper
from grader.model.exercise import Exercise, Limits, Program, Ready
from grader.model.progress import Collected, Looked, Traced
from grader.model.report import CheckResult, Outcome, Report, Status
from grader.supply import Work, run_message
from tests.unit.samples import SUBMISSION, Recorder, check, exercise

TOLD = {
    "outcome": "failed",
    "ratio": 0.0,
    "message": "The author's sentence.",
    "got": "GOT",
    "expected": "EXPECTED",
    "diff": "DIFF",
    "given": [["label", "GIVEN"]],
    "log": "LOG",
}


def graded(made: Exercise, engine: FakeEngine, **options: Any) -> Report:
    return grade(made, SUBMISSION, engine, GradeOptions(**options), Recorder())


def told(tmp_path: Path, attempt: int = 1, show: str = "full", **values: Any) -> CheckResult:
    """The one failed check of a run, as the learner sees it."""
    one = check("test_a", hint="HINT", **values)
    engine = FakeEngine(checks=(one,), outcomes={"test_a": TOLD})
    return graded(exercise(tmp_path, one, show=show), engine, attempt=attempt).checks()[0]


def test_all_is_shown_by_default(tmp_path: Path) -> None:
    """At `full` the learner sees the sentence, the values, the inputs and their own output."""
    result = told(tmp_path)
    assert (result.got, result.expected, result.diff) == ("GOT", "EXPECTED", "DIFF")
    assert (result.message, result.log, result.hint) == (TOLD["message"], "LOG", "HINT")
    assert result.given == (("label", "GIVEN"),)


def test_message_withholds_values(tmp_path: Path) -> None:
    """At `message` the author's sentence is all that is said about the answer."""
    result = told(tmp_path, show="message")
    assert result.message == TOLD["message"]
    assert (result.got, result.expected, result.diff, result.given) == (None, None, None, ())


def test_title_withholds_everything_else(tmp_path: Path) -> None:
    """At `title` not even the learner's own output is shown: it may show hidden inputs."""
    result = told(tmp_path, show="title")
    assert result.title == "Title of test_a"
    assert (result.message, result.log, result.hint) == ("", "", "")
    assert (result.got, result.expected, result.diff, result.given) == (None, None, None, ())


def test_hidden_withholds_the_title_too(tmp_path: Path) -> None:
    """At `hidden` there is an outcome and nothing else."""
    result = told(tmp_path, show="hidden")
    assert "test_a" not in result.title
    assert (result.message, result.log, result.hint) == ("", "", "")
    assert result.outcome is Outcome.FAILED


def test_a_check_decides_over_the_exercise(tmp_path: Path) -> None:
    """The mark's own level wins."""
    one = check("test_b", show="full")
    engine = FakeEngine(checks=(one,), outcomes={"test_b": TOLD})
    (tmp_path / "other").mkdir()
    report = graded(exercise(tmp_path / "other", one, show="hidden"), engine)
    assert report.checks()[0].message == TOLD["message"]


@pytest.mark.parametrize(("attempt", "revealed"), [(1, False), (2, False), (3, True)])
def test_a_hidden_title_is_revealed_after_tries(
    tmp_path: Path, attempt: int, revealed: bool
) -> None:
    """After two graded tries the third shows the title, and still no more."""
    result = told(tmp_path, attempt, show="hidden", reveal_after=2)
    assert (result.title == "Title of test_a") is revealed
    assert result.message == ""


def test_a_hidden_title_is_not_announced(tmp_path: Path) -> None:
    """What is shown while checks run withholds the same as the report."""
    one = check("test_a", show="hidden")
    recorder = Recorder()
    engine = FakeEngine(checks=(one,))
    grade(exercise(tmp_path, one), SUBMISSION, engine, GradeOptions(), recorder)
    (collected,) = (event for event in recorder.events if isinstance(event, Collected))
    assert collected.checks[0].title != "Title of test_a"


def test_a_fault_in_a_hidden_check_is_told(tmp_path: Path) -> None:
    """What failed of the grader's own is no secret of the exercise."""
    one = check("test_a", show="hidden")
    fault = {"test_a": {"outcome": "error", "ratio": 0.0, "message": "redis stopped"}}
    engine = FakeEngine(checks=(one,), outcomes=fault, reference=fault)
    report = graded(exercise(tmp_path, one), engine)
    assert report.status is Status.ERROR
    assert "redis stopped" in report.error


STRANGE = {"test_a": {"outcome": "unexpected", "ratio": 0.0, "message": "KeyError: 'secret'"}}


def test_the_author_is_shown_everything(tmp_path: Path) -> None:
    """Nothing is left out of an author's report, and tracebacks come as news."""
    wrong = {"test_a": {**TOLD, "outcome": "failed", "ratio": 0.0, "trace": "line 3"}}
    one = check("test_a", show="hidden")
    made = exercise(tmp_path, one)
    for author in (True, False):
        recorder = Recorder()
        engine = FakeEngine(checks=(one,), outcomes=wrong)
        report = grade(made, SUBMISSION, engine, GradeOptions(author=author), recorder)
        told = [event for event in recorder.events if isinstance(event, Traced)]
        assert told == ([Traced("test_a", "line 3")] if author else [])
        assert (report.checks()[0].message == TOLD["message"]) is author
        assert "line 3" not in repr(report)


def test_a_strange_answer_is_failed_when_the_reference_passes(tmp_path: Path) -> None:
    """A test that raised by itself failed because of the answer; its traceback stays hidden."""
    one = check("test_a")
    engine = FakeEngine(checks=(one,), outcomes=STRANGE)
    report = graded(exercise(tmp_path, one), engine, seed=5)
    result = report.checks()[0]
    assert (report.status, result.outcome, result.earned) == (Status.FAILED, Outcome.FAILED, 0)
    assert "another shape" in result.message
    assert "secret" not in repr(report)
    run = engine.sessions[1].sent[0]
    assert (run["seed"], run["only"]) == (5, ["test_a"])
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(run["submission"]))) as tar:
        stream = tar.extractfile("answer.py")
        assert stream is not None
        assert b"return 42" in stream.read()


def test_a_test_that_raises_on_the_reference_is_broken(tmp_path: Path) -> None:
    """Then it is the author's fault, who gets the traceback."""
    one = check("test_a")
    engine = FakeEngine(checks=(one,), outcomes=STRANGE, reference=STRANGE)
    with pytest.raises(ExerciseError, match="KeyError: 'secret'") as caught:
        graded(exercise(tmp_path, one), engine)
    assert caught.value.exit_code == 5


def test_a_test_that_fails_on_the_reference_is_broken(tmp_path: Path) -> None:
    """A reference that does not pass proves nothing about the answer."""
    one = check("test_a")
    engine = FakeEngine(checks=(one,), outcomes=STRANGE, reference={"test_a": TOLD})
    with pytest.raises(ExerciseError, match="does not pass with the reference"):
        graded(exercise(tmp_path, one), engine)


def test_a_fault_while_the_reference_runs_is_nobodys(tmp_path: Path) -> None:
    """Whose fault a strange answer was is not known then: an error, no score, and no zero."""
    one, other = check("test_a"), check("test_b")
    fault = {"test_a": {"outcome": "error", "ratio": 0.0, "message": "redis stopped"}}
    engine = FakeEngine(checks=(one, other), outcomes=STRANGE, reference=fault)
    report = graded(exercise(tmp_path, one, other), engine)
    first, second = report.checks()
    assert (report.status, report.score) == (Status.ERROR, None)
    assert "redis stopped" in report.error
    assert (first.outcome, first.message) == (Outcome.ERROR, report.error)
    assert second.outcome is Outcome.PASSED
    assert "secret" not in repr(report)


def test_the_reference_is_tried_again_after_a_fault(tmp_path: Path) -> None:
    """On a fresh session, like everything of ours that fails: then the verdict is known."""
    one = check("test_a")
    engine = FakeEngine(checks=(one,), outcomes=STRANGE)

    class Failing(FakeEngine):
        @contextlib.contextmanager
        def session(self, spec: SessionSpec, listener: Any, *, fresh: bool = False) -> Any:
            engine.lose_session = 1 if len(engine.sessions) == 1 else 0
            with engine.session(spec, listener, fresh=fresh) as session:
                yield session

    report = graded(exercise(tmp_path, one), Failing())
    assert (report.status, report.checks()[0].outcome) == (Status.FAILED, Outcome.FAILED)
    assert len(engine.sessions) == 3
    assert engine.sessions[1].ended


def test_an_unknown_task_is_the_authors_fault(tmp_path: Path) -> None:
    """A check must belong to one of the exercise's tasks."""
    stray = check("test_a", task="third")
    with pytest.raises(ExerciseError, match="third"):
        graded(exercise(tmp_path, stray), FakeEngine(checks=(stray,)))


class Judge:
    """A session whose judge says what a test wants, in the run's name."""

    def __init__(self, *said: dict[str, Any]) -> None:
        self.engine = FakeEngine()
        self.session = self.engine_session()
        self.replies: list[Any] = []
        self._said = list(said)
        self._run = ""

    def engine_session(self) -> Any:
        spec = SessionSpec(exercise="s", runner="python", services=(), limits=Limits())
        judge = self

        class Scripted(FakeSession):
            def send(self, message: Any) -> None:
                judge.replies.append(message)
                judge._run = message.get("run", judge._run)

            def receive(self, timeout: float) -> Any:
                return {"run": judge._run, **judge._said.pop(0)} if judge._said else None

        return Scripted(self.engine, spec)

    def perform(self, made: Exercise) -> Any:
        work = Work(
            exercise=made, submission=SUBMISSION, seed=1, learner_seed=0, attempt=1, only=()
        )
        return Judging(self.session, work, Recorder()).perform()


COLLECTED = {"type": "collected", "checks": [check("test_a", needs=[])]}
PASSED = {
    "type": "outcome",
    "check": "test_a",
    "outcome": "passed",
    "ratio": 1.0,
    "begin": 1.0,
    "end": 3.5,
}
FINISHED = {"type": "finished"}


def test_another_sandbox_replaces_the_last(tmp_path: Path) -> None:
    """A sandbox that the learner's program took down is thrown away, not shared."""
    judge = Judge(COLLECTED, {"type": "request", "id": 4, "name": "sandbox"}, PASSED, FINISHED)
    judge.perform(exercise(tmp_path))
    assert judge.session.discarded == judge.session.sandboxes[:1]
    assert len(judge.session.sandboxes) == 2
    assert judge.replies[-1] == {
        "type": "reply",
        "id": 4,
        "slot": "slot",
        "socket": "socket",
        "key": "key",
    }


def _request(number: int, name: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "request", "id": number, "name": name, **arguments}


def test_replicas_come_beside_the_main_sandbox(tmp_path: Path) -> None:
    """As many as asked for; those that are lost end, and their places are free again."""
    judge = Judge(
        COLLECTED,
        _request(1, "replicas", count=3, lost=[]),
        _request(2, "replicas", count=2, lost=["further0"]),
        PASSED,
        FINISHED,
    )
    judge.perform(exercise(tmp_path))
    first, second = judge.replies[-2]["sandboxes"], judge.replies[-1]["sandboxes"]
    assert [one["slot"] for one in first] == ["further0", "further1", "further2"]
    assert [one["slot"] for one in second] == ["further0", "further3"]
    assert [one.slot for one in judge.session.discarded] == ["further0"]


def test_a_judge_that_begins_again_has_no_replicas(tmp_path: Path) -> None:
    """It knows none of those that its last process had: all of them end."""
    judge = Judge(
        COLLECTED,
        _request(1, "replicas", count=2, lost=[]),
        _request(2, "sandbox", alone=True),
        PASSED,
        FINISHED,
    )
    judge.perform(exercise(tmp_path))
    assert [one.slot for one in judge.session.discarded] == ["further0", "further1", "slot"]


def test_too_many_replicas_lose_the_session(tmp_path: Path) -> None:
    """The judge counts them itself; a host that has no place left is a fault of ours."""
    judge = Judge(COLLECTED, _request(1, "replicas", count=5, lost=[]), PASSED, FINISHED)
    with pytest.raises(SessionLost, match="every place"):
        judge.perform(exercise(tmp_path))


@pytest.mark.parametrize("reason", ["killed", "exit", "closed", "refused", "ready", "sandbox"])
def test_memory_is_looked_for_in_every_sandbox(tmp_path: Path, reason: str) -> None:
    """A replica that met its memory limit is why its connections closed."""
    broke = {**PASSED, "outcome": "broke", "reason": reason, "ratio": 0.0, "message": "m"}
    judge = Judge(COLLECTED, _request(1, "replicas", count=1, lost=[]), broke, FINISHED)
    asked: list[list[str]] = []

    def out_of_memory(sandboxes: Any, begin: float, end: float) -> bool:
        asked.append([one.slot for one in sandboxes])
        return True

    judge.session.out_of_memory = out_of_memory
    (result,) = judge.perform(exercise(tmp_path)).results
    assert asked == [["slot", "further0"]]
    assert result.reason == "memory"


def test_the_judge_gets_the_programs(tmp_path: Path) -> None:
    """As plain values, with how many sandboxes it may ask for."""
    program = Program(run=("python3", "a.py"), kind="serve", ready=Ready(http="/up"))
    judge = Judge(COLLECTED, PASSED, FINISHED)
    judge.perform(exercise(tmp_path, programs={"api": program}))
    assert judge.replies[0]["programs"] == {
        "api": {
            "run": ("python3", "a.py"),
            "kind": "serve",
            "port": "PORT",
            "ready": {"http": "/up", "log": ""},
            "stop": 10.0,
        }
    }
    assert judge.replies[0]["further"] == FURTHER


def test_time_that_was_the_graders_does_not_count(tmp_path: Path) -> None:
    """Starting a replica is taken off the seconds of its check."""
    (result,) = (
        Judge(COLLECTED, {**PASSED, "stopped": 2.0}, FINISHED).perform(exercise(tmp_path)).results
    )
    assert result.seconds == 0.5


def test_a_server_that_is_gone_gets_a_successor(tmp_path: Path) -> None:
    """The judge names it; the host starts another one under the same name."""
    request = {"type": "request", "id": 4, "name": "service", "service": "redis"}
    judge = Judge(COLLECTED, request, PASSED, FINISHED)
    judge.perform(exercise(tmp_path))
    assert judge.session.replaced == ["redis"]
    assert judge.replies[-1] == {"type": "reply", "id": 4}


def test_an_unknown_request_is_refused(tmp_path: Path) -> None:
    """The list of what the judge may ask for is closed."""
    judge = Judge(COLLECTED, {"type": "request", "id": 4, "name": "shell"}, PASSED, FINISHED)
    judge.perform(exercise(tmp_path))
    assert "fault" in judge.replies[-1]


def test_the_time_of_a_check_is_the_judges(tmp_path: Path) -> None:
    """Seconds are those between the outcome's two times."""
    (result,) = Judge(COLLECTED, PASSED, FINISHED).perform(exercise(tmp_path)).results
    assert result.seconds == 2.5


def test_messages_of_another_run_are_not_taken_for_this_one(tmp_path: Path) -> None:
    """What an interrupted run left behind counts for nothing."""
    stale = {**PASSED, "run": "another"}
    found = Judge(stale, COLLECTED, stale, PASSED, FINISHED).perform(exercise(tmp_path))
    assert len(found.results) == 1


def test_a_judge_that_begins_again_keeps_its_checks(tmp_path: Path) -> None:
    """Behind a check that took the run down the judge collects anew; nothing is counted twice."""
    found = Judge(COLLECTED, COLLECTED, PASSED, FINISHED).perform(exercise(tmp_path))
    assert [result.id for result in found.results] == ["test_a"]


@pytest.mark.parametrize(("author", "kind"), [(True, ExerciseError), (False, SessionLost)])
def test_faults_are_the_authors_or_ours(
    tmp_path: Path, author: bool, kind: type[Exception]
) -> None:
    """Tests that cannot be collected are the author's; everything else is a lost session."""
    with pytest.raises(kind, match="SyntaxError"):
        Judge({"type": "fault", "author": author, "message": "SyntaxError"}).perform(
            exercise(tmp_path)
        )


@pytest.mark.parametrize(
    ("show", "expected"),
    [
        ("full", [Looked("test_a", ("called f(1)",), ("almost",))]),
        ("message", [Looked("test_a", (), ("almost",))]),
        ("title", []),
        ("hidden", []),
    ],
)
def test_an_explanation_shows_what_the_author_shows(
    tmp_path: Path, show: str, expected: list[Looked]
) -> None:
    """Inputs stay hidden wherever the report hides them; and nobody hears what was not asked."""
    told = {**PASSED, "looked": ["called f(1)"], "near": ["almost"]}
    recorder = Recorder()
    work = Work(
        exercise=exercise(tmp_path, show=show),
        submission=SUBMISSION,
        seed=1,
        learner_seed=0,
        attempt=1,
        only=(),
        explain=True,
    )
    for asked in (True, False):
        judge = Judge(COLLECTED, told, FINISHED)
        recorder.events.clear()
        Judging(judge.session, replace(work, explain=asked), recorder).perform()
        heard = [event for event in recorder.events if isinstance(event, Looked)]
        assert heard == (expected if asked else [])


def test_a_silent_judge_is_lost(tmp_path: Path) -> None:
    """No message in time ends the run as a fault of ours."""
    with pytest.raises(SessionLost, match="stopped answering"):
        Judge(COLLECTED).perform(exercise(tmp_path))


def test_the_judge_gets_the_tests_and_no_leftovers(tmp_path: Path) -> None:
    """Hidden tests travel with their data, without what Python leaves beside them."""
    made = exercise(tmp_path, env={"WINDOW": "2"}, services={"redis": ("init.txt",)})
    (tmp_path / "init.txt").write_text("FLUSHALL")
    for name in ("tests/__pycache__/a.pyc", "tests/data/rows.json"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("x")
    engine = FakeEngine()
    spec = SessionSpec(exercise="s", runner="p", services=("redis",), limits=Limits())
    session = FakeSession(engine, spec)
    work = Work(exercise=made, submission=SUBMISSION, seed=1, learner_seed=9, attempt=2, only=())
    message = run_message(session, work, "token", None)
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(message["tests"]))) as tar:
        assert tar.getnames() == ["data/rows.json", "test_answer.py"]
    assert message["env"] == {"REDIS_URL": "redis", "WINDOW": "2"}
    assert message["services"]["redis"]["init"] == ["FLUSHALL"]
    assert (message["learner_seed"], message["attempt"], message["sandbox"]) == (9, 2, None)


def test_the_references_session_is_kept_going(tmp_path: Path) -> None:
    """Its judge says when a reset is done, and gets a successor for a server that is gone."""

    class References(FakeSession):
        def send(self, message: Message) -> None:
            self.sent.append(message)
            if message["type"] == "run":
                service = {"type": "request", "id": 1, "name": "service", "service": "redis"}
                ready = {"type": "request", "id": 2, "name": "reset"}
                self._queue.extend({**one, "run": message["run"]} for one in (service, ready))

    spec = SessionSpec(exercise="s", runner="p", services=("redis",), limits=Limits())
    session = References(FakeEngine(), spec)
    Keeper(session, {"type": "run", "run": "token"})
    assert session.replaced == ["redis"]
    assert session.sent[1:] == [{"type": "reply", "id": 1}]
