"""`grader roadmap`: the stages, their topics and the exercises there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grader.cli import context as common
from grader.cli import output
from grader.errors import UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from grader.catalog import Catalog
    from grader.model.exercise import Exercise, Stage, Topic
    from grader.report.marks import Glyphs


def roadmap(
    context: typer.Context,
    topic: Annotated[str | None, typer.Argument(help="One topic: why, and where to read.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Show the stages, their topics in order and the exercises there are."""
    from grader.catalog import load_catalog

    catalog = load_catalog(common.catalog_root(common.settings(context)))
    chosen = None if topic is None else _find(catalog, topic)
    if json:
        _print_json(catalog, chosen)
        return
    from grader.report.marks import glyphs

    screen = output.stdout()
    shown = glyphs(screen.options)
    view = _whole(catalog, shown) if chosen is None else _one(catalog, chosen, shown)
    for part in view:
        screen.print(part, crop=False)


def _find(catalog: Catalog, name: str) -> Topic:
    import difflib

    topics = {topic.slug: topic for topic in catalog.roadmap.topics()}
    if name in topics:
        return topics[name]
    if name in catalog.exercises:
        return topics[catalog.exercises[name].topic]
    near = difflib.get_close_matches(name, topics, n=1)
    raise UsageError(
        f"there is no topic '{name}' on the roadmap",
        fix=f"did you mean '{near[0]}'?" if near else "see grader roadmap --json for their names",
    )


def _exercises(catalog: Catalog, topic: Topic) -> list[Exercise]:
    found = (item for item in catalog.exercises.values() if item.topic == topic.slug)
    return sorted(found, key=lambda item: (item.difficulty, item.slug))


def _whole(catalog: Catalog, shown: Glyphs) -> Iterator[RenderableType]:
    from rich.text import Text

    from grader.report.text import counted

    topics = catalog.roadmap.topics()
    size = f"{counted(len(catalog.roadmap.stages), 'stage')}, {counted(len(topics), 'topic')}"
    yield Text(f"The backend roadmap: {size}", "bold")
    for stage in catalog.roadmap.stages:
        yield Text()
        yield _stage(catalog, stage, shown)
    first = next((item for topic in topics for item in _exercises(catalog, topic)), None)
    yield Text()
    if first is not None:
        yield Text.assemble("Start with:       ", (f"grader start {first.slug}", "cyan"))
    yield Text.assemble("Read on a topic:  ", ("grader roadmap TOPIC", "cyan"))


def _stage(catalog: Catalog, stage: Stage, shown: Glyphs) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=1)
    table.add_column(ratio=1, overflow="fold")
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right", width=6)
    table.add_row(Text(str(stage.number), "bold"), Text(stage.title, "bold"))
    for topic in stage.topics:
        found = _exercises(catalog, topic)
        name = Text(topic.title)
        if not found:  # an exercise below shows a name that works as well
            name.append(f"  {topic.slug}", "dim")
        table.add_row("", name, "", "" if found else Text("coming", "dim"))
        for item in found:
            table.add_row("", *_row(item, shown))
    return table


def _row(item: Exercise, shown: Glyphs) -> tuple[Table, str, str]:
    from rich.table import Table
    from rich.text import Text

    line = Table.grid(padding=(0, 2))
    line.add_column(width=0)
    line.add_column(no_wrap=True)
    line.add_column(overflow="fold")
    line.add_row("", Text(item.slug, "cyan"), Text(item.title))
    dots = shown.full * item.difficulty + shown.empty * (5 - item.difficulty)
    return line, dots, f"{item.minutes} min"


def _one(catalog: Catalog, topic: Topic, shown: Glyphs) -> Iterator[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text

    from grader.report.details import whole_line

    stage = next(stage for stage in catalog.roadmap.stages if topic in stage.topics)
    yield Text(topic.title, "bold")
    yield Text(f"stage {stage.number}: {stage.title}", "dim")
    yield Text(f"\n{topic.reason}")
    yield Text("\nRead", "bold")
    for resource in topic.resources:
        yield Padding(Text(resource.title), (0, 0, 0, 2))
        yield whole_line((f"  {resource.url}", "cyan"))
    yield Text("\nExercises", "bold")
    found = _exercises(catalog, topic)
    if not found:
        yield Text("  coming")
    for item in found:
        line, dots, minutes = _row(item, shown)
        yield line
        yield Text(f"    {dots}  {minutes}", "dim")
    if found:
        yield Text.assemble("\nStart with: ", (f"grader start {found[0].slug}", "cyan"))


def _print_json(catalog: Catalog, chosen: Topic | None) -> None:
    import msgspec

    stages = [
        {
            "number": stage.number,
            "title": stage.title,
            "topics": [_topic_json(catalog, topic) for topic in stage.topics],
        }
        for stage in catalog.roadmap.stages
    ]
    value: Any = {"stages": stages} if chosen is None else _topic_json(catalog, chosen)
    output.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


def _topic_json(catalog: Catalog, topic: Topic) -> dict[str, Any]:
    return {
        "slug": topic.slug,
        "title": topic.title,
        "reason": topic.reason,
        "resources": [{"title": item.title, "url": item.url} for item in topic.resources],
        "exercises": [
            {
                "slug": item.slug,
                "title": item.title,
                "difficulty": item.difficulty,
                "minutes": item.minutes,
            }
            for item in _exercises(catalog, topic)
        ],
    }
