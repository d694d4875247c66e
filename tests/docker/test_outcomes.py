"""The five outcomes in Docker: every check of a data exercise ends as its name says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader.catalog import load_exercise
from grader.engine.docker.engine import DockerEngine
from grader.errors import ExerciseError
from grader.grade import GradeOptions, grade
from grader.model.report import CheckResult, Report
from grader.workspace.snapshot import snapshot_folder

pytestmark = pytest.mark.docker
GRADED = Path(__file__).parent.parent / "data" / "graded"


def _report(engine: DockerEngine, name: str) -> Report:
    exercise = load_exercise(GRADED / name)
    submission = snapshot_folder(exercise.solution, exercise.submit, exercise.limits)
    return grade(exercise, submission, engine, GradeOptions(seed=5), lambda _: None)


@pytest.fixture(scope="module")
def results(docker_engine: DockerEngine) -> dict[str, CheckResult]:
    """One run over all the ways a check can end."""
    report = _report(docker_engine, "outcomes")
    assert report.error == ""
    return {check.id: check for check in report.checks()}


def test_every_check_ends_as_its_name_says(results: dict[str, CheckResult]) -> None:
    """test_passed_... passed, test_broke_timeout_... broke by timeout, and so on."""
    wrong = {}
    for name, result in results.items():
        words = name.split("_")
        expected = "passed" if name == "test_first" else words[1]
        if result.outcome != expected or (expected == "broke" and result.reason != words[2]):
            wrong[name] = (result.outcome, result.reason, result.message, result.log)
    assert wrong == {}
    assert len(results) == 35


def test_a_wrong_answer_shows_both_sides(results: dict[str, CheckResult]) -> None:
    """Message, given, expected, got, a diff, the hint and what the program printed."""
    failed = results["test_failed_comparison"]
    assert failed.message == "the list is wrong"
    assert failed.given == (("a", "1"),)
    assert failed.got is not None
    assert failed.got.startswith("[2,")
    assert failed.expected is not None
    assert failed.expected.startswith("[3,")
    assert "-  'value': [1, 2, 4]" in (failed.diff or "")
    assert failed.hint == "Mind the order."
    assert "adding 1 1" in failed.log


def test_helpers_of_the_tests_show_both_sides(results: dict[str, CheckResult]) -> None:
    """Every module in tests/ has its asserts rewritten."""
    failed = results["test_failed_in_a_helper"]
    assert (failed.message, failed.got, failed.expected) == ("the sum is wrong", "2", "3")


def test_credit_is_kept(results: dict[str, CheckResult]) -> None:
    """Three of four points for three of four right."""
    assert results["test_failed_with_credit"].earned == 3
    assert results["test_failed_with_credit"].message == "three of four are right"


def test_a_title_shows_no_more(results: dict[str, CheckResult]) -> None:
    """At `show: title` neither the message nor the program's own output is told."""
    told = results["test_failed_shown_as_title"]
    assert (told.title, told.message, told.log, told.got) == ("A secret check.", "", "", None)


def test_a_crash_shows_the_learners_frames_only(results: dict[str, CheckResult]) -> None:
    """The traceback names the learner's file and line, and nothing of grader's."""
    log = results["test_broke_crash"].log
    assert 'File "program.py", line' in log
    assert "raise Unlucky" in log
    assert log.count("File ") == 1


def test_the_walls_of_the_sandbox(docker_engine: DockerEngine) -> None:
    """Felt from the inside, check by check."""
    report = _report(docker_engine, "isolation")
    assert report.error == ""
    told = {
        check.id: (check.message, check.got, check.log)
        for check in report.checks()
        if check.outcome != "passed"
    }
    assert told == {}


def test_a_recording_misses_nothing(docker_engine: DockerEngine) -> None:
    """A row comes back in ways that hide the statement; each is recorded, and a plain one once."""
    report = _report(docker_engine, "unseen")
    told = [(one.id, one.outcome, one.message, one.log) for one in report.checks()]
    assert [line for line in told if line[1] != "passed"] == []
    assert len(told) == 10


def test_what_was_prepared_is_for_the_same_tests_only(
    docker_engine: DockerEngine, tmp_path: Path
) -> None:
    """A warm judge waits with the tests collected; when they change, or break, it starts again."""
    folder = tmp_path / "sum"
    shutil.copytree(GRADED / "sum", folder)
    exercise = load_exercise(folder)
    submission = snapshot_folder(exercise.solution, exercise.submit, exercise.limits)
    options = GradeOptions(seed=5, owner=str(tmp_path))

    def outcomes() -> list[str]:
        report = grade(exercise, submission, docker_engine, options, lambda _: None)
        return [check.outcome.value for check in report.checks()]

    assert set(outcomes()) == set(outcomes()) == {"passed"}
    tests = folder / "tests" / "test_adding.py"
    right = tests.read_text()
    tests.write_text(f"{right}\n\nraise RuntimeError('broken by its author')\n")
    for _ in range(2):
        with pytest.raises(ExerciseError, match="broken by its author"):
            outcomes()
    tests.write_text(right.replace("assert ", "assert not "))
    assert "failed" in outcomes()
    tests.write_text(right)
    assert set(outcomes()) == {"passed"}
