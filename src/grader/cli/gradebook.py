"""`grader gradebook`: what a class achieved, from the results of `grader batch`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import output
from grader.cli.batch import has_database
from grader.errors import UsageError
from grader.report.forms import Audience

if TYPE_CHECKING:
    from grader.batch.course import Course
    from grader.batch.gradebook import Gradebook

CSV_KINDS = ("plain", "canvas", "moodle")
MOST_FAILED = 3


def gradebook(
    results: Annotated[
        str, typer.Argument(metavar="FILE|URL", help="The database that grader batch wrote.")
    ],
    course: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="course.yaml: weights, deadlines, attempts, learners."),
    ] = None,
    exercise: Annotated[
        str | None, typer.Option(metavar="SLUG", help="This exercise only.")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Write a page for the class, and one for each learner."
        ),
    ] = None,
    csv: Annotated[
        str | None,
        typer.Option(metavar="KIND", help=f"Write grades as CSV: {', '.join(CSV_KINDS)}."),
    ] = None,
    output_file: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="Where the CSV goes instead of the screen."),
    ] = None,
    audience: Annotated[
        Audience,
        typer.Option(help="Learners' pages leave out what the exercise keeps hidden."),
    ] = Audience.LEARNER,
) -> None:
    """Show what a class achieved: scores, the checks most failed, and everybody's grade.

    A submission that could not be graded for a fault of ours has no grade until it is graded.
    """
    has_database()
    from grader.batch.course import read_course
    from grader.batch.gradebook import gradebook as make
    from grader.batch.gradecsv import Csv, to_csv
    from grader.batch.store import Store

    if csv is not None and csv not in CSV_KINDS:
        raise UsageError(f"--csv: there is no kind '{csv}'", fix=f"kinds: {', '.join(CSV_KINDS)}")
    rules = _only(read_course(course) if course else None, exercise)
    if "://" not in results and not Path(results).is_file():
        raise UsageError(f"{results} does not exist", fix="name the database of grader batch")
    store = Store(results)
    book = make(store.results(exercise or ""), rules)
    if not book.lines:
        raise UsageError(f"{results} holds no result to show", fix="run grader batch first")
    if csv == Csv.MOODLE and len(book.course.exercises) != 1:
        raise UsageError("Moodle's worksheet is of one exercise", fix="name it: --exercise SLUG")
    if html is not None:
        from grader.batch.classpage import write_pages

        try:
            pages = write_pages(book, html, store.get, audience)
        except OSError as error:
            raise UsageError(f"{error.filename}: {error.strerror}", fix="name another") from None
        output.tell(f"{pages} pages, begin with {html / 'index.html'}")
    if csv is not None:
        text = to_csv(book, Csv(csv)).encode()
        if output_file is None:
            output.write_bytes(text)
        else:
            output.write_file(output_file, text)
    if csv is None and html is None:
        _show(book)


def _only(course: Course | None, exercise: str | None) -> Course | None:
    from dataclasses import replace

    if course is None or exercise is None:
        return course
    kept = tuple(one for one in course.exercises if one.exercise == exercise)
    if not kept:
        listed = ", ".join(one.exercise for one in course.exercises)
        raise UsageError(
            f"the course has no exercise '{exercise}'", fix=f"its exercises are: {listed}"
        )
    return replace(course, exercises=kept)


def _show(book: Gradebook) -> None:
    from rich.table import Table
    from rich.text import Text

    from grader.report.text import number, one_line

    screen = output.stdout()
    for one in book.summaries:
        mean = f", mean {number(one.mean)}" if one.mean is not None else ""
        pending = f", {one.pending} not graded yet" if one.pending else ""
        line = f"{one.handed_in} handed in, {one.passed} passed{pending}{mean}"
        screen.print(Text.assemble((one.counted.exercise, "bold"), f"  {line}"), soft_wrap=True)
        for failed in one.most_failed[:MOST_FAILED]:
            said = f"  {failed.failed} of {failed.of} did not pass: {one_line(failed.title)}"
            screen.print(Text(said, "dim"), soft_wrap=True)
    names = [one.exercise for one in book.course.exercises]
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("learner")
    for name in names:
        table.add_column(name, justify="right")
    table.add_column("total", justify="right")
    for row in book.lines:
        grades = [row.grades[name] for name in names]
        cells = [
            "-" if grade.result is None else "?" if grade.score is None else number(grade.score)
            for grade in grades
        ]
        total = "?" if row.total is None else number(row.total)
        name = row.learner if not row.name else f"{row.learner} {row.name}"
        table.add_row(Text(one_line(name, 40)), *cells, total)
    screen.print()
    screen.print(table)
