"""A report as one HTML page: no script, nothing from the network, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from grader.model.report import CheckResult, Outcome, Report, Status, TaskResult
from grader.report.context import Context
from grader.report.marks import UNICODE
from grader.report.prose import (
    DIFF_LINES,
    HINT_LINES,
    LOG_LINES,
    NOT_YOURS,
    VALUE_LINES,
    facts,
    given_lines,
    graded,
    hint_of,
    identity,
    message_lines,
    summary_line,
    verdict,
)
from grader.report.text import first_lines, last_lines, number, one_line

TEMPLATE = "page.html.j2"
_DIFF_KINDS = {"-": "minus", "+": "plus", "@": "place"}


@dataclass(frozen=True, kw_only=True)
class Part:
    """A check as the page shows it, every text safe to show and short. `kind` is a CSS class."""

    kind: str
    mark: str
    title: str
    points: str
    message: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    diff: tuple[tuple[str, str], ...] = ()
    log: tuple[str, ...] = ()
    hint: str = ""
    again: str = ""


def to_html(report: Report, context: Context) -> str:
    """The report as a page that stands alone."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # only here: 0.1 s

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    scored = graded(report)
    reason = one_line(report.error, 500) or "grader or its servers failed"
    return environment.get_template(TEMPLATE).render(
        title=one_line(report.exercise_title),
        verdict=verdict(report),
        kind=_kind_of(report),
        score=f"{report.score:.2f}" if scored else "",
        lines=[UNICODE.dot.join(facts(report))] if scored else [reason, NOT_YOURS],
        identity=UNICODE.dot.join(identity(report)),
        submission=one_line(report.submission),
        finished=f"{context.finished.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        tasks=[
            (one_line(task.title), _points(task, report), list(_parts(task, report, context)))
            for task in report.tasks
        ],
        again=one_line(context.commands.whole(report.seed), 2000),
    )


def _kind_of(report: Report) -> str:
    if not graded(report):
        return Outcome.ERROR.value
    good = report.status is Status.PASSED
    return Outcome.PASSED.value if good else Outcome.FAILED.value


def _parts(task: TaskResult, report: Report, context: Context) -> Iterator[Part]:
    for check in task.checks:
        kind, mark = check.outcome.value, UNICODE.marks[check.outcome]
        title, points = one_line(check.title), _points(check, report)
        if check.outcome not in (Outcome.FAILED, Outcome.BROKE):
            line = summary_line(check, report)
            message = (line,) if line else ()
            yield Part(kind=kind, mark=mark, title=title, points=points, message=message)
            continue
        yield Part(
            kind=kind,
            mark=mark,
            title=title,
            points=points,
            message=tuple(message_lines(check)),
            values=tuple(_values(check)),
            diff=tuple(_diff(check.diff or "")),
            log=tuple(last_lines(check.log, LOG_LINES)) if check.log.strip() else (),
            hint="\n".join(first_lines(hint_of(check, task), HINT_LINES, 500)),
            again=context.at_home(check, report),
        )


def _points(part: CheckResult | TaskResult, report: Report) -> str:
    """Without a score only what a part is worth: an earned 0 would look like one."""
    if not graded(report):
        return number(part.points)
    return f"{number(part.earned)} of {number(part.points)}"


def _values(check: CheckResult) -> Iterator[tuple[str, str]]:
    if given := given_lines(check):
        yield "given", "\n".join(given)
    if check.diff:
        return
    for label, value in (("expected", check.expected), ("got", check.got)):
        if value is not None:
            yield label, "\n".join(first_lines(value, VALUE_LINES))


def _diff(diff: str) -> Iterator[tuple[str, str]]:
    if not diff:
        return
    if not diff.startswith("---"):
        yield "minus", "- expected"
        yield "plus", "+ got"
    for line in first_lines(diff, DIFF_LINES):
        yield _DIFF_KINDS.get(line[:1], "same"), line
