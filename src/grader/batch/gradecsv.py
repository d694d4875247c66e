"""Grades as CSV: plainly, or as a learning platform takes them in."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from enum import StrEnum

from grader.batch.gradebook import Gradebook, Line
from grader.report.text import number


class Csv(StrEnum):
    """Who is to read it."""

    PLAIN = "plain"
    CANVAS = "canvas"
    MOODLE = "moodle"


def to_csv(book: Gradebook, kind: Csv) -> str:
    """The grades, one learner a line. A grade that is not known yet is an empty field.

    Canvas: "Import Grades" of its gradebook, where an assignment is found by the exercise's name.
    Moodle: the grading worksheet of one assignment, so of a gradebook with one exercise.
    """
    rows = {Csv.PLAIN: _plain, Csv.CANVAS: _canvas, Csv.MOODLE: _moodle}[kind](book)
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([_safe(one) for one in row] for row in rows)
    return text.getvalue()


def _plain(book: Gradebook) -> Iterator[Iterable[str]]:
    names = [one.exercise for one in book.course.exercises]
    columns = [f"{name}{what}" for name in names for what in ("", " days late", " submissions")]
    yield ["learner", "name", *columns, "total"]
    for line in book.lines:
        grades = [line.grades[name] for name in names]
        cells = [
            cell
            for grade in grades
            for cell in (_shown(grade.score), str(grade.days_late), str(grade.submissions))
        ]
        yield [line.learner, line.name, *cells, _shown(line.total)]


def _canvas(book: Gradebook) -> Iterator[Iterable[str]]:
    names = [one.exercise for one in book.course.exercises]
    yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *names]
    yield ["Points Possible", "", "", "", "", *("100" for _ in names)]
    for line in book.lines:
        yield [line.name, line.learner, "", "", "", *_scores(line, names)]


def _moodle(book: Gradebook) -> Iterator[Iterable[str]]:
    names = [one.exercise for one in book.course.exercises]
    yield ["Identifier", "Full name", "Grade"]
    for line in book.lines:
        yield [f"Participant {line.learner}", line.name, *_scores(line, names)]


def _scores(line: Line, names: list[str]) -> list[str]:
    return [_shown(line.grades[name].score) for name in names]


def _shown(score: float | None) -> str:
    return "" if score is None else number(score)


def _safe(cell: str) -> str:
    """What a spreadsheet would take for a formula is text."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
