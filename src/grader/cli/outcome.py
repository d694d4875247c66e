"""Grading as `check` and `grade` do it: with progress, and with the report told at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.cli import context as common
from grader.cli import output

if TYPE_CHECKING:
    from grader.model.exercise import Exercise
    from grader.model.progress import Listener, Progress
    from grader.model.report import Report
    from grader.model.submission import Submission
    from grader.report.details import Commands
    from grader.settings import Settings

LOCAL = "the engine local runs the program. See: grader doctor"
EXIT_CODES = {"passed": 0, "failed": 1, "error": 3}


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run: what is graded, and how. The options are those of grader.grade."""

    exercise: Exercise
    submission: Submission
    seed: int | None = None
    only: tuple[str, ...] = ()
    learner_seed: int = 0
    attempt: int = 1
    owner: str = ""
    fresh: bool = False
    trusted: bool = False
    author: bool = False
    explain: bool = False
    cancelled: Callable[[], bool] | None = None

    def grade(self, settings: Settings, *, quiet: bool, hear: Listener | None = None) -> Report:
        """Grade it, showing progress on standard error unless `quiet`; `hear` is told as well."""
        from grader.cli.progress import watching
        from grader.engine.registry import automatic, engine
        from grader.grade import GradeOptions, grade
        from grader.model.progress import Warned

        with watching(quiet=quiet) as listener:
            options = GradeOptions(
                seed=self.seed,
                only=self.only,
                learner_seed=self.learner_seed,
                attempt=self.attempt,
                owner=self.owner,
                fresh=self.fresh,
                trusted=self.trusted,
                author=self.author,
                explain=self.explain,
                cancelled=self.cancelled,
                maker=common.maker(settings, self.exercise, listener),
            )
            if not settings.engine and (reason := automatic(settings)[1]):
                listener(Warned(f"{reason[0].upper()}{reason[1:]}: {LOCAL}"))
            heard = listener if hear is None else _both(listener, hear)
            return grade(self.exercise, self.submission, engine(settings), options, heard)


def _both(first: Listener, second: Listener) -> Listener:
    def hear(event: Progress) -> None:
        first(event)
        second(event)

    return hear


def show(report: Report, commands: Commands, *, json: bool) -> None:
    """The report on standard output."""
    if json:
        from grader.report.jsonform import to_json

        output.write_bytes(to_json(report))
        return
    from grader.report.terminal import ReportView

    output.stdout().print(ReportView(report, commands), crop=False)


def exit_code(report: Report) -> int:
    """0 passed, 1 graded and not passed, 3 not graded."""
    return EXIT_CODES[report.status.value]
