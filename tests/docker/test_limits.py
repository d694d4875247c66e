"""Limits that bite: hostile programs, what a learner is told, and the honest check behind each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.catalog import load_exercise
from grader.engine.docker.engine import DockerEngine
from grader.grade import GradeOptions, grade
from grader.model.progress import Progress, Retrying
from grader.model.report import CheckResult, Report
from grader.workspace.snapshot import snapshot_folder

pytestmark = pytest.mark.docker
GRADED = Path(__file__).parent.parent / "data" / "graded"
Results = dict[str, CheckResult]

MEMORY = ("broke", "memory", r"Your program needed more memory than the 96 MiB it may use\.")
NO_SPACE = ("broke", "crash", r"Your code raised OSError: \[Errno 28\] No space left on device.*")
PASSED = ("passed", "", "")

HOSTILE = {
    "hog": MEMORY,
    "hog_in_a_child": PASSED,  # its answer is right
    "hog_in_a_grandchild": MEMORY,  # the program itself saw nothing of it
    "hog_beside": MEMORY,  # exit code 0
    "huge_answer": ("broke", "memory|answer", ".*"),
    "fork_bomb": (  # so many copies may also meet the memory limit first
        "broke",
        "timeout|memory",
        r"fork_bomb\(\) did not finish within 1 s\.|Your program needed more memory .*",
    ),
    "fork_bomb_of_the_shell": (
        "broke",
        "timeout|pids",
        r"`sh -c .*` did not finish within 1 s\.|No process could be started: your program .*",
    ),
    "fork_and_wait": ("broke", "crash", "Your code raised BlockingIOError: .*"),
    "thread_bomb": ("broke", "crash", "Your code raised RuntimeError: can't start new thread"),
    "daemons": PASSED,
    "fill_own_folder": NO_SPACE,
    "fill_tmp": NO_SPACE,
    "fill_shared_memory": NO_SPACE,
    "fill_slot": NO_SPACE,
    "fill_inodes": NO_SPACE,
    "fill_inodes_of_tmp": NO_SPACE,
    "fill_inodes_of_slot": NO_SPACE,
    "hide_files": PASSED,
    "ten_gigabytes": (
        "broke",
        "output",
        r"ten_gigabytes\(\) printed more than is allowed, and was ended\.",
    ),
    "ten_gigabytes_beside": ("broke", "output", "`sh -c head .*` printed more than is allowed.*"),
    "ten_gigabytes_of_errors": (
        "broke",
        "output",
        "`sh -c head .*` printed more than is allowed.*",
    ),
    "deaf": ("broke", "timeout", r"deaf\(\) did not finish within 1 s\."),
    "deaf_in_c": ("broke", "timeout", r"deaf_in_c\(\) did not finish within 1 s\."),
    "deaf_beside": ("broke", "timeout", "`sh -c trap .*` did not finish within 1 s."),
    "sleep": ("broke", "timeout", r"The check did not finish in its time\."),
    "sleep_beside": ("broke", "timeout", r"The check did not finish in its time\."),
    "stop": ("broke", "timeout", r"stop\(\) did not finish within 1 s\."),
    "stop_all": ("broke", "sandbox", r"Your program kept its sandbox from answering\."),
    "kill_all": ("broke", "sandbox", r"Your program ended the whole sandbox it runs in\."),
    "kill_agent": ("broke", "sandbox", r"Your program ended the whole sandbox it runs in\."),
    "close_standard": PASSED,
    "close_all": ("broke", "exit", r"close_all\(\) ended the process \(exit code \d\).*"),
    "hold_output": PASSED,
    "hold_output_beside": PASSED,
    "many_files": ("broke", "crash", r"Your code raised OSError: \[Errno 24\] Too many open.*"),
    "more_files": ("broke", "crash", "Your code raised ValueError: not allowed to raise .*"),
    "garbage": (
        "broke",
        "answer",
        r"garbage\(\) returned what cannot be read: .* over the limit.*",
    ),
    "drip": ("broke", "answer|timeout", r"drip\(\) .*"),
    "flood": ("broke", "timeout", r"flood\(\) did not finish within 1 s\."),
}
"""Program -> outcome, reason and message of its check; the last two are regular expressions."""

OVERLOADED = {
    name: ("broke", f"overloaded {name}", f"{name} stopped answering while your program ran, .*")
    for name in ("postgres", "redis")
}
CRASH = "Your code raised "
OVERLOAD = {
    "postgres_memory": ("broke", "crash", f"{CRASH}ConfigurationLimitExceeded: temporary file.*"),
    "postgres_work_memory": OVERLOADED["postgres"],
    "postgres_disk": ("broke", "crash|overloaded postgres", f"{CRASH}DiskFull: .*|postgres stop.*"),
    "postgres_many_small_writes": (
        "broke",
        "crash|overloaded postgres|timeout",
        f"{CRASH}(DiskFull|OperationalError): .*|postgres stopped.*|.* did not finish within 5 s.*",
    ),
    "postgres_temporary_files": ("broke", "crash", f"{CRASH}ConfigurationLimitExceeded: .*"),
    "postgres_connections": (
        "broke",
        "crash|timeout",
        f"(?s){CRASH}OperationalError: .* too many connections for role .*|.* within 5 s.",
    ),
    "postgres_locks": ("broke", "timeout", r"The check did not finish in its time\."),
    "postgres_long_query": PASSED,
    "redis_memory": ("broke", "crash", f"{CRASH}OutOfMemoryError: command not allowed when .*"),
    "redis_huge_value": ("broke", "crash", f"{CRASH}ConnectionError: .*"),
    "redis_many_huge_values": PASSED,
    "redis_unread_answers": PASSED,
    "redis_connections": ("broke", "crash|timeout", f"{CRASH}ConnectionError: .*|.* within 5 s."),
    "redis_endless_script": ("broke", "timeout", r"perform\(\) did not finish within 5 s\."),
    "redis_endless_script_that_wrote": (
        "broke",
        "timeout",
        r"perform\(\) did not finish within 5 s\.",
    ),
    "redis_memory_of_a_script": OVERLOADED["redis"],
    "redis_functions": PASSED,
}
"""The same for attacks on the servers."""


def _report(engine: DockerEngine, name: str, folder: str, told: list[Progress]) -> Report:
    exercise = load_exercise(GRADED / name)
    submission = snapshot_folder(exercise.root / folder, exercise.submit, exercise.limits)
    return grade(exercise, submission, engine, GradeOptions(seed=5), told.append)


@pytest.fixture(scope="module")
def hostile(docker_engine: DockerEngine) -> Results:
    """One run: each hostile program, and behind it an honest one."""
    told: list[Progress] = []
    report = _report(docker_engine, "hostile", "solution", told)
    assert report.error == ""
    assert [event for event in told if isinstance(event, Retrying)] == []  # none is our fault
    return {check.id: check for check in report.checks()}


@pytest.fixture(scope="module")
def overload(docker_engine: DockerEngine) -> Results:
    """The same with two servers. What took a server down is tried twice, then on the reference."""
    told: list[Progress] = []
    report = _report(docker_engine, "overload", "hostile", told)
    assert report.error == ""
    assert len([event for event in told if isinstance(event, Retrying)]) == 1
    return {check.id: check for check in report.checks()}


def compare(result: CheckResult, expected: tuple[str, str, str]) -> None:
    outcome, reason, message = expected
    found = (result.outcome.value, result.reason, result.message)
    assert result.outcome == outcome, found
    assert re.fullmatch(reason, result.reason), found
    assert re.fullmatch(message, result.message, re.DOTALL), found
    assert result.earned == (1 if outcome == "passed" else 0)


@pytest.mark.parametrize("program", HOSTILE)
def test_a_hostile_program_meets_its_limit(hostile: Results, program: str) -> None:
    """Outcome, reason and message are those of the limit that it met."""
    compare(hostile[f"test_program[{program}-hostile]"], HOSTILE[program])


@pytest.mark.parametrize("program", HOSTILE)
def test_the_next_check_is_as_if_nothing_had_been(hostile: Results, program: str) -> None:
    """Fresh files and processes, and a program of its own can be started."""
    compare(hostile[f"test_program[{program}-after]"], PASSED)


@pytest.mark.parametrize("attack", OVERLOAD)
def test_an_attack_on_a_server_breaks_its_own_check(overload: Results, attack: str) -> None:
    """The one who took the server down is told so; it is neither an error nor a wrong answer."""
    compare(overload[f"test_program[{attack}-hostile]"], OVERLOAD[attack])


@pytest.mark.parametrize("attack", OVERLOAD)
def test_the_next_check_finds_the_servers_as_new(overload: Results, attack: str) -> None:
    """State and server are as at the start, if need be because another server took the place."""
    compare(overload[f"test_program[{attack}-after]"], PASSED)


def test_every_program_is_expected(hostile: Results, overload: Results) -> None:
    """No program of the two collections goes unlooked at."""
    for results, expected in ((hostile, HOSTILE), (overload, OVERLOAD)):
        turns = {f"test_program[{name}-{turn}]" for name in expected for turn in TURNS}
        assert set(results) == turns


TURNS = ("hostile", "after")
