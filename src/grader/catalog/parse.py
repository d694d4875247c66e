"""Text of `exercise.yaml` and `roadmap.yaml` -> typed values and problems. Reads no file."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from grader.catalog.schema import ExerciseFile, RoadmapFile, size_in_bytes
from grader.catalog.shape import shape_problems
from grader.catalog.yamldoc import Document, read_yaml
from grader.errors import Problem
from grader.model.exercise import Resource, Roadmap, Stage, Topic


@dataclass(frozen=True)
class ParsedExercise:
    """What could be read of an `exercise.yaml`.

    `broken` holds the keys without a usable value; `data` has a neutral stand-in there, so that
    everything else can still be examined and all problems come out in one go.
    """

    data: ExerciseFile
    broken: frozenset[str]
    document: Document
    problems: tuple[Problem, ...]


def parse_exercise(text: str, file: str) -> ParsedExercise:
    """Parse `exercise.yaml`. `file` is the name that problems carry."""
    document = read_yaml(text, file)
    everything = frozenset(ExerciseFile.__struct_fields__)
    if document.value is None:
        return ParsedExercise(_stand_in(), everything, document, document.problems)
    try:
        data = msgspec.convert(document.value, ExerciseFile)
    except msgspec.ValidationError as error:
        found = shape_problems(document, ExerciseFile, error)
        problems = (*document.problems, *(problem for _, problem in found))
        if not isinstance(document.value, dict):
            return ParsedExercise(_stand_in(), everything, document, problems)
        data, broken = _salvage(document.value)
        problems = (*problems, *_limit_problems(data, broken, document))
        return ParsedExercise(data, broken, document, problems)
    problems = (*document.problems, *_limit_problems(data, frozenset(), document))
    return ParsedExercise(data, frozenset(), document, problems)


def _stand_in() -> ExerciseFile:
    return ExerciseFile(
        format=1,
        slug="",
        title="",
        topic="",
        difficulty=1,
        minutes=1,
        runner="",
        submit=[],
        tasks=[],
        mutants={},
    )


def _salvage(value: dict[str, object]) -> tuple[ExerciseFile, frozenset[str]]:
    """Keep every key that is right on its own."""
    data = _stand_in()
    broken = set()
    for field in msgspec.structs.fields(ExerciseFile):
        if field.name not in value:
            if field.required:
                broken.add(field.name)
            continue
        try:
            setattr(data, field.name, msgspec.convert(value[field.name], field.type))
        except msgspec.ValidationError:
            broken.add(field.name)
    return data, frozenset(broken)


def _limit_problems(
    data: ExerciseFile, broken: frozenset[str], document: Document
) -> list[Problem]:
    limits = data.limits
    if "limits" in broken or size_in_bytes(limits.disk) * 3 // 2 < size_in_bytes(limits.memory):
        return []
    where = ("limits", "disk") if ("limits", "disk") in document.lines else ("limits", "memory")
    return [
        document.problem(
            where,
            "limits.disk may be two thirds of limits.memory at most: the disk is kept in memory",
        )
    ]


def parse_roadmap(text: str, file: str) -> tuple[Roadmap | None, tuple[Problem, ...]]:
    """Parse `roadmap.yaml`; the roadmap is None when there is any problem."""
    document = read_yaml(text, file)
    if document.value is None:
        return None, document.problems
    try:
        data = msgspec.convert(document.value, RoadmapFile)
    except msgspec.ValidationError as error:
        found = shape_problems(document, RoadmapFile, error)
        return None, (*document.problems, *(problem for _, problem in found))
    problems = (*document.problems, *_repeated_topics(data, document))
    if problems:
        return None, problems
    stages = tuple(
        Stage(
            number=number,
            title=stage.title,
            topics=tuple(
                Topic(
                    slug=topic.slug,
                    title=topic.title,
                    reason=topic.reason,
                    resources=tuple(Resource(title=r.title, url=r.url) for r in topic.resources),
                )
                for topic in stage.topics
            ),
        )
        for number, stage in enumerate(data.stages, start=1)
    )
    return Roadmap(stages=stages), ()


def _repeated_topics(data: RoadmapFile, document: Document) -> list[Problem]:
    first: dict[str, int] = {}
    problems = []
    for s, stage in enumerate(data.stages):
        for t, topic in enumerate(stage.topics):
            path = ("stages", s, "topics", t, "slug")
            if topic.slug in first:
                message = f"the topic '{topic.slug}' is listed twice, first on line"
                problems.append(document.problem(path, f"{message} {first[topic.slug]}"))
            first.setdefault(topic.slug, document.line(path))
    return problems
