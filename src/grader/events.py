"""What the judge tells the host while it runs, read strictly.

The judge is trusted, but it reads what learners send and may go wrong: an event that is not one of
these is a lost session, never a traceback or a score nobody can print.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from grader.engine.base import Message
from grader.errors import SessionLost

Seconds = Annotated[float, Meta(ge=0, le=1_000_000)]
Epoch = Annotated[float, Meta(ge=0, le=1e11)]
Points = Annotated[float, Meta(ge=0, le=1_000_000)]
Ratio = Annotated[float, Meta(ge=0, le=1)]


class CollectedCheck(Struct, kw_only=True):
    """One check, as its mark says."""

    id: str
    task: str
    title: str
    points: Points
    needs: tuple[str, ...]
    show: Literal["full", "message", "title", "hidden"] | None = None
    hint: str | None = None
    seconds: Seconds = 10.0
    reveal_after: int | None = None


class Collected(Struct, tag="collected"):
    """The checks that will run, in this order."""

    checks: list[CollectedCheck]


class Started(Struct, tag="started"):
    """A check begins with fresh state being made for it."""

    check: str


class Running(Struct, tag="running"):
    """Its time begins: `seconds` is all it has."""

    check: str
    seconds: Seconds


class Ended(Struct, tag="outcome", kw_only=True):
    """How a check ended; times are seconds since the epoch."""

    check: str
    outcome: Literal["passed", "failed", "broke", "skipped", "error", "unexpected"]
    reason: str = ""
    message: str = ""
    got: str | None = None
    expected: str | None = None
    diff: str | None = None
    given: tuple[tuple[str, str], ...] = ()
    log: str = ""
    ratio: Ratio
    begin: Epoch
    end: Epoch
    stopped: Seconds = 0.0
    """Work of ours within it, which is not the learner's time."""
    trace: str = ""
    """For the author of the tests, in a run that says it is the author's."""
    looked: tuple[str, ...] = ()
    """What the check asked of the submission, in a run that says it is to be explained."""
    near: tuple[str, ...] = ()
    """What almost was right, in such a run."""


class Request(Struct, tag="request"):
    """The judge asks for what only the host can do."""

    id: int
    name: str
    count: Annotated[int, Meta(ge=0)] = 0
    """`replicas`: how many."""
    lost: tuple[str, ...] = ()
    """`replicas`: the slots of those that are of no use any more."""
    alone: bool = False
    """`sandbox`: the judge began again and knows of no other."""
    service: str = ""
    """`service`: whose server is to be replaced."""
    seed: Annotated[int, Meta(ge=0)] = 0
    """`generate`: of whose workspace."""


class Fault(Struct, tag="fault"):
    """The run cannot go on; `author` says whether the exercise is to blame."""

    message: str
    author: bool


class Made(Struct, tag="made"):
    """How an author's program ended in a sandbox: grader.making. All of it is data, in base64."""

    code: int | None
    broke: str
    said: str
    files: dict[str, str]


class Finished(Struct, tag="finished"):
    """The run is over."""


Event = Collected | Started | Running | Ended | Request | Made | Fault | Finished

# msgspec looks into a type when it first meets it. Two threads that do so at once end the process
# with a segmentation fault (msgspec 0.22, Python 3.11), so it is done here, once.
msgspec.json.Decoder(Event)


def read(message: Message) -> Event:
    """The event that a message is. Raises SessionLost when it is none."""
    try:
        event: Event = msgspec.convert(message, Event)
    except (msgspec.ValidationError, RecursionError) as error:
        raise SessionLost(f"the judge sent what is not understood: {error}"[:500]) from None
    return event
