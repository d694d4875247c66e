"""`grader roadmap --html`: the map as a page."""

from __future__ import annotations

import webbrowser
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from grader.cli import output
from grader.errors import UsageError

if TYPE_CHECKING:
    from grader.cli.roadmap import Way
    from grader.settings import Settings


def write_page(way: Way, settings: Settings, file: Path, *, show: bool) -> None:
    """Write the page, and let a browser show it if wanted. Raises UsageError, RecordError."""
    from rich.text import Text

    from grader.progress.entries import Attempt
    from grader.progress.record import Record
    from grader.report.details import whole_line
    from grader.report.mappage import Place, to_html

    scores: dict[str, list[float]] = {}
    with output.warned("no tries are shown"):
        for one in Record(settings.data_dir).entries():
            if isinstance(one, Attempt) and one.score is not None and not one.partial:
                scores.setdefault(one.exercise, []).append(one.score)
    places = [
        Place(
            exercise=exercise,
            state=way.state(exercise),
            scores=tuple(scores.get(slug, ())),
            missing=way.lacks.get(slug, ""),
        )
        for slug, exercise in way.catalog.exercises.items()
    ]
    command = "grader next" if way.next else ""
    page = to_html(way.catalog.roadmap.stages, places, command, datetime.now(UTC))
    output.write_file(file, page.encode("utf-8", "backslashreplace"))
    screen = output.stdout()
    screen.print(whole_line(("Written: ", ""), (str(file), "cyan")), crop=False)
    if show and not webbrowser.open(file.resolve().as_uri()):
        screen.print(Text("No browser was found to show it.", "yellow"))


def target(file: Path | None) -> Path:
    """Where the page goes. Raises UsageError for a folder."""
    chosen = Path("roadmap.html") if file is None else file
    if chosen.is_dir():
        raise UsageError(f"{chosen} is a folder", fix="name a file: --html roadmap.html")
    return chosen
