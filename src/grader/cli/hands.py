"""`grader up`, `grader run` and `grader shell`: the learner's own hands on a session."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import context as common
from grader.cli import output
from grader.errors import UsageError

if TYPE_CHECKING:
    from grader.hands import Hands
    from grader.model.exercise import Exercise
    from grader.settings import Settings

SHELL = ("sh", "-c", "if command -v bash >/dev/null; then exec bash; else exec sh; fi")
PORT = "8000"
"""What a server of the learner's is told, as no test is there to say another."""


def up(context: typer.Context) -> None:
    """Start the servers of this exercise, so that what comes next need not wait.

    They end by themselves when nobody uses them, or with: grader stop.
    """
    from rich.text import Text

    settings, exercise, root = _place(context)
    with _session(settings, exercise, root):
        pass
    screen = output.stdout()
    names = ", ".join([*exercise.services, "the judge", "a sandbox"])
    screen.print(Text(f"Ready: {names}."))
    for name in (*exercise.services, "solution"):
        screen.print(Text.assemble("  ", (f"grader shell {name}", "cyan")))
    for name in exercise.programs:
        screen.print(Text.assemble("  ", (f"grader run {name}", "cyan")))


def run(
    context: typer.Context,
    command: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME | -- COMMAND...", help="A program of the exercise, or any command."
        ),
    ],
) -> None:
    """Run a program or a command in the sandbox, beside the real servers, as the tests would.

    All files of this folder are there; what is written there is gone afterwards. Its exit code is
    the program's.
    """
    settings, exercise, root = _place(context)
    argv, env = _command(exercise, command)
    with _session(settings, exercise, root) as session:
        code = _carried(session, argv, env)
    raise typer.Exit(code)


def shell(
    context: typer.Context,
    where: Annotated[
        str,
        typer.Argument(
            metavar="[SERVICE | solution]", help="A server's own client, or a shell in the sandbox."
        ),
    ] = "solution",
) -> None:
    """Open a shell in the sandbox, or the client of a server, with your program's account.

    What you leave there is gone before the next check.
    """
    settings, exercise, root = _place(context)
    if where not in (*exercise.services, "solution"):
        there = ", ".join((*exercise.services, "solution"))
        raise UsageError(f"'{exercise.slug}' has no '{where}'", fix=f"there are: {there}")
    with _session(settings, exercise, root) as session:
        if where == "solution":
            code = _carried(session, SHELL, {})
        else:
            code = _client(session, where)
    raise typer.Exit(code)


def _place(context: typer.Context) -> tuple[Settings, Exercise, Path]:
    from grader.catalog import find
    from grader.workspace import read

    settings = common.settings(context)
    info = read(Path())
    return settings, find(common.catalog_root(settings), str(info.exercise or info.slug)), info.root


@contextlib.contextmanager
def _session(settings: Settings, exercise: Exercise, root: Path) -> Iterator[Hands]:
    from grader.cli.progress import watching
    from grader.engine.registry import engine
    from grader.hands import hands
    from grader.model.exercise import SubmitRule
    from grader.workspace import snapshot

    everything = (SubmitRule(path="**", optional=True),)
    submission = snapshot(root, everything, exercise.limits)
    with contextlib.ExitStack() as shown:
        listener = shown.enter_context(watching(quiet=False))
        with hands(exercise, submission, engine(settings), str(root.resolve()), listener) as ready:
            shown.pop_all().close()  # the screen is the program's now
            yield ready


def _command(exercise: Exercise, words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The command, and the variables of its own. One word is a program's name, if there is one."""
    program = exercise.programs.get(words[0]) if len(words) == 1 else None
    if program is None:
        return list(words), {}
    return list(program.run), {program.port: PORT} if program.kind == "serve" else {}


def _carried(hands: Hands, argv: Sequence[str], env: dict[str, str]) -> int:
    from grader.cli.pump import interactive, pump

    raw = interactive()
    terminal = hands.session.enter(hands.sandbox, argv, {**hands.env, **env}, tty=raw)
    try:
        return pump(terminal, hands, raw=raw)
    finally:
        terminal.close()


def _client(hands: Hands, service: str) -> int:
    from grader.cli.pump import interactive, pump

    raw = interactive()
    terminal = hands.session.client(service, hands.sandbox, hands.env, tty=raw)
    try:
        return pump(terminal, hands, raw=raw)
    finally:
        terminal.close()
