"""What every fuzz test shares: how many inputs, a watchdog on each, a bound on the memory of all.

`make fuzz` gives each target 10,000 random inputs (the profile `fuzz`); any other run gives it a
few, always the same ones, so that `make test` stays quick and repeats itself.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

INPUTS = 10_000
"""Inputs per target with `make fuzz`."""
A_FEW = 30
SECONDS = 10.0
"""One input may take so long on a busy machine. A healthy target needs milliseconds."""
GROWTH = 300 * 1024 * 1024
"""Bytes that the process may grow by over all inputs of a target, with hypothesis' notes."""
MIB = 1024 * 1024
_INPUT = Path(tempfile.gettempdir()) / f"grader-fuzz-input-{os.getpid()}"
_STATUS = Path("/proc/self/status")

F = TypeVar("F", bound=Callable[..., None])


def fuzz(test: F) -> F:
    """Settings of a target. The deadline is the watchdog's; shrinking is worth its time."""
    long = settings.get_profile(settings.get_current_profile_name()).max_examples >= INPUTS
    return settings(
        max_examples=INPUTS if long else A_FEW,
        derandomize=not long,
        deadline=None,
        phases=[phase for phase in Phase if phase is not Phase.explain],  # it traces every line
        suppress_health_check=list(HealthCheck),
    )(test)


class Hang(BaseException):
    """One input takes too long. No Exception: code that catches any of those must not stop it."""


@contextlib.contextmanager
def watched(given: object, seconds: float = SECONDS) -> Iterator[None]:
    """Fail when the block takes longer than `seconds`; the input is told either way.

    A loop in Python is interrupted, so hypothesis can shrink its input. For a loop in C that hears
    no signal the process ends itself, with all tracebacks, and leaves the input in a file.
    """

    def late(_number: int, frame: FrameType | None) -> None:
        raise Hang(f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else "?")

    with contextlib.suppress(OSError, ValueError, RecursionError):
        _INPUT.write_text(repr(given)[:100_000], "utf-8", "backslashreplace")
    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    faulthandler.dump_traceback_later(4 * seconds, exit=True, file=sys.__stderr__ or sys.stderr)
    try:
        yield
    except Hang as hang:
        raise AssertionError(f"more than {seconds:g} s, then at {hang}") from None
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    _INPUT.unlink(missing_ok=True)


@contextlib.contextmanager
def bounded(most: int = GROWTH) -> Iterator[None]:
    """Fail when the peak of the process's memory rises by more than `most` bytes in the block."""
    if not _STATUS.exists():  # not Linux: the time is still watched
        yield
        return
    gc.collect()
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here (proc(5))
    before = _status("VmRSS")
    yield
    risen = _status("VmHWM") - before
    assert risen < most, f"the memory's peak rose by {risen // MIB} MiB"


def _status(field: str) -> int:
    lines = _STATUS.read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


# -- strategies that several targets use ------------------------------------------------------


def mutated(*samples: bytes, also: tuple[bytes, ...] = ()) -> st.SearchStrategy[bytes]:
    """Good samples with bytes changed, taken out, doubled, spliced with another, cut off."""
    pieces = st.sampled_from([b"\0", b"\n", b"\xff", b"\xed\xa0\x80", b"'", b'"', b"\\", *also])
    edit = st.tuples(
        st.sampled_from(["set", "insert", "delete", "double", "cut", "splice"]),
        st.integers(0, 1 << 16),
        st.integers(0, 64),
        st.binary(max_size=4) | pieces,
        st.sampled_from(samples),
    )

    def apply(start: bytes, edits: list[tuple[str, int, int, bytes, bytes]]) -> bytes:
        content = start
        for kind, at, length, new, other in edits:
            place = at % (len(content) + 1)
            head, tail = content[:place], content[place:]
            if kind == "set":
                content = head + new + tail[len(new) :]
            elif kind == "insert":
                content = head + new + tail
            elif kind == "delete":
                content = head + tail[length:]
            elif kind == "double":
                content = head + tail[:length] * 2 + tail[length:]
            elif kind == "cut":
                content = head
            else:
                content = head + other[at % (len(other) + 1) :]
        return content[: 64 * 1024]

    return st.builds(apply, st.sampled_from(samples), st.lists(edit, min_size=1, max_size=6))


def json_values(*leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values that JSON can hold, with all that is hard about them; see `expanded`."""
    hard = st.sampled_from(
        [10**400, -(10**40), 2**64, 1e308, float("nan"), float("inf"), "", "\ud800", "\x1b[2J", "1"]
    )
    leaf = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-3, 3),
        st.floats(),
        st.text(max_size=8),
        hard,
        *leaves,
    )
    return st.recursive(
        leaf,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.text(max_size=6), inner, max_size=4)
            | inner.map(Deep)
        ),
        max_leaves=8,
    )


@dataclass(frozen=True)
class Deep:
    """Stands for its value in very many lists: hypothesis could not print those."""

    value: Any


def expanded(tree: Any, depth: int = 600) -> Any:
    """The tree with what each Deep stands for, but for one inside another."""
    if isinstance(tree, Deep):
        return nested(expanded(tree.value, 1), depth)
    if isinstance(tree, list):
        return [expanded(item, depth) for item in tree]
    if isinstance(tree, dict):
        return {key: expanded(item, depth) for key, item in tree.items()}
    return tree


def nested(value: Any, depth: int) -> Any:
    """The value in so many lists."""
    for _ in range(depth):
        value = [value]
    return value
