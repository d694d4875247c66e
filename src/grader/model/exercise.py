"""What an exercise is, once read and found right. Values only: nothing here touches a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grader.model.submission import WORKSPACE_FILE

SHOW_LEVELS = ("full", "message", "title", "hidden")
MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one sandbox may use. Sizes in bytes, times in seconds; `seconds` is for all checks."""

    memory: int = 256 * MIB
    cpus: float = 1.0
    pids: int = 128
    disk: int = 64 * MIB
    seconds: float = 60.0
    output: int = MIB
    files: int = 500
    submission: int = 4 * MIB


@dataclass(frozen=True, kw_only=True)
class SubmitRule:
    """One entry of `submit`: a glob over the workspace. `max_bytes` bounds one file.

    `shared`: it may be a hard link, as git makes them between repositories of one disk.
    """

    path: str
    optional: bool = False
    max_bytes: int | None = None
    shared: bool = False


@dataclass(frozen=True, kw_only=True)
class Ready:
    """When a program is ready: a GET of `http` is answered with 200 to 399, or the regular
    expression `log` is found in what it printed, or, with neither, its port accepts connections.
    """

    http: str = ""
    log: str = ""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A named command of the learner's.

    `kind` is `serve` (listens on a port), `daemon` (runs on without one) or `once` (ends by
    itself). `port` is the variable that gives a `serve` program its port. `ready` None: as soon
    as it runs. `stop`: seconds it may take to end after SIGTERM.
    """

    run: tuple[str, ...]
    kind: str
    port: str = "PORT"
    ready: Ready | None = None
    stop: float = 10.0


@dataclass(frozen=True, kw_only=True)
class Task:
    id: str
    title: str
    hints: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A wrong solution: files laid over the reference, or edits of it."""

    name: str
    why: str
    fails: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    replace: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Equivalent:
    """A change of one line of the reference that makes no difference: no check can reject it.

    `was` and `becomes` are the line without the blanks around it.
    """

    file: str
    was: str
    becomes: str
    why: str


@dataclass(frozen=True, kw_only=True)
class CheckDeclaration:
    """A hidden test as its source declares it, read without running it."""

    name: str
    task: str
    title: str
    file: str
    line: int
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """One exercise folder, parsed. Fields as in docs: exercise.yaml format 1."""

    root: Path
    slug: str
    title: str
    topic: str
    version: int
    difficulty: int
    minutes: int
    runner: str
    services: Mapping[str, tuple[str, ...]]
    """Service name -> SQL (or other) files run once as the learner's account."""
    env: Mapping[str, str]
    submit: tuple[SubmitRule, ...]
    limits: Limits
    passing: int
    show: str
    tasks: tuple[Task, ...]
    mutants: tuple[Mutant, ...]
    checks: tuple[CheckDeclaration, ...]
    validate_seeds: int = 3
    equivalent: tuple[Equivalent, ...] = ()
    programs: Mapping[str, Program] = field(default_factory=dict)
    generate: str | None = None
    """The file whose `generate(out, rng)` completes a learner's workspace."""
    solve: tuple[str, ...] = ()
    """The command that solves a workspace with solution/ in it, where that is a procedure."""
    repositories: tuple[str, ...] = ()
    """The git directories that are handed in: each is a folder of the workspace."""

    @property
    def answer(self) -> tuple[SubmitRule, ...]:
        """What of `submit` an author writes: not whose workspace it is from."""
        return tuple(rule for rule in self.submit if rule.path != WORKSPACE_FILE)

    @property
    def made(self) -> bool:
        """Whether a program makes what is handed in: see grader.making."""
        return bool(self.generate or self.solve)

    @property
    def starter(self) -> Path:
        return self.root / "starter"

    @property
    def statement(self) -> Path:
        return self.root / "README.md"

    @property
    def tests(self) -> Path:
        return self.root / "tests"

    @property
    def solution(self) -> Path:
        return self.root / "solution"


@dataclass(frozen=True, kw_only=True)
class Resource:
    title: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Topic:
    slug: str
    title: str
    reason: str
    resources: tuple[Resource, ...]


@dataclass(frozen=True, kw_only=True)
class Stage:
    number: int
    title: str
    topics: tuple[Topic, ...]


@dataclass(frozen=True, kw_only=True)
class Roadmap:
    stages: tuple[Stage, ...]

    def topics(self) -> tuple[Topic, ...]:
        return tuple(topic for stage in self.stages for topic in stage.topics)
