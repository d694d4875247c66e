"""What `grader` alone shows: the stages as a small map, and the way on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from grader.cli import output

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from grader.cli.roadmap import Way
    from grader.model.exercise import Stage
    from grader.report.marks import Glyphs


def home() -> None:
    """The map on one screen, and the next commands. Raises what reading the catalog raises."""
    from grader.catalog import load_catalog
    from grader.cli import context as common
    from grader.cli.next_ import lead
    from grader.cli.roadmap import way_of
    from grader.report.marks import glyphs
    from grader.settings import load

    settings = load({})
    way = way_of(load_catalog(common.catalog_root(settings)), settings)
    screen = output.stdout()
    shown = glyphs(screen.options)
    for part in (*_map(way, shown), *lead(way, settings, shown), *_end()):
        screen.print(part, crop=False)


def _map(way: Way, shown: Glyphs) -> Iterator[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    from grader.cli.roadmap import legend

    yield Text("Learn backend development with real exercises, graded against real servers.\n")
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    for _ in range(3):
        table.add_column(no_wrap=True)
    for stage in way.catalog.roadmap.stages:
        table.add_row(*_stage(way, stage, shown))
    yield table
    yield Text()
    if way.known:
        yield legend(way, shown)
        yield Text()


def _stage(way: Way, stage: Stage, shown: Glyphs) -> tuple[Text, ...]:
    from rich.text import Text

    from grader.report.marks import standing

    topics = {topic.slug for topic in stage.topics}
    there = [one for one in way.catalog.exercises.values() if one.topic in topics]
    marks = Text()
    for exercise in there:
        mark, style = standing(way.state(exercise), shown)
        marks.append(f"{mark or shown.empty} ", style or "dim")
    passed = sum(way.state(exercise) == "passed" for exercise in there)
    said = f"{passed} of {len(there)}" if there else "coming"
    return Text(str(stage.number), "bold"), Text(stage.title), marks, Text(said, "dim")


def _end() -> Iterator[Text]:
    from rich.text import Text

    yield Text()
    yield Text.assemble(("Every topic:    ", "dim"), ("grader roadmap", "cyan"))
    yield Text.assemble(("Every command:  ", "dim"), ("grader --help", "cyan"))
