"""The `grader` command: the one place where an error becomes words and an exit code."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import cast

from grader.cli.output import say, tell
from grader.errors import ExerciseError, GraderError, Interrupted, SubmissionError, UsageError

BUG = 70
HELP = ("--help", "-h", "help")


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command line and exit. Always ends with SystemExit."""
    arguments, debug = _without_debug(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:  # a name that the terminal cannot encode must not end us
            reconfigure(errors="backslashreplace")
    try:
        _end_orderly()
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        code = _closed_pipe()
    except KeyboardInterrupt:
        code = _report(Interrupted("interrupted"), debug)
    except GraderError as error:
        code = _report(error, debug)
    except Exception as error:  # noqa: BLE001  # the last resort: whatever it is, it is our bug
        code = _bug(error, debug)
    raise SystemExit(code)


def _end_orderly() -> None:
    """A terminal that closes, or a supervisor's SIGTERM, is an interrupt as Ctrl-C is.

    What the caller ignores stays ignored: `nohup grader batch ...` lives on.
    """
    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def _without_debug(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """Take `--debug` out from wherever it stands before a `--`."""
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    head = [argument for argument in arguments[:end] if argument != "--debug"]
    return [*head, *arguments[end:]], len(head) < end


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0] in HELP:
        from grader.cli import overview

        say(overview.text())
        return 0
    if arguments[0] == "--version":
        from grader import __version__

        say(f"grader {__version__}")
        return 0
    return _command(arguments)


def _command(arguments: list[str]) -> int:
    import typer

    from grader.cli.app import app

    # The parent of BadParameter is the base of every complaint about a command line. Typer gives
    # it no public name.
    wrong_usage = cast(type[Exception], typer.BadParameter.__base__)
    command = typer.main.get_command(app)
    try:
        result = command.main(arguments, prog_name="grader", standalone_mode=False)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except wrong_usage as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "grader"
        message = getattr(error, "format_message", error.__str__)()
        message = message[:1].lower() + message[1:].rstrip(".")
        raise UsageError(message, fix=f"see {path} --help") from error
    code = result if isinstance(result, int) else 0
    if code == Interrupted.exit_code:  # typer makes this of a KeyboardInterrupt
        raise KeyboardInterrupt
    return code


def _report(error: GraderError, debug: bool) -> int:
    from grader.report.text import visible

    if debug:
        _traceback(error)
    lines = [f"error: {error.message}"]
    if isinstance(error, SubmissionError | ExerciseError):
        lines += [f"  {problem}" for problem in error.problems]
    if error.fix:
        lines.append(f"fix: {error.fix}")
    if isinstance(error, Interrupted):
        lines = [error.message]
    tell("\n".join(visible(line) for line in lines))
    return error.exit_code


def _bug(error: Exception, debug: bool) -> int:
    if debug:
        _traceback(error)
    from grader.report.text import one_line

    tell(f"error: a bug in grader: {type(error).__name__}: {one_line(str(error), 300)}")
    if not debug:
        tell("fix: add --debug to see where, and please report it")
    return BUG


def _traceback(error: BaseException) -> None:
    import traceback

    tell("".join(traceback.format_exception(error)).rstrip())


def _closed_pipe() -> int:
    """Whoever read our output has seen enough, as `head` does. A verdict unread is no pass."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
