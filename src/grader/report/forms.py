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


def render(form: Form, report: Report, context: Context) -> bytes:
    """The report in this form, in UTF-8. Only what the form needs is imported."""
    match form:
        case Form.TEXT:
            from grader.report.terminal import to_text

            text = to_text(report, context.commands)
        case Form.JSON:
            from grader.report.jsonform import to_json

            return to_json(report)
        case Form.JUNIT:
            from grader.report.junit import to_junit

            text = to_junit(report, context)
        case Form.GITHUB:
            from grader.report.github import to_github

            text = to_github(report, context)
        case Form.MARKDOWN:
            from grader.report.markdown import to_markdown

            text = to_markdown(report, context)
    return text.encode("utf-8", "backslashreplace")
