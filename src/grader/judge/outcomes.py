"""From the exception that ended a hidden test to the outcome and what the learner is told."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
import redis.exceptions

from grader.judge.comparison import Comparisons
from grader.judge.errors import Broke, Fault
from grader.judge.paths import TESTS
from grader.judge.services.redis import BUSY

OWN = f"{TESTS}/"
"""Begins the path of each file of the hidden tests."""

# Raised by the judge's own clients when a server is gone. The learner's outages do not touch them.
_HELD_UP = (
    psycopg.errors.QueryCanceled,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
)
_SERVER_GONE = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
)


@dataclass(kw_only=True)
class Verdict:
    """One check's outcome as the judge sees it. `unexpected` is decided by the host."""

    outcome: str
    reason: str = ""
    message: str = ""
    got: str | None = None
    expected: str | None = None
    diff: str | None = None
    log: str = ""
    given: list[tuple[str, str]] = field(default_factory=list)
    ratio: float = 1.0
    stopped: float = 0.0
    """Seconds between begin and end that were not the check's, but the grader's own."""
    looked: list[str] = field(default_factory=list)
    """What it asked of the submission, when the learner wants to know."""
    near: list[str] = field(default_factory=list)
    """What almost was right."""
    trace: str = ""
    """The traceback through the hidden tests, when the run is their author's."""


def verdict_of(
    error: BaseException | None, comparisons: Comparisons, awarded: tuple[float, str] | None
) -> Verdict:
    """The verdict on a test that ended with `error`, or well."""
    if error is None:
        if awarded is not None and awarded[0] < 1:
            return Verdict(outcome="failed", message=awarded[1], ratio=awarded[0])
        return Verdict(outcome="passed")
    found = _from_exception(error, comparisons)
    found.ratio = awarded[0] if awarded is not None else 0.0
    return found


def _from_exception(error: BaseException, comparisons: Comparisons) -> Verdict:
    if isinstance(error, AssertionError):
        message, sides = comparisons.split(str(error))
        found = Verdict(
            outcome="failed", message=message or "The answer is not what was asked for."
        )
        if sides is not None:
            found.got, found.expected, found.diff = sides.got, sides.expected, sides.diff
        return found
    if isinstance(error, pytest.fail.Exception):
        return Verdict(outcome="failed", message=str(error)[:2000])
    if isinstance(error, Broke):
        return Verdict(outcome="broke", reason=error.reason, message=error.message, log=error.log)
    broke = _from_client(error)
    if broke is not None:
        return Verdict(outcome="broke", reason=broke.reason, message=broke.message)
    if isinstance(error, Fault):
        return Verdict(outcome="error", message=str(error)[:2000])
    if _is_held_up(error):
        text = "The database could not be read: your program holds a lock, or a statement ran on."
        return Verdict(outcome="broke", reason="locked", message=text)
    if _is_gone(error):
        text = f"{type(error).__name__}: {error}"
        return Verdict(outcome="error", message=f"a service stopped answering: {text}"[:2000])
    return Verdict(outcome="unexpected", message=author_text(error))


def _from_client(error: BaseException) -> Broke | None:
    """What an exception of a client of the learner's server means. Only their users import them."""
    package = type(error).__module__.partition(".")[0]
    if package == "httpx":
        from grader.judge import web

        return web.broken_by(error)
    if package == "websockets":
        from grader.judge import websocket

        return websocket.broken_by(error)
    return None


def _is_held_up(error: BaseException) -> bool:
    """The server is well, and does not get to a test's own command."""
    if isinstance(error, _HELD_UP) or _is_busy(error):
        return True
    if not _of_pymongo(error):
        return False
    from grader.judge.services import mongodb

    return mongodb.held_up(error)


def _is_gone(error: BaseException) -> bool:
    if isinstance(error, _SERVER_GONE):
        return True
    if not _of_pymongo(error):
        return False
    from grader.judge.services import mongodb

    return mongodb.gone(error)


def _of_pymongo(error: BaseException) -> bool:
    """Only who has such a server imports its client."""
    return type(error).__module__.partition(".")[0] == "pymongo"


def _is_busy(error: BaseException) -> bool:
    """Redis runs a script of the learner's and answers nobody else."""
    return isinstance(error, redis.exceptions.ResponseError) and str(error).startswith(BUSY)


def author_text(error: BaseException) -> str:
    """For the exercise's author: learners never see test source or tracebacks."""
    told = traceback.TracebackException.from_exception(error)
    frames = [frame for frame in told.stack if frame.filename.startswith(OWN)]
    told.stack[:] = frames or told.stack
    # What an assertion says is a message of its own, with the marks of our comparison in it.
    lines = told.stack.format() if isinstance(error, AssertionError) else told.format()
    return "".join(lines).replace(OWN, "tests/")[-6000:]


def as_event(verdict: Verdict, check: str, begin: float, end: float) -> dict[str, Any]:
    """The message for the host. Times are seconds since the epoch."""
    return {
        "type": "outcome",
        "check": check,
        "outcome": verdict.outcome,
        "reason": verdict.reason,
        "message": verdict.message[:8000],
        "got": verdict.got,
        "expected": verdict.expected,
        "diff": verdict.diff,
        "log": verdict.log[-8000:],
        "given": [[label[:100], value[:4000]] for label, value in verdict.given[:20]],
        "ratio": max(0.0, min(1.0, verdict.ratio)),
        "begin": begin,
        "end": end,
        "stopped": verdict.stopped,
        "trace": verdict.trace,
        "looked": verdict.looked,
        "near": verdict.near,
    }
