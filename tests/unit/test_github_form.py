"""The log of a GitHub Actions step, read line by line as GitHub's runner reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pytest

from grader.model.report import CheckResult, Outcome, Report, Status
from grader.report.forms import Form
from tests.unit.reports import (
    CONTEXT,
    ERROR,
    FAILED,
    HOSTILE,
    PASSED,
    TOKEN,
    changed,
    poisoned,
    stored,
    text_of,
)


@dataclass(frozen=True)
class Command:
    name: str
    properties: dict[str, str]
    message: str


COMMAND = re.compile(r"\s*::(?P<name>[^\s:]+)(?: (?P<properties>[^:]*?))?::(?P<message>.*)")


def obeyed(log: str) -> list[Command]:
    """Every command that the runner acts on: none between stop-commands and its token.

    It looks at each line without leading blanks, takes CR and LF for ends of lines, and reads the
    older form `##[name]` anywhere in a line.
    """
    found = []
    waits_for = None
    for line in re.split(r"[\r\n]+", log):
        command = COMMAND.fullmatch(line)
        if waits_for is not None:
            if command and command["name"] == waits_for:
                waits_for = None
            continue
        if command is None:
            assert "##[" not in line
            continue
        if command["name"] == "stop-commands":
            waits_for = command["message"]
            continue
        pairs = [pair.partition("=") for pair in (command["properties"] or "").split(",")]
        found.append(
            Command(
                command["name"],
                {key: _decoded(value) for key, _, value in pairs},
                _decoded(command["message"]),
            )
        )
    assert waits_for is None, "commands stay off for the steps behind us"
    return found


def _decoded(text: str) -> str:
    for code, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, character)
    return text


def commands(report: Report) -> list[Command]:
    return obeyed(text_of(Form.GITHUB, report))


def test_each_failure_is_an_annotation() -> None:
    found = commands(stored(FAILED))
    assert [one.name for one in found] == ["error"] * 5 + ["warning"]
    first = next(one for one in found if one.properties["title"].startswith("A second read"))
    assert first.message.splitlines()[0] == "The second read asked the database again."
    assert found[-1].message == "Not passed yet: 18.7 of 100"


def test_a_pass_is_a_notice() -> None:
    (found,) = commands(stored(PASSED))
    assert (found.name, found.message) == ("notice", "Passed: 100 of 100")


def test_a_fault_of_ours_is_one_error_and_no_score() -> None:
    (found,) = commands(stored(ERROR))
    assert found.name == "error"
    assert "not a zero" in found.message
    assert " of 100" not in text_of(Form.GITHUB, stored(ERROR))


def test_the_ten_most_useful_are_shown() -> None:
    """First what others wait for, then what is worth most; the rest is counted."""
    report = stored(FAILED)
    task = report.tasks[0]
    model = next(check for check in task.checks if check.outcome is Outcome.FAILED)
    failures = [replace(model, id=f"test_{n}", title=f"Check {n}", points=n + 1) for n in range(14)]
    waiting = replace(model, id="test_w", outcome=Outcome.SKIPPED, reason="test_2")
    report = replace(report, tasks=(replace(task, checks=(*failures, waiting)),))
    *errors, last = commands(report)
    titles = [one.properties["title"] for one in errors]
    assert titles == ["Check 2", *(f"Check {n}" for n in range(13, 4, -1))]
    assert last.message.splitlines()[1] == "4 more checks did not pass"


@pytest.mark.parametrize("status", [Status.FAILED, Status.ERROR])
@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_of_a_program_is_obeyed(name: str, status: Status) -> None:
    """As many commands as for a harmless text, all of them ours."""
    harmless = commands(poisoned("harmless", status))
    found = commands(poisoned(HOSTILE[name], status))
    assert [one.name for one in found] == [one.name for one in harmless]
    assert all(set(one.properties) == {"title"} for one in found)


def test_a_percent_sign_is_no_line_feed() -> None:
    """What looks encoded already comes out as it was."""
    found = commands(poisoned("100%0A::error::x, 5%: y"))
    assert found[0].properties["title"] == "100%0A\\x3a:error::x, 5%: y"


def test_what_the_program_printed_stands_between_the_markers_only() -> None:
    def speak(check: CheckResult) -> CheckResult:
        return replace(check, log="printed by the program")

    log = text_of(Form.GITHUB, changed(stored(FAILED), speak))
    inside = log.partition(f"::stop-commands::{TOKEN}\n")[2].partition(f"\n::{TOKEN}::\n")[0]
    assert "printed by the program" in inside
    assert "printed by the program" not in log.replace(inside, "")


def test_the_reader_of_these_tests_obeys() -> None:
    """It would see an injected command, in each of the ways that the runner knows."""
    assert [one.name for one in obeyed("x\n  ::error title=a%2Cb::m\r::warning::w\n")] == [
        "error",
        "warning",
    ]
    with pytest.raises(AssertionError):
        obeyed("x ##[error]y")
    with pytest.raises(AssertionError):
        obeyed(f"::stop-commands::{CONTEXT.token}\n")
