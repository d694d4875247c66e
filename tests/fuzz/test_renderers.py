"""Reports whose every text a learner wrote: nothing in them steers a terminal."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from grader.cli import output
from grader.cli.live import LiveView
from grader.cli.plain import PlainLines
from grader.errors import Problem, SubmissionError
from grader.model.progress import (
    CheckFinished,
    CheckStarted,
    Collected,
    ImageOutput,
    Retrying,
    Stage,
)
from grader.model.report import Check, CheckResult, Outcome, Report, Status, TaskResult
from grader.report.context import Context
from grader.report.details import Commands
from grader.report.forms import Form, render
from grader.report.jsonform import to_json
from grader.report.marks import UNICODE
from grader.report.terminal import ReportView, to_text
from tests.fuzz.harness import fuzz, watched

STEERING = ("Cc", "Cf", "Cs", "Zl", "Zp")
JOINERS = "\u200c\u200d"
HARD = [
    *(
        "\x1b[2J",
        "\x1b]0;owned\x07",
        "\x9b31m",
        "\x9d8;;http://x\x9c",
        "\x1bP+q\x1b\\",
        "\r",
        "\b" * 9,
    ),
    *(
        "\u202e",
        "\u2066",
        "\u2028",
        "\x85",
        "\x0c",
        "\x7f",
        "\x00",
        "\ud800",
        "\udc9b",
        "\U000e0041",
    ),
    *(
        "[red]x[/]",
        "[link=http://x]y[/link]",
        "[/]",
        "[",
        "\\[",
        ":boom:",
        "\u0301" * 500,
        "\ufdfd" * 90,
    ),
    *(
        "x" * 5000,
        "\n" * 500,
        "\t" * 300,
        "\r\n",
        "--- a\n+++ b\n@@ -1 +1 @@\n-x",
        "",
        " ",
        "\U0001f468\u200d",
    ),
]
TEXT = st.lists(st.sampled_from(HARD) | st.text(max_size=10), max_size=4).map("".join)
AMOUNT = st.floats(0, 1e6) | st.sampled_from([0.0, 1.0, 0.05, 1e6])
RESULT = st.builds(
    CheckResult,
    id=TEXT,
    task=TEXT,
    title=TEXT,
    outcome=st.sampled_from(Outcome),
    points=AMOUNT,
    earned=AMOUNT,
    reason=TEXT,
    message=TEXT,
    expected=st.none() | TEXT,
    got=st.none() | TEXT,
    diff=st.none() | TEXT,
    given=st.lists(st.tuples(TEXT, TEXT), max_size=14).map(tuple),
    log=TEXT,
    hint=TEXT,
    seconds=AMOUNT,
)
TASK = st.builds(
    TaskResult,
    id=TEXT,
    title=TEXT,
    points=AMOUNT,
    earned=AMOUNT,
    hints=st.lists(TEXT, max_size=2).map(tuple),
    checks=st.lists(RESULT, max_size=3).map(tuple),
)
REPORT = st.builds(
    Report,
    exercise=TEXT,
    exercise_title=TEXT,
    exercise_version=st.integers(0, 10**9),
    submission=TEXT,
    engine=TEXT,
    seed=st.integers(0, 2**53),
    status=st.sampled_from(Status),
    score=st.none() | AMOUNT,
    passing=st.integers(0, 100),
    points=AMOUNT,
    earned=AMOUNT,
    partial=st.booleans(),
    seconds=AMOUNT,
    tasks=st.lists(TASK, max_size=2).map(tuple),
    error=TEXT,
)
OURS = re.compile(r"\x1b\[[0-9;]*m")


def safe(screen: str, *, also: str = "") -> None:
    """Nothing on it but lines of visible characters, and our own colours."""
    left = OURS.sub("", screen)
    bad = {
        character
        for character in left
        if unicodedata.category(character) in STEERING and character not in "\n" + JOINERS + also
    }
    assert not bad, bad


def console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    screen = io.StringIO()
    made = Console(
        file=screen,
        width=80,
        height=40,
        force_terminal=terminal,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        color_system="truecolor" if terminal else None,
        _environ={},
    )
    return made, screen


@fuzz
@given(REPORT, st.booleans())
def test_on_a_terminal_and_in_a_file(report: Report, only: bool) -> None:
    """The whole screen, and the same as a text file."""
    made, screen = console(terminal=True)
    with watched(report):
        made.print(ReportView(report, Commands(only=only)), crop=False)
        text = to_text(report, Commands(only=only), width=40)
    safe(screen.getvalue())
    safe(text)
    assert "\x1b" not in text
    assert len(text) < 200_000
    text.encode("utf-8")


@fuzz
@given(REPORT)
def test_as_json(report: Report) -> None:
    """UTF-8 that parses to the same texts, and is safe to print, too."""
    with watched(report):
        content = to_json(report)
    decoded = content.decode("utf-8")
    safe(decoded)
    parsed = json.loads(decoded)
    assert parsed["seed"] == report.seed
    if not any(0xD800 <= ord(character) < 0xE000 for character in str(vars(report))):
        assert same(parsed["exercise_title"], report.exercise_title)


@fuzz
@given(REPORT, st.sampled_from([form for form in Form if form is not Form.JSON]))
def test_in_every_form(report: Report, form: Form) -> None:
    """UTF-8 of a bounded size that steers nothing, and XML that is XML."""
    context = Context(
        commands=Commands(only=False), finished=datetime(2026, 1, 2, tzinfo=UTC), token="0" * 32
    )
    with watched((report, form)):
        content = render(form, report, context)
    safe(content.decode("utf-8"))
    assert len(content) < 200_000
    if form is Form.JUNIT:
        ElementTree.fromstring(content)


def same(found: object, text: str) -> bool:
    """Equal, but for surrogates, which no JSON can hold as they are."""
    return bool(found == text.encode("utf-8", "backslashreplace").decode())


@fuzz
@given(RESULT, st.lists(TEXT, min_size=3, max_size=3), st.booleans())
def test_while_it_runs(result: CheckResult, texts: list[str], live: bool) -> None:
    """Titles, reasons and what a build prints, in the live display and in plain lines."""
    made, screen = console(terminal=live)
    view = LiveView(UNICODE) if live else None
    listener = view or PlainLines(made)
    check = Check(id=result.id, task="t", title=texts[0], points=1)
    with watched((result, texts)):
        for event in (
            Stage(texts[1]),
            ImageOutput("python", texts[2]),
            Collected((check,)),
            CheckStarted(result.id),
            CheckFinished(result),
            Retrying(texts[2]),
            Stage(texts[0]),
        ):
            listener(event)
            if view is not None:
                made.print(view)
    safe(screen.getvalue())


@fuzz
@given(TEXT, TEXT, TEXT, st.booleans())
def test_errors(message: str, file: str, fix: str, debug: bool) -> None:
    """What goes wrong is told with names that a learner chose, with --debug, too."""
    from grader.cli import main

    told: list[str] = []
    problem = Problem(file=file, line=3, message=message, fix=fix)
    error = SubmissionError(message, fix=fix, problems=[problem])
    with pytest.MonkeyPatch.context() as patch, watched(message):
        patch.setattr(main, "tell", told.append)
        assert main._report(error, debug) == 4
        assert main._bug(ValueError(message), debug) == 70
    for text in told:
        safe(text)


def test_the_ways_out_know_no_markup() -> None:
    """The consoles that results are printed on take brackets as brackets."""
    made = output.stdout()
    assert made.render_str("[red]x[/]").plain == "[red]x[/]"
