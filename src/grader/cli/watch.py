"""`grader check --watch`: checks again after each save, and never goes on by itself.

The main thread waits for news and is the only one that prints, except while a run shows its
progress. Saves, keys and the run each have a thread that only brings news.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grader.cli import output
from grader.errors import Cancelled, GraderError, SubmissionError, UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from grader.cli.check import Checking
    from grader.model.report import Report
    from grader.model.submission import Submission

KEYS = {
    "h": "hint",
    "r": "run again",
    "f": "fresh servers",
    "l": "log",
    "n": "next",
    "q": "quit",
}
PATIENCE = 10.0
"""Seconds that a run in flight has to end when the watch does."""
WAKE = 0.5
"""Windows hears of Ctrl-C only between two waits."""


@dataclass(frozen=True)
class _Saved:
    pass


@dataclass(frozen=True)
class _Key:
    name: str


@dataclass(frozen=True)
class _Ended:
    result: Report | BaseException


@dataclass
class _Flight:
    """A run in flight."""

    submission: Submission
    cancelled: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


class Watch:
    """Checks one workspace again and again; `again` is the command that does it once."""

    def __init__(self, work: Checking, *, again: str, fresh: bool) -> None:
        from grader.report.details import Commands
        from grader.report.marks import glyphs

        self._work = work
        self._commands = Commands(again=again)
        self._fresh = fresh
        self._news: queue.SimpleQueue[_Saved | _Key | _Ended] = queue.SimpleQueue()
        self._screen = output.stdout()
        self._shown = glyphs(self._screen.options)
        self._flight: _Flight | None = None
        self._again = False
        self._later: list[str] = []
        self._digest = ""
        self._told = ""
        self._last: Report | None = None
        self._keys = False

    def serve(self) -> int:
        """Watch until q is pressed: the exit code of the last check."""
        from grader.cli.keys import pressed
        from grader.cli.outcome import exit_code

        ended = threading.Event()
        threading.Thread(target=self._saves, args=(ended,), daemon=True).start()
        with pressed(lambda key: self._news.put(_Key(key))) as self._keys:
            try:
                self._say(self._title())
                self._begin()
                while self._handle(self._heard()):
                    pass
            finally:
                ended.set()
                self._land()
        return 0 if self._last is None else exit_code(self._last)

    # -- news ---------------------------------------------------------------------------------

    def _saves(self, ended: threading.Event) -> None:
        from grader.workspace.changes import changes

        try:
            for _ in changes(self._work.root, ended):
                self._news.put(_Saved())
        except UsageError as error:
            self._news.put(_Ended(error))

    def _heard(self) -> _Saved | _Key | _Ended:
        while True:
            try:
                return self._news.get(timeout=WAKE)
            except queue.Empty:
                continue

    def _handle(self, news: _Saved | _Key | _Ended) -> bool:
        """False when it is over."""
        match news:
            case _Key("q"):
                return False
            case _Key("r" | "f" as key):
                self._fresh = self._fresh or key == "f"
                self._restart()
            case _Key(key) if key in KEYS:
                self._later.append(key)
            case _Saved():
                self._saved()
            case _Ended(result):
                self._ended(result)
        if self._flight is None:
            later, self._later = self._later, []
            for key in later:
                self._answer(key)
        return True

    # -- runs ---------------------------------------------------------------------------------

    def _saved(self) -> None:
        """Something was written: check again unless what would be graded is the same."""
        submission = self._snapshot()
        if submission is not None and submission.digest != self._digest:
            self._restart()

    def _restart(self) -> None:
        if self._flight is None:
            self._begin()
        else:
            self._again = True
            self._flight.cancelled.set()

    def _snapshot(self) -> Submission | None:
        """What would be graded; None, and why is told once, when it cannot be."""
        try:
            submission = self._work.snapshot()
        except (SubmissionError, UsageError) as error:
            self._digest = ""
            self._complain(error)
            return None
        self._told = ""
        return submission

    def _begin(self) -> None:
        submission = self._snapshot()
        if submission is None:
            return
        self._digest = submission.digest
        self._flight = flight = _Flight(submission)
        fresh, self._fresh = self._fresh, False
        flight.thread = threading.Thread(target=self._run, args=(flight, fresh), daemon=True)
        flight.thread.start()

    def _run(self, flight: _Flight, fresh: bool) -> None:
        quiet = not sys.stderr.isatty()
        try:
            report = self._work.check(
                flight.submission, fresh=fresh, quiet=quiet, cancelled=flight.cancelled.is_set
            )
        except BaseException as error:  # noqa: BLE001 -- raised again by the thread that waits
            self._news.put(_Ended(error))
        else:
            self._news.put(_Ended(report))

    def _ended(self, result: Report | BaseException) -> None:
        self._flight = None
        if self._again:  # whatever came of it, something newer waits
            self._again = False
            self._begin()
        elif isinstance(result, GraderError) and not isinstance(result, Cancelled):
            self._complain(result)
        elif isinstance(result, BaseException):
            raise result
        else:
            self._show(result)

    def _land(self) -> None:
        """End a run in flight, so that its session waits for the next one."""
        flight, self._flight = self._flight, None
        if flight is not None and flight.thread is not None:
            flight.cancelled.set()
            flight.thread.join(PATIENCE)
        if sys.stderr.isatty():  # a display that was cut off has hidden it
            output.stderr().show_cursor(True)

    # -- the screen ---------------------------------------------------------------------------

    def _say(self, parts: Iterable[RenderableType]) -> None:
        for part in parts:
            self._screen.print(part, crop=False)

    def _title(self) -> Iterable[RenderableType]:
        from rich.text import Text

        from grader.report.text import one_line

        yield Text(one_line(self._work.exercise.title), "bold")
        names = ", ".join(rule.path for rule in self._work.exercise.submit)
        yield Text(f"Checking again whenever you save {one_line(names)}.", "dim")
        yield self._legend()

    def _legend(self) -> Text:
        from rich.text import Text

        if not self._keys:
            return Text("Ctrl-C ends it.", "dim")
        text = Text()
        for key, what in KEYS.items():
            text.append(key, "bold cyan").append(f" {what}{self._shown.dot}", "dim")
        text.right_crop(len(self._shown.dot))
        return text

    def _show(self, report: Report) -> None:
        from rich.text import Text

        from grader.report.change import change
        from grader.report.prose import graded

        clock = time.strftime("%H:%M:%S")
        self._say(change(self._last, report, self._commands, clock, self._shown))
        self._work.remember(report)
        if graded(report):
            self._last = report
        if report.score is not None and not report.partial and report.status.value == "passed":
            self._say([Text.assemble("Go on with ", ("grader next", "cyan"), " when you like.")])
        self._say(["", self._legend()])

    def _complain(self, error: GraderError) -> None:
        from rich.text import Text

        from grader.report.text import visible

        problems = error.problems if isinstance(error, SubmissionError) else ()
        lines = [f"error: {error.message}", *(f"  {one}" for one in problems)]
        lines += [f"fix: {error.fix}"] if error.fix else []
        text = "\n".join(lines)
        if text != self._told:
            self._told = text
            self._say([Text(visible(text), "yellow"), self._legend()])

    def _answer(self, key: str) -> None:
        from rich.rule import Rule

        self._say([Rule(style="dim", characters=self._shown.rule)])
        if key == "h":
            from grader.cli.hint import one_more

            self._say(one_more(self._work.settings, self._work.exercise, None, self._shown))
        elif key == "l" and self._last is not None:
            from grader.cli.logs import printed

            self._say(printed(self._last, self._shown))
        elif key == "n":
            from grader.catalog import load_catalog
            from grader.cli.context import catalog_root
            from grader.cli.next_ import lead
            from grader.cli.roadmap import way_of

            settings = self._work.settings
            way = way_of(load_catalog(catalog_root(settings)), settings)
            self._say(lead(way, settings, self._shown))
        self._say(["", self._legend()])
