"""What `grader validate` shows: proofs while they are made, and what came of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.padding import Padding
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from grader.authoring.proofs import Kind, Proof
from grader.authoring.proofs import seeds as seeds_of
from grader.authoring.validate import News, ProofBegun, ProofEnded, ProofLost, Validation
from grader.cli import output
from grader.cli.progress import watching
from grader.errors import Problem
from grader.model.progress import Listener
from grader.model.report import Outcome
from grader.report.marks import STYLES, Glyphs, glyphs
from grader.report.text import counted, first_lines, one_line, seconds

VALIDATION_FORMAT = 1
LATELY = 5
"""Proofs that have ended and are still shown."""
MESSAGE_LINES = 30


def label(proof: Proof) -> str:
    """`starter`, `mutant half-even`."""
    return f"{proof.kind} {proof.name}".rstrip()


class Proving(AbstractContextManager["Proving"]):
    """Shows on standard error what goes on, for as long as the block runs.

    Images first, with the display that `check` has for them; then the proofs.
    """

    def __init__(self, validation: Validation, *, quiet: bool) -> None:
        self._validation = validation
        self._quiet = quiet
        self._images = ExitStack()
        self._live = ExitStack()
        self.progress: Listener = self._images.enter_context(watching(quiet=quiet))
        self._listener: Callable[[News], None] | None = None

    def proof(self, news: News) -> None:
        """A listener for the proofs."""
        if self._quiet or (isinstance(news, ProofEnded) and news.worker is None):
            return
        if self._listener is None:
            self._images.close()  # two displays cannot change in place at the same time
            self._listener = self._display()
        self._listener(news)

    def _display(self) -> Callable[[News], None]:
        console = output.stderr()
        if not console.file.isatty() or console.is_dumb_terminal:
            return _PlainLines(console, self._validation.name)
        view = _Table(self._validation, glyphs(console.options))
        live = Live(view, console=console, transient=True, refresh_per_second=10)
        self._live.enter_context(live)
        return view

    def __exit__(self, *_: object) -> None:
        self._live.close()
        self._images.close()


class _PlainLines:
    """One line for each proof, for logs and pipes."""

    def __init__(self, console: Console, name: str) -> None:
        self._console = console
        self._name = name
        self._glyphs = glyphs(console.options)

    def __call__(self, news: News) -> None:
        if isinstance(news, ProofBegun):
            return
        outcome, took = _outcome(news), ""
        if isinstance(news, ProofEnded):
            took = f" ({seconds(news.proven.seconds)})"
        mark = self._glyphs.marks[outcome]
        line = f"  {mark} {self._name}: {label(news.proof)}{took}"
        self._console.print(Text(line, STYLES[outcome]), soft_wrap=True)


class _Table:
    """A listener that is also a renderable: what is being proven, and what was lately."""

    def __init__(self, validation: Validation, shown: Glyphs) -> None:
        self._validation = validation
        self._glyphs = shown
        self._spinner = Spinner("line" if shown.rule == "-" else "dots", style="cyan")
        self._began = time.monotonic()
        self._running: dict[int, tuple[Proof, float]] = {}
        self._ended: list[tuple[ProofEnded | ProofLost, float]] = []

    def __call__(self, news: News) -> None:
        now = time.monotonic()
        if isinstance(news, ProofBegun):
            self._running[news.worker] = (news.proof, now)
        elif news.worker is not None:
            _, began = self._running.pop(news.worker)
            self._ended.append((news, now - began))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        now = time.monotonic()
        done = len(self._validation.ended) + len(self._validation.lost)
        what = f"{self._validation.name}: {done} of {len(self._validation.proofs)} proofs"
        yield self._row(Text(" "), Text(what, "bold"), now - self._began)
        for news, took in self._ended[-LATELY:]:
            outcome = _outcome(news)
            mark = Text(self._glyphs.marks[outcome], STYLES[outcome])
            yield self._row(mark, Text(label(news.proof)), took)
        for proof, began in list(self._running.values()):
            yield self._row(self._spinner, Text(label(proof)), now - began)

    @staticmethod
    def _row(mark: RenderableType, text: Text, spent: float) -> Table:
        row = Table.grid(padding=(0, 1), expand=True)
        row.add_column(width=1)
        row.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        row.add_column(justify="right", no_wrap=True)
        row.add_row(mark, text, Text(seconds(spent), "dim"))
        return row


def _outcome(news: ProofEnded | ProofLost) -> Outcome:
    if isinstance(news, ProofLost):
        return Outcome.ERROR
    return Outcome.FAILED if news.proven.problems else Outcome.PASSED


# -- what came of it ------------------------------------------------------------------------------


def show(validation: Validation) -> None:
    """The result for one exercise, on standard output."""
    screen = output.stdout()
    for part in view(validation, glyphs(screen.options)):
        screen.print(part, crop=False)


def view(validation: Validation, shown: Glyphs) -> Iterator[RenderableType]:
    """A line for each kind of proof, then every problem and warning with its mend."""
    exercise = validation.exercise
    title = f"  {one_line(exercise.title)}" if exercise else ""
    yield Text.assemble((one_line(validation.name), "bold"), title)
    for outcome, name, said in _lines(validation):
        row = Table.grid(padding=(0, 1))
        row.add_column(width=1)
        row.add_column(width=1)
        row.add_column(width=12, no_wrap=True)
        row.add_column(overflow="fold")
        row.add_row("", Text(shown.marks[outcome], STYLES[outcome]), name, said)
        yield row
    for problem in validation.problems:
        yield from _problem(problem, validation, Text(shown.marks[Outcome.FAILED], "red"))
    for problem in validation.warnings:
        yield from _problem(problem, validation, Text(shown.marks[Outcome.BROKE], "yellow"))
    yield Text()
    yield _end(validation)
    yield Text()


def _lines(validation: Validation) -> Iterator[tuple[Outcome, str, str]]:
    if validation.exercise is None:
        yield Outcome.FAILED, "files", "cannot be read as an exercise"
        return
    seeds, many = (
        counted(len(seeds_of(validation.exercise, kind)), "seed")
        for kind in (Kind.MUTANT, Kind.REFERENCE)
    )
    right = "100 with {}, in any order of checks"
    wrong = len(validation.wrong_files)
    said = counted(wrong, "problem") if wrong else "as they should be"
    yield Outcome.FAILED if wrong else Outcome.PASSED, "files", said
    yield from _kind(validation, Kind.STARTER, "starter", "runs, and does not pass")
    yield from _kind(validation, Kind.REFERENCE, "reference", right.format(many))
    yield from _kind(validation, Kind.ALTERNATIVE, "alternatives", right.format(seeds))
    yield from _kind(validation, Kind.MUTANT, "mutants", f"rejected with {seeds}")
    number = len(validation.exercise.checks)
    if validation.unneeded is not None:
        needed = number - len(validation.unneeded)
        outcome = Outcome.FAILED if validation.unneeded else Outcome.PASSED
        yield outcome, "checks", f"{needed} of {number} failed by a mutant"


def _kind(
    validation: Validation, kind: Kind, name: str, said: str
) -> Iterator[tuple[Outcome, str, str]]:
    ended = [one for one in validation.ended if one.proof.kind is kind]
    all_of_them = sum(one.kind is kind for one in validation.proofs)
    if not all_of_them:
        return
    good = sum(not one.proven.problems for one in ended)
    outcome = Outcome.PASSED if good == all_of_them else Outcome.FAILED
    if outcome is Outcome.FAILED and good == len(ended):
        outcome = Outcome.ERROR
    if kind is Kind.MUTANT:
        said = f"{good} of {all_of_them} {said}"
    elif kind is Kind.ALTERNATIVE:
        said = f"{good} of {all_of_them}: {said}"
    elif outcome is not Outcome.PASSED:
        said = "not proven"
    known = sum(one.worker is None for one in ended)
    if known:
        said += " (proven before)" if known == len(ended) else f" ({known} proven before)"
    yield outcome, name, said


def _problem(problem: Problem, validation: Validation, mark: Text) -> Iterator[RenderableType]:
    where = place(problem, validation)
    at = f"{where}:{problem.line}" if problem.line else where
    yield Text()
    yield Text.assemble(mark, " ", (one_line(at, 300), "bold"))
    said = Text("\n".join(first_lines(problem.message, MESSAGE_LINES)))
    yield Padding(said, (0, 0, 0, 2), expand=False)
    if problem.fix:
        yield Padding(
            Text(f"fix: {one_line(problem.fix, 400)}", "cyan"), (0, 0, 0, 2), expand=False
        )


def place(problem: Problem, validation: Validation) -> str:
    """The file of a problem, as seen from the exercise's folder."""
    path = Path(problem.file)
    root = validation.exercise.root if validation.exercise else None
    if root is not None and path.is_relative_to(root):
        return path.relative_to(root).as_posix() or "."
    return problem.file


def _end(validation: Validation) -> Text:
    problems, warnings = len(validation.problems), len(validation.warnings)
    told = f", {counted(warnings, 'warning')}" if warnings else ""
    if validation.proven:
        return Text(f"Proven{told}.", "bold green")
    if problems:
        return Text(f"Not proven: {counted(problems, 'problem')}{told}.", "bold red")
    lost = validation.lost[0] if validation.lost else None
    because = f": {one_line(lost.reason, 300)}" if lost else ""
    number = counted(len(validation.proofs) - len(validation.ended), "proof")
    return Text(f"{number} could not be made{because}", "bold yellow")


def as_json(found: list[Validation]) -> bytes:
    """All that is known, for programs. Files are seen from the exercise's folder."""
    value = {"format": VALIDATION_FORMAT, "exercises": [_exercise_json(one) for one in found]}
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _exercise_json(validation: Validation) -> dict[str, Any]:
    ended = {(one.proof.kind, one.proof.name): one for one in validation.ended}
    lost = {(one.proof.kind, one.proof.name): one.reason for one in validation.lost}
    proofs = []
    for proof in validation.proofs:
        one = ended.get((proof.kind, proof.name))
        proofs.append(
            {
                "kind": proof.kind,
                "name": proof.name,
                "proven": one is not None and not one.proven.problems,
                "cached": one is not None and one.worker is None,
                "runs": one.proven.runs if one else 0,
                "seconds": round(one.proven.seconds, 3) if one else 0.0,
                "rejected_by": one.proven.rejected_by if one else (),
                "error": lost.get((proof.kind, proof.name), ""),
            }
        )
    return {
        "slug": validation.name,
        "proven": validation.proven,
        "problems": [_problem_json(one, validation) for one in validation.problems],
        "warnings": [_problem_json(one, validation) for one in validation.warnings],
        "proofs": proofs,
    }


def _problem_json(problem: Problem, validation: Validation) -> dict[str, Any]:
    return {
        "file": place(problem, validation),
        "line": problem.line,
        "message": problem.message,
        "fix": problem.fix,
    }
