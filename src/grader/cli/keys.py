"""Single keys from the terminal, without waiting for Enter."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator

try:
    import termios
    import tty
except ImportError:  # Windows: its terminal is read in another way, and Ctrl-C is what there is
    termios = tty = None  # type: ignore[assignment]  # tested before use


@contextlib.contextmanager
def pressed(hear: Callable[[str], None]) -> Iterator[bool]:
    """Call `hear` with each key, in a thread, while the block runs; false where there are none.

    The terminal is as it was behind the block, however that ends.
    """
    if termios is None or not sys.stdin.isatty():
        yield False
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    ended, end = os.pipe()
    reader = threading.Thread(target=_read, args=(terminal, ended, hear), daemon=True)
    resumed = signal.getsignal(signal.SIGCONT)
    try:
        tty.setcbreak(terminal, termios.TCSANOW)
        # Behind a Ctrl-Z the shell has put its own settings there.
        signal.signal(signal.SIGCONT, lambda *_: tty.setcbreak(terminal, termios.TCSANOW))
        reader.start()
        yield True
    finally:
        signal.signal(signal.SIGCONT, resumed)
        os.write(end, b"x")
        reader.join(1)
        os.close(ended)
        os.close(end)
        with contextlib.suppress(termios.error):  # it was closed
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _read(terminal: int, ended: int, hear: Callable[[str], None]) -> None:
    with contextlib.suppress(OSError):
        while True:
            ready, _, _ = select.select([terminal, ended], [], [])
            if ended in ready:
                return
            typed = os.read(terminal, 64)
            if not typed:
                return
            if not typed.startswith(b"\x1b"):  # an arrow or a function key is none of ours
                for key in typed.decode("utf-8", "ignore"):
                    hear(key)
