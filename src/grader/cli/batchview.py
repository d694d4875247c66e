"""How a batch is going: counts, rate and time left, in place or line by line."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from grader.batch.run import Begun, Ended, Listener, News
from grader.batch.store import Result, Verdict
from grader.cli import output
from grader.model.report import Outcome
from grader.report.marks import STYLES, glyphs
from grader.report.text import counted, one_line, seconds

AS_OUTCOME = {
    Verdict.PASSED: Outcome.PASSED,
    Verdict.FAILED: Outcome.FAILED,
    Verdict.REFUSED: Outcome.BROKE,
    Verdict.ERROR: Outcome.ERROR,
}
WORST_KEPT = 1000
"""Results that are listed at the end, at most: the database has all of them."""


@dataclass
class Tally:
    """What came of the submissions so far."""

    total: int
    clock: Callable[[], float] = time.monotonic
    counts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    known: int = 0
    refused: list[Result] = field(default_factory=list)
    error_results: list[Result] = field(default_factory=list)
    changed: list[tuple[Result, Result]] = field(default_factory=list)
    began: float = 0.0

    def __post_init__(self) -> None:
        self.began = self.clock()

    @property
    def done(self) -> int:
        return sum(self.counts.values())

    @property
    def errors(self) -> int:
        return self.counts[Verdict.ERROR]

    def add(self, news: Ended) -> None:
        """Count one."""
        result = news.result
        self.counts[result.status] += 1
        self.known += news.known
        kept = {Verdict.REFUSED: self.refused, Verdict.ERROR: self.error_results}
        listed = kept.get(result.status)
        if listed is not None and len(listed) < WORST_KEPT:
            listed.append(result)
        before = news.before
        if before is not None and before.score != result.score and len(self.changed) < WORST_KEPT:
            self.changed.append((before, result))

    def a_minute(self) -> float:
        """Submissions graded in a minute, without those that were known."""
        spent = self.clock() - self.began
        return 60 * (self.done - self.known) / spent if spent > 0 else 0.0

    def left(self) -> float | None:
        """Seconds until all are done at this rate; None while nobody can tell."""
        rate = self.a_minute()
        return 60 * (self.total - self.done) / rate if rate > 0 else None

    def sentence(self) -> str:
        """All of it in one line."""
        words = [
            f"{self.counts[verdict]} {said}"
            for verdict, said in (
                (Verdict.PASSED, "passed"),
                (Verdict.FAILED, "did not pass"),
                (Verdict.REFUSED, "cannot be graded"),
                (Verdict.ERROR, "not graded"),
            )
            if self.counts[verdict] or verdict in (Verdict.PASSED, Verdict.FAILED)
        ]
        known = f", {self.known} of them known before" if self.known else ""
        spent = self.clock() - self.began
        return (
            f"{counted(self.done, 'submission')} in {seconds(spent)}{known}: {', '.join(words)} "
            f"({self.a_minute():.0f} a minute)"
        )


class Lines:
    """One line a result: for logs, or as JSON for programs."""

    def __init__(self, tally: Tally, *, json: bool, console: Console | None = None) -> None:
        self._tally = tally
        self._json = json
        self._console = console

    def __call__(self, news: News) -> None:
        if isinstance(news, Begun):
            return
        self._tally.add(news)
        if self._json:
            output.write_bytes(as_json(news))
        elif self._console is not None and not news.known:
            marks = glyphs(self._console.options).marks
            self._console.print(Text(f"{marks[AS_OUTCOME[news.result.status]]} {line(news)}"))


class LiveTable:
    """A listener that is also a renderable: rich asks it again a few times a second."""

    def __init__(self, tally: Tally, jobs: int) -> None:
        self._tally = tally
        self._jobs = jobs
        self._running: dict[int, tuple[str, float]] = {}

    def __call__(self, news: News) -> None:
        if isinstance(news, Begun):
            self._running[news.worker] = (news.handed.learner, self._tally.clock())
            return
        self._running.pop(news.worker, None)
        self._tally.add(news)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        tally = self._tally
        marks = glyphs(options).marks
        left = tally.left()
        rate = f"{tally.done} of {tally.total} · {tally.a_minute():.0f} a minute"
        if glyphs(options).rule == "-":
            rate = rate.replace("·", "-")
        end = f"{seconds(left)} left" if left is not None else ""
        top = Table.grid(padding=(0, 1), expand=True)
        top.add_column(no_wrap=True)
        top.add_column(justify="right", no_wrap=True)
        top.add_row(Text(rate, "bold"), Text(end, "dim"))
        counts = Text()
        for verdict, outcome in AS_OUTCOME.items():
            if tally.counts[verdict] or verdict in (Verdict.PASSED, Verdict.FAILED):
                counts.append(f"{marks[outcome]} {tally.counts[verdict]} ", STYLES[outcome])
                counts.append(f"{verdict.value}  ")
        if tally.known:
            counts.append(f"({tally.known} known before)", "dim")
        now = tally.clock()
        rows = [
            Text(f"  {one_line(learner, 60)} {seconds(now - began)}", "dim")
            for _, (learner, began) in sorted(self._running.items())[: console.size.height - 6]
        ]
        bar = ProgressBar(total=max(tally.total, 1), completed=tally.done)
        yield Group(top, bar, counts, *rows)


def live(stack: ExitStack, tally: Tally, jobs: int) -> Listener:
    """A listener that shows on standard error what it hears, until the stack closes."""
    console = output.stderr()
    if not console.file.isatty() or console.is_dumb_terminal:
        return Lines(tally, json=False, console=console)
    view = LiveTable(tally, jobs)
    stack.enter_context(Live(view, console=console, transient=True, refresh_per_second=5))
    return view


def line(news: Ended) -> str:
    """One result in a line of a log."""
    result = news.result
    said = f"{result.score:g} of 100" if result.score is not None else result.status.value
    why = f": {result.message}" if result.message else ""
    return one_line(f"{result.learner} {said} ({seconds(result.seconds)}){why}", 300)


def as_json(news: Ended) -> bytes:
    """One result as a line of JSON, without the report."""
    import msgspec

    result = news.result
    value = {
        "learner": result.learner,
        "status": result.status.value,
        "score": result.score,
        "known": news.known,
        "seconds": result.seconds,
        "seed": result.seed,
        "submission": result.submission,
        "message": result.message,
        "path": result.path,
    }
    return msgspec.json.encode(value) + b"\n"
