"""The display that changes in place while images build, services start and checks run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

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
from grader.model.report import CheckResult, Outcome
from grader.report.marks import STYLES, Glyphs
from grader.report.text import one_line, seconds, size

AROUND_CHECKS = 8
"""Lines of the screen that the list of finished checks leaves to everything else."""


@dataclass
class _Image:
    name: str
    began: float
    line: str = ""
    ready: ImageReady | None = None


@dataclass
class _State:
    """What is known since the run, or its repetition, began."""

    stage: str = "Preparing"
    began: float = 0.0
    total_images: int = 0
    through: str = ""
    images: dict[str, _Image] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    running: str = ""
    running_since: float = 0.0
    finished: list[CheckResult] = field(default_factory=list)


class LiveView:
    """A listener that is also a renderable: rich asks it again ten times a second."""

    def __init__(self, glyphs: Glyphs, clock: Callable[[], float] = time.monotonic) -> None:
        self._glyphs = glyphs
        self._clock = clock
        # A plain line turns where dots of braille cannot be shown.
        self._spinner = Spinner("line" if glyphs.rule == "-" else "dots", style="cyan")
        self._state = _State(began=clock())
        self._notice = ""
        self.warnings: list[str] = []

    def __call__(self, event: Progress) -> None:
        state, now = self._state, self._clock()
        match event:
            case Stage(text):
                state.stage, state.began, state.through = text, now, ""
                if all(image.ready for image in state.images.values()):
                    state.images.clear()
            case ImageStarted() | ImageOutput() | ImageReady():
                self._image_news(event, now)
            case Transferred(done, total):
                state.through = transferred(done, total)
            case Collected(checks):
                state.titles = {check.id: check.title for check in checks}
                state.stage, state.began = "Running the checks", now
            case CheckStarted(check):
                state.running, state.running_since = check, now
            case CheckFinished(result):
                state.running = ""
                state.finished.append(result)
            case Warned(text):
                self.warnings.append(text)
            case Retrying(reason):
                self._notice = f"Something of ours failed, so all checks run again: {reason}"
                self._state = _State(stage="Starting again", began=now)

    def _image_news(self, event: ImageStarted | ImageOutput | ImageReady, now: float) -> None:
        state = self._state
        match event:
            case ImageStarted(name, _, total):
                if not state.images:
                    state.stage, state.began = "Preparing images", now
                state.total_images = total
                state.images[name] = _Image(name, now)
            case ImageOutput(name, line) if name in state.images:
                state.images[name].line = line
            case ImageReady(name, how) if how != "present":
                state.images.setdefault(name, _Image(name, now)).ready = event

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        state, now = self._state, self._clock()
        if self._notice:
            yield Text(one_line(self._notice), "yellow")
        yield self._stage(state, now)
        if not state.titles:
            yield from self._images(state, now)
            return
        room = max(3, console.size.height - AROUND_CHECKS)
        for result in state.finished[-room:]:
            yield self._finished(result)
        if state.running:
            title = state.titles.get(state.running, state.running)
            yield self._row(self._spinner, Text(one_line(title)), now - state.running_since)

    def _stage(self, state: _State, now: float) -> Table:
        what = state.stage
        if state.titles:
            what += f": {len(state.finished)} of {len(state.titles)}"
        elif state.images:
            ready = sum(image.ready is not None for image in list(state.images.values()))
            what += f": {ready} of {state.total_images} ready"
        elif state.through:
            what += f": {state.through}"
        mark: RenderableType = Text(" ") if state.running else self._spinner
        return self._row(mark, Text(one_line(what), "bold"), now - state.began)

    def _images(self, state: _State, now: float) -> Iterator[Table]:
        for image in list(state.images.values()):
            if image.ready is not None:
                facts = f"{image.ready.how}, {size(image.ready.size)}"
                mark = Text(self._glyphs.marks[Outcome.PASSED], "green")
                label = Text.assemble(image.name, (f"  {facts}", "dim"))
                yield self._row(mark, label, image.ready.seconds)
            else:
                label = Text.assemble(image.name, (f"  {one_line(image.line)}", "dim"))
                yield self._row(self._spinner, label, now - image.began)

    def _finished(self, result: CheckResult) -> Table:
        mark = Text(self._glyphs.marks[result.outcome], STYLES[result.outcome])
        style = "dim" if result.outcome is Outcome.SKIPPED else ""
        return self._row(mark, Text(one_line(result.title), style), result.seconds)

    def _row(self, mark: RenderableType, text: Text, spent: float) -> Table:
        """A mark, one line of text cut to the width, and a time on the right."""
        row = Table.grid(padding=(0, 1), expand=True)
        row.add_column(width=1)
        row.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        row.add_column(justify="right", no_wrap=True)
        row.add_row(mark, text, Text(seconds(spent) if spent >= 0.05 else "", "dim"))
        return row


def transferred(done: int, total: int) -> str:
    """`12 MB`, or `12 MB of 98 MB` when it is known how much there is."""
    return f"{size(done)} of {size(total)}" if total else size(done)
