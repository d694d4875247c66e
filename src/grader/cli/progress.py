"""What is going on right now, on standard error: a live display, or plain lines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from grader.cli import output
from grader.cli.live import LiveView
from grader.model.progress import (
    CheckFinished,
    ImageOutput,
    ImageReady,
    ImageStarted,
    Listener,
    Progress,
    Retrying,
    Stage,
    Warned,
)
from grader.report.marks import STYLES, glyphs
from grader.report.text import one_line, seconds, size

HEARTBEAT = 10.0
"""Plain lines show what a long build prints so often, in seconds."""


@contextmanager
def watching(*, quiet: bool) -> Iterator[Listener]:
    """A listener that shows what it hears for as long as the block runs."""
    if quiet:
        yield _silence
        return
    console = output.stderr()
    # FORCE_COLOR makes rich take a log for a terminal, but only a real one can be drawn over.
    if not console.file.isatty() or console.is_dumb_terminal:
        yield PlainLines(console)
        return
    from rich.live import Live

    view = LiveView(glyphs(console.options))
    with Live(view, console=console, transient=True, refresh_per_second=10):
        yield view
    for warning in view.warnings:  # the display is gone, and what must be known is not
        console.print(Text(f"warning: {one_line(warning, 400)}", "yellow"), soft_wrap=True)


def _silence(_: Progress) -> None:
    return


class PlainLines:
    """One line per event, for logs and pipes."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._marks = glyphs(console.options).marks
        self._clock = clock
        self._told = clock()

    def __call__(self, event: Progress) -> None:
        match event:
            case Stage(text):
                self._line(text)
            case ImageStarted(name, number, total):
                self._line(f"Image {number} of {total}: {name}")
            case ImageOutput(name, line):
                if self._clock() - self._told >= HEARTBEAT:
                    self._line(f"  {name}: {line}")
            case ImageReady(name, how, spent, bytes_) if how != "present":
                self._line(f"  {name}: {how} in {seconds(spent)}, {size(bytes_)}")
            case CheckFinished(result):
                mark = self._marks[result.outcome]
                took = f" ({seconds(result.seconds)})" if result.seconds >= 0.05 else ""
                self._line(f"  {mark} {result.title}{took}", STYLES[result.outcome])
            case Warned(text):
                self._line(f"warning: {text}", "yellow")
            case Retrying(reason):
                self._line(f"Something of ours failed, so all checks run again: {reason}")

    def _line(self, text: str, style: str = "") -> None:
        self._told = self._clock()
        self._console.print(Text(one_line(text), style), soft_wrap=True)
