"""Between the learner's terminal and a program in a sandbox."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from grader.errors import UsageError

try:
    import termios
    import tty
except ImportError:  # Windows
    termios = tty = None  # type: ignore[assignment]  # tested before use

if TYPE_CHECKING:
    from grader.engine.base import Terminal
    from grader.hands import Hands

TICK = 1.0
"""Seconds between two signs of life for the session."""
ENDED_BY_CTRL_C = 130


def interactive() -> bool:
    """Whether a person sits at both ends. Raises UsageError on systems without such terminals."""
    if termios is None:
        raise UsageError("this command does not work on Windows itself", fix="use it in WSL")
    return sys.stdin.isatty() and sys.stdout.isatty()


def pump(terminal: Terminal, hands: Hands, *, raw: bool) -> int:
    """Carry keys in and output out until the program ends: its exit code.

    `raw`: every key goes to the program, Ctrl-C, too. The terminal is as it was afterwards.
    """
    with _raw() if raw else contextlib.nullcontext(), _sizes(terminal, raw):
        try:
            _carry(terminal, hands)
        except KeyboardInterrupt:  # the session stays warm, the sandbox goes
            return ENDED_BY_CTRL_C
    return terminal.wait()


def _carry(terminal: Terminal, hands: Hands) -> None:
    typed, source = True, sys.stdin.fileno()
    while True:
        wanted: list[Terminal | int] = [terminal, *([source] if typed else [])]
        ready, _, _ = select.select(wanted, [], [], 0 if terminal.waiting() else TICK)
        if not ready and not terminal.waiting():
            hands.tick()
        if source in ready:
            data = os.read(source, 1 << 14)
            typed = bool(data)
            terminal.write(data) if data else terminal.close_input()
        if terminal in ready or terminal.waiting():
            parts = terminal.read()
            if parts is None:
                return
            for stream, data in parts:
                _say(stream, data)


def _say(stream: int, data: bytes) -> None:
    goal = 2 if stream == 2 else 1
    while data:
        data = data[os.write(goal, data) :]


@contextlib.contextmanager
def _raw() -> Iterator[None]:
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor, termios.TCSANOW)
        yield
    finally:
        with contextlib.suppress(termios.error):  # it was closed
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _sizes(terminal: Terminal, wanted: bool) -> Iterator[None]:
    """The program's terminal is as large as the learner's, always."""
    if not wanted:
        yield
        return

    def resize(*_: object) -> None:
        columns, rows = os.get_terminal_size(sys.stdin.fileno())
        terminal.resize(rows, columns)

    before = signal.signal(signal.SIGWINCH, resize)
    try:
        resize()
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)
