"""The shape of `exercise.yaml` (format 1) and `roadmap.yaml`, as typed structs.

One definition serves three readers: msgspec parses with it, the JSON Schema made from it lists
every problem of a file, and the same schema lets an editor complete the file.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, json

from grader.model.exercise import Limits

# `$` alone would let a line feed follow, in Python though not in editors
_NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$(?!\n)"
_TEXT = r"\S"
_SIZE = r"^[1-9][0-9]{0,14}[kmg]?$(?!\n)"
_CHECK = r"^test_\w+(\[.+\])?$(?!\n)"
_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$(?!\n)"
_LINK = r"^https://\S+$(?!\n)"
_URL_PATH = r"^/\S*$(?!\n)"

PATTERNS = {
    _NAME: "lower-case words joined by hyphens, like redis-caching",
    _TEXT: "it must say something",
    _SIZE: "a size is a number of bytes, or like 64k, 256m or 1g",
    _CHECK: "a check is named like test_x or test_x[id]",
    _VARIABLE: "a variable is named like PAGE_SIZE",
    _LINK: "a link begins with https://",
    _URL_PATH: "a path begins with /, like /health",
}
"""What each pattern asks for, in words."""

Name = Annotated[str, Meta(pattern=_NAME, max_length=100)]
Text = Annotated[str, Meta(pattern=_TEXT)]
Size = Annotated[int, Meta(gt=0)] | Annotated[str, Meta(pattern=_SIZE)]
Positive = Annotated[int, Meta(gt=0)]
Cpus = Annotated[float, Meta(gt=0, le=1024)]
CheckName = Annotated[str, Meta(pattern=_CHECK)]
Variable = Annotated[str, Meta(pattern=_VARIABLE)]


class ServiceOptions(Struct, forbid_unknown_fields=True):
    """How one service starts."""

    init: Annotated[
        list[Text], Meta(description="files run once as the learner's account, in this order")
    ] = []


class SubmitEntry(Struct, forbid_unknown_fields=True):
    """One entry of `submit` with options: `path` or `git`."""

    path: Annotated[Text | None, Meta(description="a file name or a glob; ** spans folders")] = None
    git: Annotated[
        Text | None,
        Meta(description="the folder of a git repository; one named *.git is a bare one"),
    ] = None
    optional: Annotated[bool, Meta(description="true: nothing has to match")] = False
    max: Annotated[Size | None, Meta(description="the most bytes one file may have")] = None


class LimitsEntry(Struct, forbid_unknown_fields=True, frozen=True):
    """What one sandbox may use."""

    memory: Size = Limits.memory
    cpus: Cpus = Limits.cpus
    pids: Positive = Limits.pids
    disk: Size = Limits.disk
    seconds: Annotated[float, Meta(gt=0, le=86_400, description="for all checks together")] = (
        Limits.seconds
    )
    output: Size = Limits.output
    files: Annotated[int, Meta(gt=0, description="files in one submission")] = Limits.files
    submission: Size = Limits.submission


class ReadyEntry(Struct, forbid_unknown_fields=True):
    """When a program is ready: exactly one of these."""

    http: Annotated[
        Annotated[str, Meta(pattern=_URL_PATH)] | None,
        Meta(description="GET of this path is answered with a status from 200 to 399"),
    ] = None
    log: Annotated[
        Text | None, Meta(description="a regular expression, found in what the program prints")
    ] = None
    port: Annotated[bool | None, Meta(description="true: it accepts connections on its port")] = (
        None
    )


class ProgramEntry(Struct, forbid_unknown_fields=True):
    """A named command of the learner's."""

    run: Annotated[list[Text], Meta(min_length=1, description="the command and its arguments")]
    kind: Annotated[
        Literal["serve", "daemon", "once"],
        Meta(description="serve: listens on a port; daemon: runs on without one; once: ends"),
    ]
    port: Annotated[
        Variable | None, Meta(description="the variable that gives it its port; PORT by default")
    ] = None
    ready: Annotated[
        ReadyEntry | None, Meta(description="when it is ready; {port: true} for kind: serve")
    ] = None
    stop: Annotated[
        Annotated[float, Meta(gt=0, le=600)] | None,
        Meta(description="seconds it may take to end after SIGTERM; 10 by default"),
    ] = None


class TaskEntry(Struct, forbid_unknown_fields=True):
    """One numbered task of the statement."""

    id: Name
    title: Annotated[Text, Meta(description="equals its heading in README.md")]
    hints: Annotated[list[Text], Meta(description="a nudge, a pointer, nearly the answer")] = []


class MutantEntry(Struct, forbid_unknown_fields=True):
    """A deliberately wrong solution and the checks that must reject it."""

    why: Annotated[Text, Meta(description="the mistake, in a few words")]
    fails: Annotated[list[CheckName], Meta(description="checks that must end `failed`")] = []
    breaks: Annotated[list[CheckName], Meta(description="checks that must end `broke`")] = []
    replace: Annotated[
        dict[str, list[tuple[str, str]]],
        Meta(description="file of the solution -> [old, new] edits; old occurs exactly once"),
    ] = {}
    remove: Annotated[list[str], Meta(description="files of the solution to leave out")] = []


class EquivalentEntry(Struct, forbid_unknown_fields=True, frozen=True):
    """A change of the reference, made by `grader mutate`, that makes no difference."""

    file: Annotated[Text, Meta(description="the file of the solution")]
    was: Annotated[Text, Meta(description="the line as it stands there, without its indentation")]
    becomes: Annotated[str, Meta(description="the changed line, without its indentation")]
    why: Annotated[Text, Meta(description="why no check can tell the two apart")]


class ValidateOptions(Struct, forbid_unknown_fields=True, frozen=True):
    """How an exercise is proved."""

    seeds: Annotated[int, Meta(gt=0, description="every proof is repeated on so many seeds")] = 3


class ExerciseFile(Struct, forbid_unknown_fields=True, kw_only=True):
    """`exercise.yaml`, the contract of one exercise."""

    format: Annotated[Literal[1], Meta(description="the version of this file format")]
    slug: Annotated[Name, Meta(description="the name of the exercise's folder")]
    title: Text
    topic: Annotated[Name, Meta(description="a topic's slug in roadmap.yaml")]
    version: Annotated[int, Meta(ge=1, description="bump it when old passes no longer count")] = 1
    difficulty: Annotated[int, Meta(ge=1, le=5)]
    minutes: Positive
    runner: Annotated[Name, Meta(description="the language the learner writes in")]
    services: list[Name] | dict[Name, ServiceOptions | None] = []
    env: Annotated[
        dict[Variable, str], Meta(description="variables of every process of the learner")
    ] = {}
    programs: Annotated[
        dict[Name, ProgramEntry], Meta(description="named commands, for tests and for the learner")
    ] = {}
    submit: Annotated[
        list[Text | SubmitEntry], Meta(min_length=1, description="the files that are graded")
    ]
    generate: Annotated[
        Text | None,
        Meta(description="a Python file: generate(out, rng) completes the workspace in `out`"),
    ] = None
    solve: Annotated[
        list[Text],
        Meta(description="the command that solves a workspace in which solution/ lies"),
    ] = []
    limits: LimitsEntry = LimitsEntry()
    passing: Annotated[int, Meta(ge=0, le=100, description="the score that passes")] = 100
    show: Annotated[
        Literal["full", "message", "title", "hidden"],
        Meta(description="how much of a failure the learner sees"),
    ] = "full"
    tasks: Annotated[list[TaskEntry], Meta(min_length=1)]
    mutants: dict[Name, MutantEntry]
    equivalent: Annotated[
        list[EquivalentEntry],
        Meta(description="changes of the solution that `grader mutate` need not see rejected"),
    ] = []
    validate: ValidateOptions = ValidateOptions()


class ResourceEntry(Struct, forbid_unknown_fields=True):
    """A link worth reading."""

    title: Text
    url: Annotated[str, Meta(pattern=_LINK)]


class TopicEntry(Struct, forbid_unknown_fields=True):
    """One topic of the roadmap."""

    slug: Name
    title: Text
    reason: Annotated[Text, Meta(description="why the topic matters, in one line")]
    resources: Annotated[list[ResourceEntry], Meta(min_length=1)]


class StageEntry(Struct, forbid_unknown_fields=True):
    """One stage of the roadmap; stages are numbered in the order of the file."""

    title: Text
    topics: Annotated[list[TopicEntry], Meta(min_length=1)]


class RoadmapFile(Struct, forbid_unknown_fields=True):
    """`roadmap.yaml`: the stages and their topics, in order."""

    format: Literal[1]
    stages: Annotated[list[StageEntry], Meta(min_length=1)]


def json_schema(kind: type[Struct]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one of the files above."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **json.schema(kind)}


def exercise_schema() -> dict[str, Any]:
    """The JSON Schema of `exercise.yaml`, for editors."""
    return json_schema(ExerciseFile)


def roadmap_schema() -> dict[str, Any]:
    """The JSON Schema of `roadmap.yaml`, for editors."""
    return json_schema(RoadmapFile)


def size_in_bytes(size: int | str) -> int:
    """The bytes that a size means: `64k` is 65536."""
    if isinstance(size, int):
        return size
    units = {"k": 1024, "m": 1024**2, "g": 1024**3}
    return int(size[:-1]) * units[size[-1]] if size[-1] in units else int(size)
