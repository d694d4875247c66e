"""`grader check`: the learner's command."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import completion, output
from grader.cli import context as common
from grader.errors import UsageError

if TYPE_CHECKING:
    from grader.model.exercise import Exercise
    from grader.model.progress import Listener
    from grader.model.report import Report
    from grader.model.submission import Submission
    from grader.report.details import Commands
    from grader.settings import Settings


def check(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="The folder that grader start made.")] = Path(),
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only this check and what it needs. May be repeated.",
            autocompletion=completion.checks,
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Repeat a run on the same inputs.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Use new servers, not warm ones.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON only.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the report as a page, too.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Check again after each save, until you press q.")
    ] = False,
) -> None:
    """Grade your work and see what to do next.

    Exits with 0 when it passed, 1 when it did not, 3 when grader itself failed. With --watch it is
    the last check that counts.
    """
    from grader.catalog import find
    from grader.cli.outcome import exit_code, show
    from grader.workspace import read

    settings = common.settings(context)
    if not path.is_dir():
        raise UsageError(f"{path} is not a folder", fix="name the folder that grader start made")
    if watch and json:
        raise UsageError("--watch and --json do not go together", fix="leave one of them out")
    info = read(path.resolve())
    exercise = find(common.catalog_root(settings), str(info.exercise or info.slug))
    where = "" if path == Path() else f" {shlex.quote(str(path))}"
    work = Checking(settings, exercise, info.root, seed=seed, only=tuple(only or ()))
    if watch:
        from grader.cli.watch import Watch

        raise typer.Exit(Watch(work, again=f"grader check{where}", fresh=fresh).serve())
    report = work.check(work.snapshot(), fresh=fresh, quiet=json)
    from grader.report.details import Commands  # after the checks: it loads what draws

    hint = "" if where else "grader hint"  # which is of the folder that one is in
    commands = Commands(again=f"grader check{where}", hint=hint)
    if html is not None:  # first: a reader of the screen that ends early must not cost it
        _write_page(report, commands, html)
    show(report, commands, json=json)
    if info.version < exercise.version:
        newer = (
            f"note: the exercise is at version {exercise.version}, this folder at {info.version}"
        )
        output.tell(f"{newer}: grader update")
    work.remember(report)
    raise typer.Exit(exit_code(report))


def _write_page(report: Report, commands: Commands, file: Path) -> None:
    from datetime import UTC, datetime

    from grader.report.context import Context
    from grader.report.forms import Form, render

    context = Context(commands=commands, finished=datetime.now(UTC), token="")
    output.write_file(file, render(Form.HTML, report, context))


@dataclass(frozen=True)
class Checking:
    """Grading one workspace, as often as its owner likes."""

    settings: Settings
    exercise: Exercise
    root: Path
    seed: int | None = None
    only: tuple[str, ...] = ()

    def snapshot(self) -> Submission:
        """What would be graded now. Raises SubmissionError."""
        from grader.workspace import snapshot

        return snapshot(self.root, self.exercise.submit, self.exercise.limits)

    def check(
        self,
        submission: Submission,
        *,
        fresh: bool,
        quiet: bool,
        cancelled: Callable[[], bool] | None = None,
        explained: Listener | None = None,
    ) -> Report:
        """Grade it, and count the attempt. Raises what grader.grade raises.

        `explained` hears what each check looked at.
        """
        from grader.cli.outcome import Run
        from grader.workspace import count_attempt, read

        info = read(self.root)
        run = Run(
            exercise=self.exercise,
            submission=submission,
            seed=self.seed,
            only=self.only,
            learner_seed=info.seed,
            attempt=info.attempts + 1,
            owner=str(self.root.resolve()),
            fresh=fresh,
            trusted=True,
            cancelled=cancelled,
            explain=explained is not None,
        )
        report = run.grade(self.settings, quiet=quiet, hear=explained)
        if report.score is not None and not report.partial:
            count_attempt(self.root)
        return report

    def remember(self, report: Report) -> None:
        """Put it into the learner's record. What is graded stays graded without it, too."""
        from grader.cli.last import keep
        from grader.progress.entries import attempt
        from grader.progress.record import Record

        with output.warned("this attempt was not recorded"):
            Record(self.settings.data_dir).add(attempt(report), folder=self.root)
            keep(self.settings, report, self.root)
