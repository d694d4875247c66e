"""What is going on right now, on standard error: a live display, or plain lines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from grader.cli import output
from grader.model.progress import Listener, Progress

if TYPE_CHECKING:
    from rich.console import Console

    from grader.cli.live import LiveView


@contextmanager
def watching(*, quiet: bool) -> Iterator[Listener]:
    """A listener that shows what it hears for as long as the block runs."""
    with ExitStack() as open_until_the_end:
        yield _silence if quiet else _OnceThereIsNews(open_until_the_end)


def _silence(_: Progress) -> None:
    return


class _OnceThereIsNews:
    """Loads what draws with the first event: by then the engine or the judge has work to do."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._view: Listener | None = None

    def __call__(self, event: Progress) -> None:
        if self._view is None:
            self._view = _view(self._stack)
        self._view(event)


def _view(stack: ExitStack) -> Listener:
    from rich.live import Live

    from grader.cli.live import LiveView
    from grader.cli.plain import PlainLines
    from grader.report.marks import glyphs

    console = output.stderr()
    # FORCE_COLOR makes rich take a log for a terminal, but only a real one can be drawn over.
    if not console.file.isatty() or console.is_dumb_terminal:
        return PlainLines(console)
    view = LiveView(glyphs(console.options))
    # Behind the display, which is gone by then: what must be known is not.
    stack.callback(lambda: _tell_warnings(view, console))
    stack.enter_context(Live(view, console=console, transient=True, refresh_per_second=10))
    return view


def _tell_warnings(view: LiveView, console: Console) -> None:
    from rich.text import Text

    from grader.report.text import one_line

    for warning in view.warnings:
        console.print(Text(f"warning: {one_line(warning, 400)}", "yellow"), soft_wrap=True)
