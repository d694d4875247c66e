"""The mark and the colour of each outcome, on any terminal."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import ConsoleOptions

from grader.model.report import Outcome

STYLES = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "red",
    Outcome.BROKE: "red",
    Outcome.SKIPPED: "dim",
    Outcome.ERROR: "yellow",
}


@dataclass(frozen=True, kw_only=True)
class Glyphs:
    """The few characters beyond ASCII that the screens use."""

    marks: dict[Outcome, str]
    dot: str
    begun: str
    ahead: str
    full: str
    empty: str
    bar: str
    rule: str


UNICODE = Glyphs(
    marks={
        Outcome.PASSED: "✓",
        Outcome.FAILED: "✗",
        Outcome.BROKE: "!",
        Outcome.SKIPPED: "–",  # noqa: RUF001  # an en dash is meant
        Outcome.ERROR: "?",
    },
    dot=" · ",
    begun="◐",
    ahead="→",
    full="●",
    empty="○",
    bar="│",
    rule="─",
)
ASCII = Glyphs(
    marks={
        Outcome.PASSED: "+",
        Outcome.FAILED: "x",
        Outcome.BROKE: "!",
        Outcome.SKIPPED: "-",
        Outcome.ERROR: "?",
    },
    dot=", ",
    begun="~",
    ahead=">",
    full="*",
    empty=".",
    bar="|",
    rule="-",
)


def glyphs(options: ConsoleOptions) -> Glyphs:
    """What this console can show."""
    return ASCII if options.ascii_only else UNICODE


def standing(state: str, shown: Glyphs) -> tuple[str, str]:
    """The mark and the style of an exercise: `passed`, `started`, `next`, or nothing for others."""
    return {
        "passed": (shown.marks[Outcome.PASSED], "green"),
        "started": (shown.begun, "yellow"),
        "next": (shown.ahead, "cyan"),
    }.get(state, ("", ""))
