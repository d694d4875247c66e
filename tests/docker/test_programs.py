"""Programs in Docker: servers, daemons, replicas, fresh runs, and every way they can end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.catalog import load_exercise
from grader.engine.docker.engine import DockerEngine
from grader.grade import GradeOptions, grade
from grader.model.report import CheckResult
from grader.workspace.snapshot import snapshot_folder

pytestmark = pytest.mark.docker
PROGRAMS = Path(__file__).parent.parent / "data" / "graded" / "programs"


@pytest.fixture(scope="module")
def results(docker_engine: DockerEngine) -> dict[str, CheckResult]:
    """One run over all of them."""
    exercise = load_exercise(PROGRAMS)
    submission = snapshot_folder(exercise.solution, exercise.submit, exercise.limits)
    report = grade(exercise, submission, docker_engine, GradeOptions(seed=5), lambda _: None)
    assert report.error == ""
    return {check.id: check for check in report.checks()}


def test_every_check_ends_as_its_name_says(results: dict[str, CheckResult]) -> None:
    """test_passed_... passed, test_broke_ready_... broke before it was ready, and so on."""
    wrong = {}
    for name, result in results.items():
        words = name.split("_")
        if result.outcome != words[1] or (words[1] == "broke" and result.reason != words[2]):
            wrong[name] = (result.outcome, result.reason, result.message, result.got, result.log)
    assert wrong == {}
    assert len(results) == 48


ENDS = {
    "test_broke_ready_port": (
        "The program 'never' was not ready after N s: nothing accepts connections on 127.0.0.1 "
        "at the port in PORT.",
        ["[never runs]", "still thinking"],
    ),
    "test_broke_ready_http": (
        "The program 'unhealthy' was not ready after N s: GET /nowhere was answered with "
        "status 404.",
        ["api: GET /nowhere HTTP/1.1 404 -"],
    ),
    "test_broke_ready_log": (
        "The program 'silent' was not ready after N s: nothing that it printed matches "
        "'open for business'.",
        ["[silent runs]", "still thinking"],
    ),
    "test_broke_exit_at_start": (
        "The program 'crashing' ended with exit code 1 before it was ready.",
        ["[crashing ended with exit code 1]", "RuntimeError: no settings"],
    ),
    "test_broke_exit_missing": (
        "The program 'missing' ended with exit code 127 before it was ready.",
        ["no-such-program: not found"],
    ),
    "test_broke_exit_mid_check": (
        "The program 'api' ended with exit code 3. POST /count was refused: nothing accepts "
        "connections on the program's port.",
        ["[api ended with exit code 3]", "POST /count HTTP/1.1 200", "the end is near"],
    ),
    "test_broke_exit_under_a_request": (
        "The program 'api' ended with exit code 3. GET /crash: the connection was closed before "
        "the answer was complete.",
        ["[api ended with exit code 3]", "the end is near"],
    ),
    "test_broke_refused_after_a_kill": (
        "GET /health was refused: nothing accepts connections on the program's port.",
        ["[api was ended by signal 9]", "api listens"],
    ),
    "test_broke_timeout_of_a_request": (
        "GET /slow?30 did not answer within 0.5 s.",
        ["[api runs]"],
    ),
    "test_broke_timeout_of_a_dripping_answer": ("GET /drip did not answer within 1 s.", []),
    "test_broke_timeout_of_an_end": ("The program 'api' did not end within 0.3 s.", []),
    "test_broke_timeout_of_a_message": ("WebSocket /chat sent nothing within 0.5 s.", []),
    "test_broke_closed": (
        "GET /closed: the connection was closed before the answer was complete.",
        ["[api runs]"],
    ),
    "test_broke_closed_websocket": (
        "The WebSocket was closed: no close frame received or sent.",
        [],
    ),
    "test_broke_answer_garbage": (
        "GET /garbage was answered with what cannot be read: illegal status line: "
        "bytearray(b'this is not HTTP').",
        [],
    ),
    "test_broke_answer_bomb": ("GET /bomb?60 was answered with more than 10 MiB.", []),
    "test_broke_answer_endless": ("GET /endless was answered with more than 10 MiB.", []),
    "test_broke_answer_headers": ("GET /headers?500 was answered with more than 100 headers.", []),
    "test_broke_answer_charset": (
        "GET /charset was answered with a charset that is none: zlib.",
        [],
    ),
    "test_broke_answer_away": (
        "Your program sent the client on to another server: http://127.0.0.1:6379/",
        [],
    ),
    "test_broke_answer_websocket": (
        "The WebSocket was not opened: server rejected WebSocket connection: HTTP 200.",
        [],
    ),
    "test_broke_memory_of_a_server": (
        "Your program needed more memory than the 96 MiB it may use.",
        ["[api was ended by signal 9]"],
    ),
    "test_broke_memory_of_a_replica": (
        "Your program needed more memory than the 96 MiB it may use.",
        ["[api runs]", "[api was ended by signal 9]"],
    ),
    "test_broke_output_of_a_server": (
        "The program 'api' printed more than is allowed, and was ended. GET /health was refused: "
        "nothing accepts connections on the program's port.",
        ["xxxxxxxx"],
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_what_a_broken_check_says(results: dict[str, CheckResult], name: str) -> None:
    """A sentence that helps, and the end of what the program printed."""
    message, log = ENDS[name]
    assert re.sub(r"after \d+ s", "after N s", results[name].message) == message
    assert [line for line in log if line not in results[name].log] == []


def test_a_program_that_died_is_told_beside_a_wrong_answer(
    results: dict[str, CheckResult],
) -> None:
    """The assert decides, and the log says what became of the worker."""
    failed = results["test_failed_worker_died"]
    assert failed.message == "the second job is not done"
    assert failed.log.splitlines() == [
        "[worker ended with exit code 7]",
        "worker is ready",
        "doing a",
        "doing fatal",
    ]


def test_a_title_withholds_the_log(results: dict[str, CheckResult]) -> None:
    """At `show: title` nothing is told of the program."""
    told = results["test_broke_exit_shown_as_title"]
    assert (told.message, told.log) == ("", "")
