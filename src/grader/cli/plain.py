"""Progress as plain lines, for logs and pipes."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console
from rich.text import Text

from grader.cli.live import transferred
from grader.model.progress import (
    CheckFinished,
    ImageOutput,
    ImageReady,
    ImageStarted,
    Progress,
    Retrying,
    Stage,
    Transferred,
    Warned,
)
from grader.report.marks import STYLES, glyphs
from grader.report.text import one_line, seconds, size

HEARTBEAT = 10.0
"""Plain lines show what a long build prints so often, in seconds."""


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
            case Transferred(done, total):
                if self._clock() - self._told >= HEARTBEAT:
                    self._line(f"  {transferred(done, total)}")
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
