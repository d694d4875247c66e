"""`grader batch`: a whole class, graded side by side."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import completion, output
from grader.cli import context as common
from grader.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from grader.batch.handed import Found
    from grader.batch.run import Batch, Listener
    from grader.batch.store import Result
    from grader.cli.batchview import Tally

MOST_LISTED = 20


def batch(
    context: typer.Context,
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER|LIST.csv",
            help="One folder or archive per learner; or an export of Gradescope, Moodle or Canvas; "
            "or a list with the columns learner,path.",
        ),
    ],
    exercise: Annotated[
        str,
        typer.Option(
            metavar="SLUG|DIR",
            help="The exercise, by name or by its folder.",
            autocompletion=completion.exercises,
        ),
    ],
    results: Annotated[
        str, typer.Option(metavar="FILE|URL", help="The database that results are written to.")
    ] = "results.db",
    jobs: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Submissions at a time.", show_default="processors + 1"
        ),
    ] = None,
    regrade: Annotated[
        bool,
        typer.Option(
            "--regrade", help="Grade again what another version of the exercise or grader graded."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be graded, and why.")
    ] = False,
    trusted: Annotated[
        bool,
        typer.Option(
            "--trust-submissions", help="Also on an engine that does not hold programs back."
        ),
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a result, as they come.")
    ] = False,
) -> None:
    """Grade many submissions, each alone on servers of its own, and keep every result.

    Whatever ends it, the same command goes on where it was: what has a result is not graded again.

    Exits with 0 when every submission has a verdict, 3 when one could not be graded for a fault of
    ours; those are tried again by the same command.
    """
    has_database()
    from grader.batch.handed import discover
    from grader.batch.run import Batch, BatchOptions
    from grader.batch.store import Store
    from grader.catalog import find
    from grader.engine.registry import engine

    settings = common.settings(context)
    found = find(common.catalog_root(settings), exercise)
    submissions = discover(source)
    options = BatchOptions(
        jobs=jobs or 0, secret=settings.course_secret, regrade=regrade, trusted=trusted
    )
    whole = Batch(found, lambda: engine(settings), Store(results), options)
    if not json:
        _tell_found(submissions, source)
    if dry_run:
        _dry_run(whole, submissions, regrade=regrade)
        return
    tally = _run(whole, submissions, json=json)
    if not json:
        _tell_end(tally, results)
    raise typer.Exit(3 if tally.errors else 0)


def has_database() -> None:
    """Raises UsageError when what opens databases is not installed."""
    from importlib.util import find_spec

    if find_spec("sqlalchemy") is None:
        raise UsageError(
            "results are kept with SQLAlchemy, which is not installed",
            fix="pip install 'grader[course]'",
        )


def _run(whole: Batch, submissions: Found, *, json: bool) -> Tally:
    from grader.cli.batchview import Lines, Tally, live
    from grader.cli.progress import watching

    tally = Tally(total=len(submissions.submissions))
    try:
        with watching(quiet=json) as images:
            whole.prepare(images)
        with ExitStack() as stack:
            listener: Listener = Lines(tally, json=json) if json else live(stack, tally, whole.jobs)
            whole.run(submissions.submissions, listener)
    except KeyboardInterrupt:
        rest = tally.total - tally.done
        raise Interrupted(
            f"interrupted: {tally.done} of {tally.total} have a result, "
            f"the same command grades the other {rest}"
        ) from None
    return tally


def _tell_found(found: Found, source: Path) -> None:
    from grader.report.text import counted, visible

    how = "" if found.layout in ("folder", "list") else f" (an export of {found.layout})"
    number = counted(len(found.submissions), "submission")
    output.tell(visible(f"{number} in {source}{how}"))
    if found.ignored:
        names = ", ".join(found.ignored[:5]) + (", ..." if len(found.ignored) > 5 else "")
        output.tell(
            visible(f"warning: not a submission, so left out: {names} ({len(found.ignored)})")
        )


def _dry_run(whole: Batch, found: Found, *, regrade: bool) -> None:
    from grader.report.text import counted, visible

    new, known, outdated = whole.plan(found.submissions)
    output.say(f"{counted(len(new), 'submission')} without a result: would be graded")
    output.say(f"{counted(known, 'submission')} with a result: would be left alone")
    again = "would be graded again" if regrade else "--regrade would grade them again"
    output.say(f"{counted(len(outdated), 'submission')} graded with something else: {again}")
    for one, before, why in outdated[:MOST_LISTED]:
        output.say(visible(f"  {one.learner}: {score(before)}; {'; '.join(why)}"))
    if len(outdated) > MOST_LISTED:
        output.say(f"  and {len(outdated) - MOST_LISTED} more")


def _tell_end(tally: Tally, results: str) -> None:
    from rich.text import Text

    from grader.report.text import counted, one_line

    screen = output.stdout()
    for title, style, listed in (
        ("cannot be graded as handed in", "yellow", tally.refused),
        ("not graded, because something of ours failed", "magenta", tally.error_results),
    ):
        if listed:
            screen.print(Text(f"{counted(len(listed), 'submission')} {title}:", style))
        for one in listed[:MOST_LISTED]:
            said = one_line(f"{one.learner}: {one.message}", 300)
            screen.print(Text(f"  {said}"), soft_wrap=True)
        if len(listed) > MOST_LISTED:
            screen.print(Text(f"  and {len(listed) - MOST_LISTED} more"))
    for before, after in tally.changed[:MOST_LISTED]:
        line = f"{after.learner}: {score(before)} before, {score(after)} now"
        screen.print(Text(one_line(line, 300)), soft_wrap=True)
        for check in differences(before, after)[:5]:
            screen.print(Text(f"  {one_line(check, 300)}"), soft_wrap=True)
    screen.print(Text(tally.sentence(), "bold"), soft_wrap=True)
    screen.print(Text(f"Results: {results}"), soft_wrap=True)


def score(result: Result) -> str:
    """A result in two words."""
    if result.score is None:
        return str(result.status.value)
    return f"{result.score:g} of 100"


def differences(before: Result, after: Result) -> list[str]:
    """The checks that ended differently, from the two reports."""
    import msgspec

    ends: list[dict[str, str]] = []
    for one in (before, after):
        report = msgspec.json.decode(one.report.encode()) if one.report else {"tasks": []}
        ends.append(
            {check["id"]: check["outcome"] for task in report["tasks"] for check in task["checks"]}
        )
    old, new = ends
    return [
        f"{name}: {old.get(name, 'not there')} before, {new.get(name, 'gone')} now"
        for name in {**old, **new}
        if old.get(name) != new.get(name)
    ]
