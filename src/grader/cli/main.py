"""The `grader` command: the one place where an error becomes words and an exit code."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Sequence
from typing import cast

from grader.cli.output import say, tell
from grader.errors import ExerciseError, GraderError, Interrupted, SubmissionError, UsageError

BUG = 70
HELP = ("--help", "-h", "help")


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command line and exit. Always ends with SystemExit.

    Without `argv` it is this process's own, and so are its signals.
    """
    if argv is None:
        _end_as_by_ctrl_c("SIGTERM", "SIGHUP")
    arguments, debug = _without_debug(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:  # a name that the terminal cannot encode must not end us
            reconfigure(errors="backslashreplace")
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        code = _closed_pipe()
    except KeyboardInterrupt:
        code = _report(Interrupted("interrupted"), debug)
    except GraderError as error:
        code = _report(error, debug)
    except Exception as error:  # noqa: BLE001  # the last resort: whatever it is, it is our bug
        if isinstance(error, OSError) and (
            isinstance(error.__context__, KeyboardInterrupt) or _terminal_is_gone()
        ):
            _drop_output()
            code = _report(Interrupted("interrupted"), debug)
        else:
            code = _bug(error, debug)
    raise SystemExit(code)


def _terminal_is_gone() -> bool:
    """Whether we write to a terminal that was closed: the signal may come after the first error."""
    try:
        import termios
    except ImportError:  # Windows
        return False
    for stream in (1, 2):
        try:
            termios.tcgetattr(stream)
        except termios.error as error:
            if error.args[0] == errno.EIO:  # a pipe or a file is ENOTTY
                return True
    return False


def _end_as_by_ctrl_c(*names: str) -> None:
    """Take down what was started also when we are told to end, or our terminal is closed."""
    import signal

    # One that is ignored stays so: that is how nohup works. Windows has no SIGHUP.
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    numbers = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]

    def interrupt(_number: int, _frame: object) -> None:
        # A closing terminal sends more than one: the next must not keep us from cleaning up.
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, interrupt)


def _without_debug(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """Take `--debug` out from wherever it stands before a `--`."""
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    head = [argument for argument in arguments[:end] if argument != "--debug"]
    return [*head, *arguments[end:]], len(head) < end


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0] in HELP:
        from grader.cli import overview
        from grader.settings import completing

        if completing():
            return _command(arguments)
        if arguments:
            say(overview.text())
            return 0
        from grader.cli.home import home

        home()
        return 0
    if arguments[0] == "--version":
        from grader import __version__

        say(f"grader {__version__}")
        return 0
    return _command(arguments)


def _command(arguments: list[str]) -> int:
    import typer
    from typer.completion import completion_init  # type: ignore[attr-defined]  # it is there

    from grader.cli.app import app

    # The parent of BadParameter is the base of every complaint about a command line. Typer gives
    # it no public name.
    wrong_usage = cast(type[Exception], typer.BadParameter.__base__)
    command = typer.main.get_command(app)
    completion_init()
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

    from grader.report.text import visible

    tell(visible("".join(traceback.format_exception(error))).rstrip())


def _closed_pipe() -> int:
    """Whoever read our output has seen enough, as `head` does. A verdict unread is no pass."""
    _drop_output()
    return 1


def _drop_output() -> None:
    """What is still to be written goes nowhere, instead of failing once more at the very end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
