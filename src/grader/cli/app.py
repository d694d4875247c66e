"""Every command of `grader`, put together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from grader.cli import (
    attack,
    batch,
    check,
    completion,
    doctor,
    exchange,
    explain,
    grade,
    gradebook,
    hands,
    hint,
    images,
    logs,
    mutate,
    new,
    next_,
    output,
    overview,
    report_bug,
    reset,
    roadmap,
    schema,
    solution,
    start,
    status,
    stop,
    submit,
    try_,
    update,
    validate,
    verify,
)
from grader.cli.context import Flags


class _Overview(TyperGroup):
    """`--help` after other options shows the same screen as `--help` alone."""

    def get_help(self, ctx: Any) -> str:  # noqa: ARG002  # its signature is typer's
        return overview.text()


app = typer.Typer(
    cls=_Overview,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        from grader import __version__

        output.say(f"grader {__version__}")
        raise typer.Exit


@app.callback()
def _global_options(
    context: typer.Context,
    exercises: Annotated[Path | None, typer.Option(metavar="DIR")] = None,
    engine: Annotated[str | None, typer.Option(metavar="NAME")] = None,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,  # noqa: ARG001  # its callback does it
) -> None:
    context.obj = Flags(exercises=exercises, engine=engine)


for _name, _function in (
    ("roadmap", roadmap.roadmap),
    ("start", start.start),
    ("check", check.check),
    ("hint", hint.hint),
    ("explain", explain.explain),
    ("run", hands.run),
    ("shell", hands.shell),
    ("up", hands.up),
    ("logs", logs.logs),
    ("next", next_.next_),
    ("update", update.update),
    ("submit", submit.submit),
    ("status", status.status),
    ("solution", solution.solution),
    ("reset", reset.reset),
    ("history", status.history),
    ("export", exchange.export),
    ("import", exchange.import_),
    ("grade", grade.grade),
    ("batch", batch.batch),
    ("gradebook", gradebook.gradebook),
    ("verify", verify.verify),
    ("new", new.new),
    ("validate", validate.validate),
    ("try", try_.try_),
    ("schema", schema.schema),
    ("attack", attack.attack),
    ("mutate", mutate.mutate),
    ("doctor", doctor.doctor),
    ("report-bug", report_bug.report_bug),
    ("completion", completion.completion),
    ("stop", stop.stop),
):
    app.command(_name, short_help=overview.summary(_name))(_function)
app.add_typer(images.app, name="images", help=overview.summary("images"))
