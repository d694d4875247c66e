"""The roadmap as one HTML page: no script, nothing from the network, light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from grader.model.exercise import Exercise, Stage, Topic
from grader.report.marks import UNICODE
from grader.report.text import counted, number, one_line

TEMPLATE = "map.html.j2"
MOST_TRIES = 40
"""So many tries of one exercise are drawn, the last ones."""
WORDS = {"passed": "passed", "started": "started", "next": "next", "open": "not begun"}


@dataclass(frozen=True, kw_only=True)
class Place:
    """One exercise as its learner stands to it. `state`: passed, started, next or open."""

    exercise: Exercise
    state: str
    scores: tuple[float, ...] = ()
    """Of every whole try that was graded, 0 to 100, the oldest first."""
    missing: str = ""
    """What this machine lacks to run it."""


def to_html(stages: Sequence[Stage], places: Sequence[Place], command: str, made: datetime) -> str:
    """The map as a page that stands alone; `command` is the way on, "" when all is done."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # only here: 0.1 s

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    passed = sum(place.state == "passed" for place in places)
    topics = sum(len(stage.topics) for stage in stages)
    return environment.get_template(TEMPLATE).render(
        title=f"The backend roadmap: {counted(len(stages), 'stage')}, {counted(topics, 'topic')}",
        said=f"{passed} of {counted(len(places), 'exercise')} passed",
        share=f"{100 * passed / max(len(places), 1):.2f}",
        command=command,
        made=f"as of {made.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        stages=[_stage(stage, places) for stage in stages],
    )


def _stage(stage: Stage, places: Sequence[Place]) -> dict[str, object]:
    slugs = {topic.slug for topic in stage.topics}
    there = [place for place in places if place.exercise.topic in slugs]
    passed = sum(place.state == "passed" for place in there)
    return {
        "number": stage.number,
        "title": one_line(stage.title),
        "said": f"{passed} of {len(there)} passed" if there else "coming",
        "topics": [_topic(topic, there) for topic in stage.topics],
    }


def _topic(topic: Topic, places: Sequence[Place]) -> dict[str, object]:
    found = [place for place in places if place.exercise.topic == topic.slug]
    found.sort(key=lambda place: (place.exercise.difficulty, place.exercise.slug))
    return {
        "title": one_line(topic.title),
        "reason": one_line(topic.reason, 1000),
        "resources": topic.resources,
        "exercises": [_exercise(place) for place in found],
    }


def _exercise(place: Place) -> dict[str, object]:
    made, scores = place.exercise, place.scores
    facts = [made.slug, f"difficulty {made.difficulty} of 5", f"about {made.minutes} minutes"]
    if place.missing:
        facts.append(f"this machine lacks {place.missing}")
    said = WORDS[place.state]
    if scores and place.state != "passed":
        said += f", best {number(max(scores))} of 100"
    shown = scores[-MOST_TRIES:]
    listed = ", ".join(number(score) for score in shown)
    before = f" ({counted(len(scores) - len(shown), 'earlier one')} not shown)"
    return {
        "slug": made.slug,
        "title": one_line(made.title),
        "state": place.state,
        "said": said,
        "facts": UNICODE.dot.join(facts),
        "scores": [round(score, 1) for score in shown],
        "told": f"tries: {listed}{before if len(scores) > len(shown) else ''}",
    }
