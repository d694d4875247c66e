"""The gradebook as pages: one for the class, one for each learner. No script, no network."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from grader.batch.gradebook import BANDS, Grade, Gradebook, Line, Summary, report_of
from grader.batch.store import Result, Verdict
from grader.model.report import Outcome
from grader.report.context import Context
from grader.report.details import Commands
from grader.report.forms import Audience
from grader.report.page import to_html
from grader.report.text import counted, number, one_line

TEMPLATE = "class.html.j2"
MARKS = {
    Outcome.PASSED: "■",
    Outcome.FAILED: "□",
    Outcome.BROKE: "▨",
    Outcome.SKIPPED: "·",
    Outcome.ERROR: "?",
}
HEIGHT = 100
"""Of the plots, in their own units; a bar is so wide with its gap:"""
STEP = 40
MOST_FAILED = 8


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar of a plot."""

    x: int
    height: float
    label: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Plot:
    """Bars side by side; `said` is the same in words."""

    title: str
    bars: tuple[Bar, ...]
    said: str

    @property
    def width(self) -> int:
        return STEP * len(self.bars)


def write_pages(
    book: Gradebook, folder: Path, reports: Callable[[int], Result | None], audience: Audience
) -> int:
    """Write index.html and a page for each learner and exercise; how many pages. Raises OSError.

    `reports` gives a result with its report by its id.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pages = 1
    for line in book.lines:
        for grade in line.grades.values():
            whole = reports(grade.result.id) if grade.result else None
            if whole is None or not whole.report:
                continue
            (folder / page_name(whole)).write_text(_learner(whole, audience), encoding="utf-8")
            pages += 1
    (folder / "index.html").write_text(to_page(book), encoding="utf-8")
    return pages


def page_name(result: Result) -> str:
    """A file name that no learner's name can lead elsewhere, and no two share."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", result.learner).strip("-")[:40] or "learner"
    own = hashlib.sha256(f"{result.learner}\0{result.exercise}".encode()).hexdigest()[:8]
    return f"{plain}-{result.exercise}-{own}.html"


def _learner(result: Result, audience: Audience) -> str:
    context = Context(
        commands=Commands(again="grader check", only=False),
        finished=datetime.fromisoformat(result.graded),
        token="",
        audience=audience,
    )
    return to_html(report_of(result), context)


def to_page(book: Gradebook) -> str:
    """The class on one page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = [one.exercise for one in book.course.exercises]
    return environment.get_template(TEMPLATE).render(
        title=one_line(book.course.title) or "Gradebook",
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        learners=counted(len(book.lines), "learner"),
        names=names,
        summaries=[_section(one) for one in book.summaries],
        rows=[_row(line, names) for line in book.lines],
        legend=[(MARKS[outcome], outcome.value) for outcome in MARKS],
        height=HEIGHT,
    )


def _section(summary: Summary) -> dict[str, object]:
    facts = [
        f"{summary.handed_in} handed in",
        f"{summary.passed} passed",
        *([f"{summary.refused} cannot be graded"] if summary.refused else []),
        *([f"{summary.pending} not graded yet"] if summary.pending else []),
        *([f"mean {number(summary.mean)} of 100"] if summary.mean is not None else []),
    ]
    return {
        "exercise": summary.counted.exercise,
        "facts": " · ".join(facts),
        "plots": [plot for plot in (_scores(summary), _tries(summary)) if plot.bars],
        "failed": [
            (one_line(one.title), one.id, one.failed, one.of, f"{100 * one.failed / one.of:.2f}")
            for one in summary.most_failed[:MOST_FAILED]
        ],
    }


def _scores(summary: Summary) -> Plot:
    width = 100 // BANDS
    labels = [*(f"{n * width}" for n in range(BANDS - 1)), f"{100 - width}+"]
    bars = _bars(labels, summary.bands)
    said = "; ".join(
        f"{n * width} to {(n + 1) * width}: {many}" for n, many in enumerate(summary.bands) if many
    )
    return Plot(title="Scores", bars=bars if any(summary.bands) else (), said=said)


def _tries(summary: Summary) -> Plot:
    shown = summary.passed_after[:BANDS]
    bars = _bars([str(tries) for tries, _ in shown], [many for _, many in shown])
    said = "; ".join(f"with submission {tries}: {many}" for tries, many in shown)
    return Plot(title="Passed with submission number", bars=bars, said=said)


def _bars(labels: list[str], counts: tuple[int, ...] | list[int]) -> tuple[Bar, ...]:
    most = max(counts, default=0) or 1
    return tuple(
        Bar(x=n * STEP, height=round(HEIGHT * many / most, 1), label=label, count=many)
        for n, (label, many) in enumerate(zip(labels, counts, strict=True))
    )


def _row(line: Line, names: list[str]) -> dict[str, object]:
    return {
        "learner": one_line(line.learner),
        "name": one_line(line.name),
        "cells": [_cell(line.grades[name]) for name in names],
        "total": "not graded yet" if line.total is None else number(line.total),
    }


def _cell(grade: Grade) -> dict[str, str]:
    result = grade.result
    if result is None:
        return {"score": "", "marks": "", "said": "nothing handed in", "link": "", "note": "none"}
    score = "?" if grade.score is None else number(grade.score)
    passed = sum(outcome is Outcome.PASSED for _, outcome in grade.checks)
    said = f"{passed} of {counted(len(grade.checks), 'check')} passed" if grade.checks else ""
    return {
        "score": score,
        "marks": "".join(MARKS[outcome] for _, outcome in grade.checks),
        "said": said or one_line(result.message),
        "link": page_name(result) if grade.checks else "",
        "note": "; ".join(_notes(grade, result)),
    }


def _notes(grade: Grade, result: Result) -> Iterator[str]:
    if result.status is Verdict.ERROR:
        yield "not graded yet"
    if result.status is Verdict.REFUSED:
        yield "cannot be graded"
    if grade.days_late:
        yield f"{counted(grade.days_late, 'day')} late"
    if grade.submissions > 1:
        yield f"{grade.submissions} submissions"
