"""What is going on right now, told to whoever listens while it happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grader.model.report import Check, CheckResult


@dataclass(frozen=True)
class Stage:
    """The work that has begun, as a short sentence without a full stop: `Starting postgres`."""

    text: str


@dataclass(frozen=True)
class ImageStarted:
    """An image is being built (or pulled); `number` of `total` counts from 1."""

    name: str
    number: int
    total: int


@dataclass(frozen=True)
class ImageOutput:
    """One line that the build printed."""

    name: str
    line: str


@dataclass(frozen=True)
class ImageReady:
    """An image exists now. `how` is built, pulled or present; `size` in bytes."""

    name: str
    how: str
    seconds: float
    size: int


@dataclass(frozen=True)
class Transferred:
    """Bytes of an archive of images that are through; `total` 0 when nobody knows it."""

    done: int
    total: int = 0


@dataclass(frozen=True)
class Collected:
    """The judge knows which checks will run, in this order."""

    checks: tuple[Check, ...]


@dataclass(frozen=True)
class CheckStarted:
    id: str


@dataclass(frozen=True)
class CheckFinished:
    result: CheckResult


@dataclass(frozen=True)
class Traced:
    """Where a check ended, as a traceback. Only in a run of the author of the tests."""

    id: str
    text: str


@dataclass(frozen=True)
class Looked:
    """What a check asked of the submission, and what almost was right. Only in a run that asks."""

    id: str
    lines: tuple[str, ...]
    near: tuple[str, ...]


@dataclass(frozen=True)
class Retrying:
    """Something of ours failed; the same submission is graded again on a fresh session."""

    reason: str


@dataclass(frozen=True)
class Warned:
    """Something that keeps nothing from going on, but that whoever runs this must know."""

    text: str


Progress = (
    Stage
    | ImageStarted
    | ImageOutput
    | ImageReady
    | Transferred
    | Collected
    | CheckStarted
    | CheckFinished
    | Traced
    | Looked
    | Retrying
    | Warned
)
Listener = Callable[[Progress], None]
