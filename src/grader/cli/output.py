"""The ways out: standard output for results, standard error for everything else."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import RecordError, UsageError

if TYPE_CHECKING:
    from rich.console import Console


WIDEST = 100
"""Wider lines are hard to read, and put the points far from their check."""


def say(text: str) -> None:
    """Lines of a result."""
    print(text)


def tell(text: str) -> None:
    """Lines about an error. Quiet when standard error is closed."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def warned(consequence: str) -> Iterator[None]:
    """A record that cannot be used costs one line on standard error, and nothing else."""
    try:
        yield
    except RecordError as error:
        from grader.report.text import visible

        fix = f" (fix: {error.fix})" if error.fix else ""
        tell(visible(f"warning: {consequence}: {error.message}{fix}"))


def write_json(value: object) -> None:
    """A value for programs, indented."""
    import msgspec

    write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


def write_bytes(content: bytes) -> None:
    """Bytes to standard output, as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def write_file(path: Path, content: bytes) -> None:
    """Put a whole file there at once: nobody ever reads half of it.

    Raises UsageError when it cannot be written.
    """
    unfinished = path.parent / f".{path.name}.{os.getpid()}"
    try:
        if path.exists() and not path.is_file():  # a pipe or a terminal cannot be replaced
            path.write_bytes(content)
            return
        try:
            unfinished.write_bytes(content)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written: {error.strerror}", fix="choose another file"
        ) from error


def stdout() -> Console:
    """Where results go."""
    console = _console(stderr=False)
    console.width = min(console.width, WIDEST)
    return console


def stderr() -> Console:
    """Where progress and notes go."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)
