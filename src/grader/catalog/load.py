"""Reads a catalog: the roadmap and the exercises, each proved well-formed before it is used."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.catalog.checks import FoundCheck, FoundChecks, find_checks
from grader.catalog.folder import folder_problems, readme_problems, service_options
from grader.catalog.mutants import equivalent_problems, mutant_problems
from grader.catalog.parse import ParsedExercise, parse_exercise, parse_roadmap
from grader.catalog.paths import read_text
from grader.catalog.programs import program, program_problems
from grader.catalog.repositories import git_directory, git_rules
from grader.catalog.schema import ExerciseFile, LimitsEntry, SubmitEntry, size_in_bytes
from grader.catalog.words import nearest
from grader.errors import ExerciseError, Problem
from grader.model.exercise import Equivalent, Exercise, Limits, Mutant, Roadmap, SubmitRule, Task
from grader.model.submission import WORKSPACE_FILE

CONTRACT = "exercise.yaml"
ROADMAP = "roadmap.yaml"


@dataclass(frozen=True)
class Catalog:
    """The roadmap and every exercise, by slug, in the roadmap's order."""

    roadmap: Roadmap
    exercises: Mapping[str, Exercise]


def load_roadmap(root: Path) -> Roadmap:
    """Read `roadmap.yaml` of the catalog at `root`. Raises ExerciseError with every problem."""
    roadmap, problems = _roadmap(root)
    if roadmap is None:
        raise _error("the roadmap", problems)
    return roadmap


def load_exercise(
    folder: Path, *, roadmap: Roadmap | None = None, runners: Collection[str] | None = None
) -> Exercise:
    """Read one exercise folder; with `roadmap` and `runners`, its topic and runner must be known.

    Raises ExerciseError with every problem in it, sorted by file and line.
    """
    exercise, problems = _exercise(folder, roadmap, runners)
    if exercise is None:
        raise _error(f"exercise '{folder.name or folder.resolve().name}'", problems)
    return exercise


def load_catalog(root: Path, *, runners: Collection[str] | None = None) -> Catalog:
    """Read the roadmap and every exercise folder under `root`.

    Raises ExerciseError with the problems of all files.
    """
    roadmap, problems = _roadmap(root)
    exercises: list[Exercise] = []
    for path in sorted(root.glob(f"*/{CONTRACT}")):
        exercise, wrong = _exercise(path.parent, roadmap, runners)
        problems += wrong
        if exercise is not None:
            exercises.append(exercise)
    if roadmap is None or problems:
        raise _error(f"the catalog {root}", problems)
    order = {topic.slug: number for number, topic in enumerate(roadmap.topics())}
    exercises.sort(key=lambda exercise: (order[exercise.topic], exercise.slug))
    return Catalog(roadmap, {exercise.slug: exercise for exercise in exercises})


def _error(what: str, problems: Collection[Problem]) -> ExerciseError:
    found = sorted(set(problems))
    number = f"{len(found)} problem{'s' if len(found) != 1 else ''}"
    return ExerciseError(f"{what} has {number}", problems=found)


def _roadmap(root: Path) -> tuple[Roadmap | None, list[Problem]]:
    text, missing = read_text(root / ROADMAP)
    if missing:
        return None, [missing]
    roadmap, problems = parse_roadmap(text, str(root / ROADMAP))
    return roadmap, list(problems)


def _exercise(
    folder: Path, roadmap: Roadmap | None, runners: Collection[str] | None
) -> tuple[Exercise | None, list[Problem]]:
    text, missing = read_text(folder / CONTRACT)
    if missing:
        return None, [missing]
    parsed = parse_exercise(text, str(folder / CONTRACT))
    data, document = parsed.data, parsed.document
    problems = list(parsed.problems)
    if document.value is None:
        return None, problems
    problems += _identity(folder, parsed, roadmap, runners)
    problems += _repeated_tasks(data, parsed)
    tasks_known = "tasks" not in parsed.broken
    found = _checks(folder, [task.id for task in data.tasks] if tasks_known else None)
    problems += found.problems
    problems += folder_problems(folder, data, document)
    problems += program_problems(data.programs, document)
    problems += readme_problems(folder, [t.title for t in data.tasks] if tasks_known else None)
    if "mutants" not in parsed.broken:
        known = found.checks if found.complete else None
        problems += mutant_problems(folder, data.mutants, document, known)
    if "equivalent" not in parsed.broken:
        problems += equivalent_problems(folder, data.equivalent, document)
    return (None, problems) if problems else (_model(folder, data, found.checks), [])


def _identity(
    folder: Path,
    parsed: ParsedExercise,
    roadmap: Roadmap | None,
    runners: Collection[str] | None,
) -> list[Problem]:
    """The slug is the folder's name; the topic and the runner exist."""
    data, document = parsed.data, parsed.document
    problems = []
    name = folder.name or folder.resolve().name
    if "slug" not in parsed.broken and data.slug != name:
        message = f"slug: '{data.slug}' must equal the folder's name, '{name}'"
        problems.append(document.problem(("slug",), message))
    if roadmap is not None and "topic" not in parsed.broken:
        topics = [topic.slug for topic in roadmap.topics()]
        if data.topic not in topics:
            message = f"topic: '{data.topic}' is not in roadmap.yaml"
            problems.append(document.problem(("topic",), message, nearest(data.topic, topics)))
    if runners is not None and "runner" not in parsed.broken and data.runner not in runners:
        message = f"runner: there is no runner '{data.runner}'"
        problems.append(document.problem(("runner",), message, nearest(data.runner, runners)))
    return problems


def _repeated_tasks(data: ExerciseFile, parsed: ParsedExercise) -> list[Problem]:
    ids = [task.id for task in data.tasks]
    return [
        parsed.document.problem(("tasks", number, "id"), f"the task id '{name}' is taken")
        for number, name in enumerate(ids)
        if name in ids[:number]
    ]


def _checks(folder: Path, tasks: list[str] | None) -> FoundChecks:
    sources: dict[str, str] = {}
    problems: list[Problem] = []
    for path in sorted((folder / "tests").glob("test_*.py")):
        text, unreadable = read_text(path)
        if unreadable:
            problems.append(unreadable)
        else:
            sources[str(path)] = text
    found = find_checks(sources, tasks)
    if sources and not found.checks and not found.problems:
        problems.append(Problem(file=str(folder / "tests"), message="has no function test_*"))
    complete = found.complete and bool(found.checks) and not problems
    return FoundChecks(found.checks, (*found.problems, *problems), complete)


def _model(folder: Path, data: ExerciseFile, checks: tuple[FoundCheck, ...]) -> Exercise:
    return Exercise(
        root=folder.absolute(),
        slug=data.slug,
        title=data.title,
        topic=data.topic,
        version=data.version,
        difficulty=data.difficulty,
        minutes=data.minutes,
        runner=data.runner,
        services={name: tuple(options.init) for name, options in service_options(data).items()},
        env=dict(data.env),
        submit=tuple(_submit(data)),
        limits=_limits(data.limits),
        passing=data.passing,
        show=data.show,
        tasks=tuple(Task(id=t.id, title=t.title, hints=tuple(t.hints)) for t in data.tasks),
        mutants=tuple(
            Mutant(
                name=name,
                why=entry.why,
                fails=tuple(entry.fails),
                breaks=tuple(entry.breaks),
                replace={file: tuple(edits) for file, edits in entry.replace.items()},
                remove=tuple(entry.remove),
            )
            for name, entry in data.mutants.items()
        ),
        checks=tuple(check.declaration for check in checks),
        validate_seeds=data.validate.seeds,
        equivalent=tuple(
            Equivalent(file=one.file, was=one.was, becomes=one.becomes, why=one.why)
            for one in data.equivalent
        ),
        programs={name: program(entry) for name, entry in data.programs.items()},
        generate=data.generate,
        solve=tuple(data.solve),
        repositories=tuple(
            git_directory(entry.git)
            for entry in data.submit
            if isinstance(entry, SubmitEntry) and entry.git
        ),
    )


def _submit(data: ExerciseFile) -> Iterator[SubmitRule]:
    if data.generate:  # what is right depends on whose workspace it is
        yield SubmitRule(path=WORKSPACE_FILE)
    for entry in data.submit:
        yield from _rules(entry)


def _rules(entry: str | SubmitEntry) -> list[SubmitRule]:
    if isinstance(entry, str):
        return [SubmitRule(path=entry)]
    if entry.git:
        return git_rules(entry.git)
    largest = None if entry.max is None else size_in_bytes(entry.max)
    assert entry.path  # one of the two, grader.catalog.folder has seen to that
    return [SubmitRule(path=entry.path, optional=entry.optional, max_bytes=largest)]


def _limits(entry: LimitsEntry) -> Limits:
    return Limits(
        memory=size_in_bytes(entry.memory),
        cpus=entry.cpus,
        pids=entry.pids,
        disk=size_in_bytes(entry.disk),
        seconds=entry.seconds,
        output=size_in_bytes(entry.output),
        files=entry.files,
        submission=size_in_bytes(entry.submission),
    )
