"""`grader hint`: the ladder of a task, one step at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import completion, output
from grader.cli import context as common
from grader.errors import UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from grader.model.exercise import Exercise, Task
    from grader.progress.entries import Entry
    from grader.progress.record import Record
    from grader.report.marks import Glyphs
    from grader.settings import Settings


def hint(
    context: typer.Context,
    task: Annotated[
        str | None,
        typer.Argument(help="A task, by its name or its number.", autocompletion=completion.tasks),
    ] = None,
) -> None:
    """Show one more hint for the task that failed last.

    With TASK, for that one. What you have seen stays readable.
    """
    from grader.catalog import find
    from grader.report.marks import glyphs
    from grader.workspace import read

    settings = common.settings(context)
    info = read(Path())
    exercise = find(common.catalog_root(settings), str(info.exercise or info.slug))
    screen = output.stdout()
    for part in one_more(settings, exercise, task, glyphs(screen.options)):
        screen.print(part, crop=False)


def one_more(
    settings: Settings, exercise: Exercise, task: str | None, shown: Glyphs
) -> Iterator[RenderableType]:
    """The ladder of a task, or of the one that failed last, with one more step; it is recorded."""
    from grader.progress.record import Record

    record = Record(settings.data_dir)
    seen: Sequence[Entry] | None = None
    with output.warned("your record cannot be read, so all hints are shown"):
        seen = record.entries(exercise.slug)
    chosen = _failed_last(exercise, seen or ()) if task is None else _named(exercise, task)
    if chosen is None:
        yield from _tasks(exercise, seen or ())
        return
    before = len(chosen.hints) if seen is None else _taken(chosen, exercise, seen)
    now = _take(record, exercise, chosen, before)
    yield from _ladder(exercise, chosen, before, now, named=task is not None, shown=shown)


def _named(exercise: Exercise, name: str) -> Task:
    import difflib

    tasks = {task.id: task for task in exercise.tasks}
    tasks |= {str(number): task for number, task in enumerate(exercise.tasks, start=1)}
    if name in tasks:
        return tasks[name]
    near = difflib.get_close_matches(name, tasks, n=1)
    raise UsageError(
        f"'{exercise.slug}' has no task '{name}'",
        fix=f"did you mean '{near[0]}'?" if near else f"its tasks: {', '.join(_ids(exercise))}",
    )


def _ids(exercise: Exercise) -> list[str]:
    return [task.id for task in exercise.tasks]


def _failed_last(exercise: Exercise, seen: Sequence[Entry]) -> Task | None:
    """The first task that did not pass in the last attempt that was graded."""
    from grader.model.report import Outcome
    from grader.progress.entries import Attempt

    graded = [one for one in seen if isinstance(one, Attempt) and one.score is not None]
    wrong = (Outcome.FAILED, Outcome.BROKE)
    failed = {check.task for one in graded[-1:] for check in one.checks if check.outcome in wrong}
    return next((task for task in exercise.tasks if task.id in failed), None)


def _taken(task: Task, exercise: Exercise, seen: Sequence[Entry]) -> int:
    """How many hints of a task were read; another version of the exercise has others."""
    from grader.progress.entries import Hint

    steps = [
        one.step
        for one in seen
        if isinstance(one, Hint) and (one.task, one.version) == (task.id, exercise.version)
    ]
    return min(max(steps, default=0), len(task.hints))


def _take(record: Record, exercise: Exercise, task: Task, before: int) -> int:
    """How many are shown now: one more, or all where nobody can remember which came last."""
    from grader.progress.entries import Hint

    if before == len(task.hints):
        return before
    step = before + 1
    taken = Hint(exercise=exercise.slug, version=exercise.version, task=task.id, step=step)
    with output.warned("your record cannot be written, so all hints are shown"):
        record.add(taken)
        return step
    return len(task.hints)


def _ladder(
    exercise: Exercise, task: Task, before: int, now: int, *, named: bool, shown: Glyphs
) -> Iterator[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    from grader.report.details import whole_line
    from grader.report.text import visible

    yield Text(task.title, "bold")
    number = _ids(exercise).index(task.id) + 1
    where = f"task {number} of {len(exercise.tasks)}"
    if not task.hints:
        yield Text(f"{where}{shown.dot}it has no hints", "dim")
        return
    yield Text(f"{where}{shown.dot}hint {now} of {len(task.hints)}", "dim")
    table = Table.grid(padding=(0, 2))
    table.add_column(width=1)
    table.add_column(overflow="fold")
    for step, text in enumerate(task.hints[:now], start=1):
        table.add_row()
        old = step <= before and before < now
        style = "dim" if old else ""
        table.add_row(Text(str(step), "bold"), Text(visible(text).rstrip(), style))
    yield table
    yield Text()
    if now < len(task.hints):
        again = f"grader hint {task.id}" if named else "grader hint"
        yield whole_line(("One more: ", "dim"), (again, "cyan"))
        return
    said = "There are no more" if before == now else "That was the last one"
    yield whole_line((f"{said}. The solution: ", "dim"), ("grader solution --give-up", "cyan"))


def _tasks(exercise: Exercise, seen: Sequence[Entry]) -> Iterator[RenderableType]:
    """Nothing failed last, so that the learner has to say of which task."""
    from rich.table import Table
    from rich.text import Text

    from grader.progress.entries import Attempt
    from grader.report.details import whole_line

    checked = any(isinstance(one, Attempt) and one.score is not None for one in seen)
    found = "Nothing failed when you checked last." if checked else "Nothing was checked yet."
    yield Text(f"{found} The tasks, and the hints that you have seen:\n")
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", width=2)
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="dim")
    for number, task in enumerate(exercise.tasks, start=1):
        read = f"{_taken(task, exercise, seen)} of {len(task.hints)}"
        table.add_row(str(number), task.title, Text(task.id, "cyan"), read)
    yield table
    yield whole_line(("\nRead one: ", "dim"), ("grader hint TASK", "cyan"))
