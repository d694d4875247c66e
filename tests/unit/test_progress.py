"""The progress display, fed by hand with a clock of the test's own."""

from __future__ import annotations

import io

from rich.console import Console

from grader.cli.live import LiveView
from grader.cli.plain import HEARTBEAT, PlainLines
from grader.model.progress import (
    CheckFinished,
    CheckStarted,
    Collected,
    ImageOutput,
    ImageReady,
    ImageStarted,
    Progress,
    Retrying,
    Stage,
    Transferred,
    Warned,
)
from grader.model.report import Check, CheckResult, Outcome
from grader.report.marks import UNICODE


class Clock:
    """Time passes only when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def console(height: int = 24) -> Console:
    return Console(
        file=io.TextIOWrapper(io.BytesIO(), encoding="utf-8"),
        width=60,
        height=height,
        color_system=None,
        legacy_windows=False,
    )


def shown(view: LiveView, height: int = 24) -> list[str]:
    screen = console(height)
    with screen.capture() as captured:
        screen.print(view)
    return captured.get().splitlines()


def checks(count: int) -> tuple[Check, ...]:
    return tuple(Check(id=f"c{n}", task="t", title=f"Title {n}", points=1) for n in range(count))


def finished(number: int, outcome: Outcome = Outcome.PASSED) -> CheckFinished:
    return CheckFinished(
        CheckResult(
            id=f"c{number}",
            task="t",
            title=f"Title {number}",
            outcome=outcome,
            points=1,
            earned=0,
            seconds=0.5,
        )
    )


def tell(view: LiveView, *events: Progress) -> None:
    for event in events:
        view(event)


def test_a_warning_outlives_the_display() -> None:
    """In a log it is a line like others; the live display keeps it for when it is gone."""
    view = LiveView(UNICODE, Clock())
    tell(view, Warned("This engine is weak."))
    assert view.warnings == ["This engine is weak."]
    printed = io.StringIO()
    PlainLines(Console(file=printed, width=80))(Warned("This engine is weak."))
    assert printed.getvalue() == "warning: This engine is weak.\n"


def test_images_show_number_last_line_and_time() -> None:
    clock = Clock()
    view = LiveView(UNICODE, clock)
    tell(view, ImageStarted("base", 1, 3), ImageReady("base", "built", 12.0, 98_000_000))
    tell(view, ImageStarted("redis", 2, 3), ImageOutput("redis", "Unpacking \x1b[31mit"))
    clock.now = 4.0
    heading, base, redis = shown(view)
    assert "Preparing images: 1 of 3 ready" in heading
    assert base.split() == ["✓", "base", "built,", "98", "MB", "12.0", "s"]
    assert "redis  Unpacking \\x1b[31mit" in redis
    assert redis.endswith("4.0 s")


def test_images_that_were_there_are_not_news() -> None:
    view = LiveView(UNICODE, Clock())
    tell(view, ImageReady("base", "present", 0.0, 1), Stage("Starting redis"))
    assert len(shown(view)) == 1


def test_images_go_when_the_next_stage_begins() -> None:
    view = LiveView(UNICODE, Clock())
    tell(view, ImageStarted("base", 1, 1), ImageReady("base", "pulled", 1.0, 1))
    view(Stage("Starting redis"))
    (line,) = shown(view)
    assert line.strip().endswith("Starting redis")


def test_checks_show_marks_and_the_running_one() -> None:
    clock = Clock()
    view = LiveView(UNICODE, clock)
    tell(view, Collected(checks(3)), finished(0), finished(1, Outcome.FAILED), CheckStarted("c2"))
    clock.now = 2.0
    heading, first, second, third = shown(view)
    assert "Running the checks: 2 of 3" in heading
    assert first.split() == ["✓", "Title", "0", "0.5", "s"]
    assert second.startswith("✗ Title 1")
    assert "Title 2" in third
    assert third.endswith("2.0 s")


def test_many_checks_stay_within_the_screen() -> None:
    view = LiveView(UNICODE, Clock())
    tell(view, Collected(checks(50)), *[finished(number) for number in range(40)])
    lines = shown(view, height=12)
    assert len(lines) < 12
    assert "Title 39" in lines[-1]


def test_a_retry_says_so_and_begins_anew() -> None:
    view = LiveView(UNICODE, Clock())
    tell(view, Collected(checks(3)), finished(0), Retrying("redis ended"))
    text = " ".join(shown(view))
    assert "again: redis  ended" in text
    assert "Title 0" not in text


def test_plain_lines_beat_now_and_then_while_an_image_builds() -> None:
    clock = Clock()
    screen = console()
    plain = PlainLines(screen, clock)
    with screen.capture() as captured:
        plain(ImageStarted("base", 1, 1))
        for number in range(25):
            clock.now += HEARTBEAT / 10
            plain(ImageOutput("base", f"line {number}"))
        plain(ImageReady("base", "built", 125.0, 98_000_000))
    assert captured.get().splitlines() == [
        "Image 1 of 1: base",
        "  base: line 9",
        "  base: line 19",
        "  base: built in 2 min 5 s, 98 MB",
    ]


def test_an_archive_shows_how_far_it_is() -> None:
    """Of how much, when that is known; the next stage begins without it."""
    clock = Clock()
    view = LiveView(UNICODE, clock)
    tell(view, Stage("Saving 5 images"), Transferred(55_000_000))
    clock.now = 3.0
    (line,) = shown(view)
    assert "Saving 5 images: 55 MB" in line
    assert line.endswith("3.0 s")
    tell(view, Stage("Loading the images"), Transferred(55_000_000, 290_000_000))
    assert "Loading the images: 55 MB of 290 MB" in shown(view)[0]
    view(Stage("Docker unpacks the images"))
    assert "MB" not in shown(view)[0]


def test_plain_lines_tell_of_an_archive_now_and_then() -> None:
    clock = Clock()
    screen = console()
    plain = PlainLines(screen, clock)
    with screen.capture() as captured:
        plain(Stage("Saving 5 images"))
        for number in range(25):
            clock.now += HEARTBEAT / 10
            plain(Transferred(number * 1_000_000))
    assert captured.get().splitlines() == ["Saving 5 images", "  9 MB", "  19 MB"]
