"""`grader roadmap`: the stages, their topics and the exercises there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grader.cli import context as common
from grader.cli import output
from grader.errors import UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from grader.catalog import Catalog
    from grader.model.exercise import Exercise, Stage, Topic
    from grader.progress.standings import Standing
    from grader.report.marks import Glyphs
    from grader.settings import Settings


def roadmap(
    context: typer.Context,
    topic: Annotated[str | None, typer.Argument(help="One topic: why, and where to read.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the map as a page.")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="And let the browser show it.")] = False,
    check_links: Annotated[
        bool, typer.Option("--check-links", help="Ask whether what to read is still there.")
    ] = False,
) -> None:
    """Show the stages, their topics in order and the exercises there are."""
    from grader.catalog import load_catalog

    settings = common.settings(context)
    catalog = load_catalog(common.catalog_root(settings))
    if check_links:
        from grader.cli.links import check_roadmap

        raise typer.Exit(check_roadmap(catalog))
    chosen = None if topic is None else _find(catalog, topic)
    way = way_of(catalog, settings)
    if html is not None or show:
        from grader.cli.mappage import target, write_page

        write_page(way, settings, target(html), show=show)
        return
    if json:
        _print_json(way, chosen)
        return
    from grader.report.marks import glyphs

    screen = output.stdout()
    shown = glyphs(screen.options)
    view = _whole(way, shown) if chosen is None else _one(way, chosen, shown)
    for part in view:
        screen.print(part, crop=False)


@dataclass(frozen=True)
class Way:
    """The catalog, and how far the learner is in it."""

    catalog: Catalog
    known: Mapping[str, Standing]
    next: str | None
    lacks: Mapping[str, str]
    """Exercise -> what this machine lacks to run it."""

    def state(self, exercise: Exercise) -> str:
        """`passed`, `started`, `next` or `open`."""
        if exercise.slug in self.known:
            return self.known[exercise.slug].state
        return "next" if exercise.slug == self.next else "open"


def way_of(catalog: Catalog, settings: Settings) -> Way:
    """How far the learner is, and what can run here."""
    from grader.engine.registry import missing
    from grader.progress.standings import standings, what_next

    lack = missing(settings)
    lacks = {name: what for name, one in catalog.exercises.items() if (what := lack(one))}
    known: Mapping[str, Standing] = {}
    with output.warned("nothing is marked"):
        known = standings(settings.data_dir)
    order = sorted(catalog.exercises, key=lacks.__contains__)  # what can run here comes first
    return Way(catalog, known, what_next(order, known), lacks)


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


def _whole(way: Way, shown: Glyphs) -> Iterator[RenderableType]:
    from rich.text import Text

    from grader.report.text import counted

    catalog = way.catalog
    topics = catalog.roadmap.topics()
    size = f"{counted(len(catalog.roadmap.stages), 'stage')}, {counted(len(topics), 'topic')}"
    yield Text(f"The backend roadmap: {size}", "bold")
    for stage in catalog.roadmap.stages:
        yield Text()
        yield _stage(way, stage, shown)
    yield Text()
    if way.known:
        yield legend(way, shown)
        yield Text.assemble("Go on:            ", ("grader next", "cyan"))
    elif way.next is not None:
        yield Text.assemble("Start with:       ", (f"grader start {way.next}", "cyan"))
    yield Text.assemble("Read on a topic:  ", ("grader roadmap TOPIC", "cyan"))
    if way.lacks:
        yield Text.assemble("Bring what lacks: ", ("grader doctor", "cyan"))


def legend(way: Way, shown: Glyphs) -> Text:
    """What the marks in use mean."""
    from rich.text import Text

    from grader.report.marks import standing

    text = Text("Marks:            ")
    there = {way.state(exercise) for exercise in way.catalog.exercises.values()}
    for state in (state for state in ("passed", "started", "next") if state in there):
        text.append_text(Text.assemble(standing(state, shown), f" {state}  "))
    text.rstrip()
    return text


def _stage(way: Way, stage: Stage, shown: Glyphs) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=1)
    table.add_column(ratio=1, overflow="fold")
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right", width=6)
    table.add_row(Text(str(stage.number), "bold"), Text(stage.title, "bold"))
    for topic in stage.topics:
        found = _exercises(way.catalog, topic)
        name = Text(topic.title)
        if not found:  # an exercise below shows a name that works as well
            name.append(f"  {topic.slug}", "dim")
        table.add_row("", name, "", "" if found else Text("coming", "dim"))
        for item in found:
            table.add_row("", *_row(item, way, shown))
    return table


def _row(item: Exercise, way: Way, shown: Glyphs) -> tuple[Table, str, str]:
    from rich.table import Table
    from rich.text import Text

    from grader.report.marks import standing

    line = Table.grid(padding=(0, 1))
    line.add_column(width=1)
    line.add_column(no_wrap=True)
    line.add_column(overflow="fold")
    name = Text.assemble((item.slug, "cyan"), " ")
    line.add_row(Text(*standing(way.state(item), shown)), name, _titled(item, way))
    dots = shown.full * item.difficulty + shown.empty * (5 - item.difficulty)
    return line, dots, f"{item.minutes} min"


def _titled(item: Exercise, way: Way) -> Text:
    """The title, what this machine lacks for it, and whether an older version was passed."""
    from rich.text import Text

    title = Text(item.title)
    if item.slug in way.lacks:
        title.append(f"  needs {way.lacks[item.slug]}", "yellow")
    standing = way.known.get(item.slug)
    version = standing.passed_version if standing else None
    if version is not None and version < item.version:
        title.append(f" (passed as version {version}, now {item.version})", "dim")
    return title


def _one(way: Way, topic: Topic, shown: Glyphs) -> Iterator[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text

    from grader.report.details import whole_line

    stage = next(stage for stage in way.catalog.roadmap.stages if topic in stage.topics)
    yield Text(topic.title, "bold")
    yield Text(f"stage {stage.number}: {stage.title}", "dim")
    yield Text(f"\n{topic.reason}")
    yield Text("\nRead", "bold")
    for resource in topic.resources:
        yield Padding(Text(resource.title), (0, 0, 0, 2))
        yield whole_line((f"  {resource.url}", "cyan"))
    yield Text("\nExercises", "bold")
    found = _exercises(way.catalog, topic)
    if not found:
        yield Text("  coming")
    for item in found:
        line, dots, minutes = _row(item, way, shown)
        yield line
        yield Text(f"    {dots}  {minutes}", "dim")
    if found:
        yield Text.assemble("\nStart with: ", (f"grader start {found[0].slug}", "cyan"))


def _print_json(way: Way, chosen: Topic | None) -> None:
    stages = [
        {
            "number": stage.number,
            "title": stage.title,
            "topics": [_topic_json(way, topic) for topic in stage.topics],
        }
        for stage in way.catalog.roadmap.stages
    ]
    value: Any = {"stages": stages} if chosen is None else _topic_json(way, chosen)
    output.write_json(value)


def _topic_json(way: Way, topic: Topic) -> dict[str, Any]:
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
                "state": way.state(item),
                "missing": way.lacks.get(item.slug, ""),
            }
            for item in _exercises(way.catalog, topic)
        ],
    }
