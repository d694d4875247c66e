"""What a person sees of a report. The screens in tests/data/reports are named by what they show."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from grader.model.report import CheckResult, Outcome, Report, Status, TaskResult
from grader.report.details import Commands
from grader.report.jsonform import to_json
from grader.report.terminal import ReportView, to_text
from grader.report.text import visible

REPORTS = Path(__file__).parent.parent / "data" / "reports"
SCREENS = sorted(path.name for path in REPORTS.glob("*.txt"))


def load(name: str) -> Report:
    return msgspec.json.decode((REPORTS / f"{name}.json").read_bytes(), type=Report)


def made_up(*checks: CheckResult, hints: tuple[str, ...] = ()) -> Report:
    task = TaskResult(id="t", title="Task", points=1, earned=0, hints=hints, checks=checks)
    return Report(
        exercise="http-rest",
        exercise_title="Bookshelf",
        exercise_version=1,
        submission="0" * 64,
        engine="fake",
        seed=7,
        status=Status.FAILED,
        score=0.0,
        passing=100,
        points=1,
        earned=0,
        partial=False,
        seconds=0.1,
        tasks=(task,),
    )


def failed(**values: object) -> CheckResult:
    plain = CheckResult(
        id="test_a", task="t", title="A title", outcome=Outcome.FAILED, points=1, earned=0
    )
    return replace(plain, **values)  # type: ignore[arg-type]  # each field by its name


def on_terminal(report: Report, *, encoding: str = "utf-8", terminal: bool = True) -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="backslashreplace", newline="")
    console = Console(
        file=stream,
        width=80,
        force_terminal=terminal,
        color_system="truecolor" if terminal else "auto",
        legacy_windows=False,
        _environ={},
    )
    console.print(ReportView(report), crop=False)
    stream.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("screen", SCREENS)
def test_screen_is_as_stored(screen: str) -> None:
    name, width, _ = screen.split(".")
    shown = to_text(load(name), width=int(width))
    assert shown == (REPORTS / screen).read_text(encoding="utf-8")


@pytest.mark.parametrize("screen", SCREENS)
def test_only_commands_are_wider_than_the_screen(screen: str) -> None:
    _, width, _ = screen.split(".")
    lines = (REPORTS / screen).read_text(encoding="utf-8").splitlines()
    too_wide = [line for line in lines if len(line) > int(width)]
    assert all("grader check --only" in line for line in too_wide), too_wide


def test_no_escape_code_when_not_a_terminal() -> None:
    shown = on_terminal(load("three-failures-in-full-others-one-line"), terminal=False)
    assert "\x1b" not in shown


def test_colour_on_a_terminal() -> None:
    shown = on_terminal(load("three-failures-in-full-others-one-line"))
    assert "\x1b[31m" in shown


def test_ascii_where_the_encoding_has_no_more() -> None:
    shown = on_terminal(
        load("three-failures-in-full-others-one-line"), encoding="ascii", terminal=False
    )
    assert "   x A second read of the same product" in shown
    assert "   + A product comes from the database" in shown
    assert shown.isascii()
    assert "\\u" not in shown


EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\x08 \u202egnp.exe"


@pytest.mark.parametrize(
    "field", ["title", "message", "expected", "got", "diff", "log", "hint", "given", "id", "reason"]
)
@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.BROKE, Outcome.SKIPPED, Outcome.ERROR])
def test_escape_codes_of_a_program_are_written_out(field: str, outcome: Outcome) -> None:
    value: object = ((EVIL, EVIL),) if field == "given" else EVIL
    shown = on_terminal(made_up(failed(**{field: value, "outcome": outcome})))
    ours = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert not set(ours) & set("\x1b\x07\x08\x9b\r\u202e")


def test_written_out_escape_codes_can_be_read() -> None:
    assert "got       \\x1b[31mred\\x1b[0m" in to_text(made_up(failed(got="\x1b[31mred\x1b[0m")))


@pytest.mark.parametrize(
    "field", ["title", "message", "expected", "got", "diff", "log", "hint", "given"]
)
def test_markup_of_a_program_is_only_text(field: str) -> None:
    text = "[red]no[/red] [link=http://x]y[/link] [/] :boom:"
    value: object = ((text, text),) if field == "given" else text
    shown = to_text(made_up(failed(**{field: value})))
    assert text in shown.replace("\n            ", " ")


def test_long_lines_and_many_lines_are_cut() -> None:
    flood = "\n".join(["x" * 5000] * 500)
    values = dict.fromkeys(("message", "expected", "got", "log", "hint", "title"), flood)
    shown = to_text(made_up(failed(**values, given=(("label", flood),) * 50)))
    assert len(shown) < 30_000
    assert "more characters)" in shown
    assert "lines more)" in shown
    assert "lines before)" in shown


def test_the_end_of_the_log_is_shown() -> None:
    log = "\n".join(f"line {number}" for number in range(100))
    shown = to_text(made_up(failed(outcome=Outcome.BROKE, log=log)))
    assert "line 99" in shown
    assert "line 3\n" not in shown


def test_the_hint_of_the_check_comes_before_the_ladder() -> None:
    ladder = ("a nudge", "a pointer")
    assert "hint      mine" in to_text(made_up(failed(hint="mine"), hints=ladder))
    shown = to_text(made_up(failed(), hints=ladder))
    assert "hint      a nudge" in shown
    assert "a pointer" not in shown


def test_the_command_can_be_pasted() -> None:
    check = failed(id="test_a[two words]")
    shown = to_text(made_up(check), Commands(again="grader check 'my work'"), width=40)
    assert "grader check 'my work' --only 'test_a[two words]' --seed 7\n" in shown


def test_a_command_without_only_repeats_the_whole_run() -> None:
    commands = Commands(again="grader grade x --exercise y", only=False)
    shown = to_text(made_up(*[failed(id=f"test_{n}") for n in range(5)]), commands)
    assert "again     grader grade x --exercise y --seed 7\n" in shown
    assert "--only" not in shown


def test_a_score_just_below_passing_is_not_rounded_up() -> None:
    report = replace(made_up(failed()), score=99.97)
    assert "Not passed yet: 99.9 of 100" in to_text(report)


@given(st.text(st.characters(exclude_categories=[]), max_size=40))
def test_visible_text_has_no_character_that_steers(text: str) -> None:
    shown = visible(text)
    shown.encode("utf-8")
    assert all(
        character in "\n\u200c\u200d" or character.isprintable() or ord(character) >= 0xA0
        for character in shown
    )
    assert "\x1b" not in shown


def test_plain_text_is_left_as_it_is() -> None:
    assert visible("naïve 日本 👩\u200d💻\n\tx\r\n") == "naïve 日本 👩\u200d💻\n    x\n"


@pytest.mark.parametrize(
    "line",
    [
        "::set-output name=score::100",
        "  ::error file=a.py::x",
        "a::add-mask::x",
        "::ENDGROUP::",
        "##[set-env name=X]y",
        "##vso[task.complete result=Succeeded]",
        "##teamcity[buildStatus status='SUCCESS']",
    ],
)
def test_a_command_to_a_pipeline_is_written_out(line: str) -> None:
    """A pipeline acts on such a line wherever it comes from; lines may be folded anywhere."""
    shown = visible(line)
    assert not re.search(r"::[a-z]", shown.lower().replace("::x", ""))
    assert "##" not in shown
    assert shown.replace("\\x3a", ":").replace("\\x23", "#") == line
    report = made_up(failed(message=line, log=line))
    assert "##" not in to_json(report).decode()
    assert msgspec.json.decode(to_json(report), type=Report) == report


def test_two_colons_of_a_program_are_left() -> None:
    assert visible("std::vector<int>::iterator tests/a.py::test ## [x]") == (
        "std::vector<int>::iterator tests/a.py::test ## [x]"
    )
