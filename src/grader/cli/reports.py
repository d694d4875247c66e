"""The reports that one command was asked for: on standard output and in files."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from grader.cli import output
from grader.cli.outcome import exit_code, show
from grader.errors import UsageError
from grader.model.report import Report
from grader.report.context import Context
from grader.report.details import Commands
from grader.report.forms import ONLY_FOR_LEARNERS, Audience, Form, render
from grader.report.prose import graded


@dataclass(frozen=True, kw_only=True)
class Reports:
    """`form` is the one of --format; `screen` the same, but None when it goes to a file."""

    form: Form
    screen: Form | None
    files: tuple[tuple[Form, Path], ...]
    audience: Audience

    @classmethod
    def wanted(
        cls, form: Form, file: Path | None, further: Sequence[str], audience: Audience
    ) -> Reports:
        """What the options of a command line ask for.

        Raises UsageError before anything was graded for whatever could not be written after it.
        """
        files = [] if file is None else [(form, file)]
        for one in further:
            name, equals, place = one.partition("=")
            if not equals or not place:
                raise UsageError(f"--report {one}: no file is named", fix=f"--report {name}=FILE")
            files.append((_form(name), Path(place)))
        for position, (_, path) in enumerate(files):
            check_writable(path)
            if path.absolute() in [other.absolute() for _, other in files[:position]]:
                raise UsageError(f"two reports go to {path}", fix="name a file of its own for each")
        made = cls(
            form=form,
            screen=form if file is None else None,
            files=tuple(files),
            audience=audience,
        )
        _check_audience(made.forms, audience)
        return made

    @property
    def forms(self) -> set[Form]:
        return {form for form, _ in self.files} | ({self.screen} if self.screen else set())

    def write(self, report: Report, again: str, step_summary: Path | None) -> None:
        """Write each. Files come first: a reader that ends early must not cost one."""
        context = Context(
            commands=Commands(again=again, only=False),
            finished=datetime.now(UTC),
            token=secrets.token_hex(16),
            audience=self.audience,
        )
        for form, path in self.files:
            output.write_file(path, render(form, report, context))
        if step_summary is not None and Form.GITHUB in self.forms:
            _add_summary(step_summary, report, context)
        if self.screen is Form.TEXT:
            show(report, context.commands, json=False)
        elif self.screen is not None:
            output.write_bytes(render(self.screen, report, context))

    def exit_code(self, report: Report) -> int:
        """That of the verdict (docs/report.md). An Exercism runner that ran well exits with 0."""
        ran_well = self.form is Form.EXERCISM and graded(report)
        return 0 if ran_well else exit_code(report)


def _form(name: str) -> Form:
    try:
        return Form(name)
    except ValueError:
        raise UsageError(
            f"--report: there is no form '{name}'", fix=f"choose one of: {', '.join(Form)}"
        ) from None


def _check_audience(forms: set[Form], audience: Audience) -> None:
    wrong = sorted(forms & ONLY_FOR_LEARNERS)
    if wrong and audience is Audience.INSTRUCTOR:
        raise UsageError(
            f"{wrong[0]}: its platform shows every report to the learner",
            fix="leave out --audience instructor, or choose another format",
        )


def _add_summary(path: Path, report: Report, context: Context) -> None:
    """Add to the summary of this step. It is an extra: when it fails, the verdict still stands."""
    from grader.report.markdown import LARGEST, to_markdown

    try:
        with path.open("ab") as file:
            room = LARGEST - file.tell()
            file.write(to_markdown(report, context, room).encode("utf-8", "backslashreplace"))
    except OSError as error:
        output.tell(f"warning: {path}: the step's summary cannot be written: {error.strerror}")


def check_writable(path: Path) -> None:
    """Find out before grading what would be found out after it."""
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path}: its folder does not exist", fix="make the folder first")
    if path.is_dir():
        raise UsageError(f"{path} is a folder", fix="name a file for the report")
