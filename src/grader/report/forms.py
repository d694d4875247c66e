"""Every form that a report can take in a file or on standard output (docs/formats.md)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.model.report import Report
    from grader.report.context import Context


class Audience(StrEnum):
    """Who reads a report. One for the instructor was made with nothing left out."""

    LEARNER = "learner"
    INSTRUCTOR = "instructor"


class Form(StrEnum):
    """The names of the forms."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    GITHUB = "github"
    MARKDOWN = "markdown"
    GRADESCOPE = "gradescope"
    EXERCISM = "exercism"
    PRAIRIELEARN = "prairielearn"
    CSV = "csv"
    HTML = "html"


ONLY_FOR_LEARNERS = frozenset((Form.EXERCISM, Form.PRAIRIELEARN))
"""Their platforms show all of it to the learner."""


def render(form: Form, report: Report, context: Context) -> bytes:
    """The report in this form, in UTF-8. Only what the form needs is imported."""
    if form is Form.JSON:
        from grader.report.jsonform import to_json

        return to_json(report)
    return _text(form, report, context).encode("utf-8", "backslashreplace")


def _text(form: Form, report: Report, context: Context) -> str:
    match form:
        case Form.JUNIT:
            from grader.report.junit import to_junit

            return to_junit(report, context)
        case Form.GITHUB:
            from grader.report.github import to_github

            return to_github(report, context)
        case Form.MARKDOWN:
            from grader.report.markdown import to_markdown

            return to_markdown(report, context)
        case Form.GRADESCOPE:
            from grader.report.gradescope import to_gradescope

            return to_gradescope(report, context)
        case Form.EXERCISM:
            from grader.report.exercism import to_exercism

            return to_exercism(report, context)
        case Form.PRAIRIELEARN:
            from grader.report.prairielearn import to_prairielearn

            return to_prairielearn(report, context)
        case Form.CSV:
            from grader.report.table import to_csv

            return to_csv(report)
        case Form.HTML:
            from grader.report.page import to_html

            return to_html(report, context)
    from grader.report.terminal import to_text

    return to_text(report, context.commands)
