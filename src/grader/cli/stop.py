"""`grader stop`: end the warm sessions of this machine."""

from __future__ import annotations

import typer

from grader.cli import context as common
from grader.cli import output


def stop(context: typer.Context) -> None:
    """End the sessions that earlier checks left warm.

    They also end by themselves when nobody uses them for a while.
    """
    from grader.engine.registry import stop as end_all
    from grader.report.text import counted

    ended = end_all(common.settings(context))
    output.say(f"{counted(ended, 'session')} ended." if ended else "No session was running.")
