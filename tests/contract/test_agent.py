"""The agent's processes and interpreters, run for real.

Not its reset: that ends every process it can see, so it belongs into a sandbox.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from grader.agent import processes
from grader.agent.processes import Capture

pytestmark = pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")


def run(*argv: str, folder: Path | None = None, **values: Any) -> dict[str, Any]:
    settings = {
        "stdin": b"",
        "timeout": 10.0,
        "output": 10_000,
        "env": {"PATH": os.environ["PATH"]},
    }
    return processes.run(list(argv), folder=str(folder or "."), **{**settings, **values})


def python(source: str, **values: Any) -> dict[str, Any]:
    return run(sys.executable, "-c", source, **values)


def test_a_program_runs_to_its_end(tmp_path: Path) -> None:
    """Its output, its exit code, its folder and its variables are as asked for."""
    source = "import os,sys; print(os.getcwd(), os.environ['A']); print(sys.stdin.read(), end='')"
    answer = python(source, folder=tmp_path, env={"A": "ä"}, stdin=b"in")
    assert "broke" not in answer
    assert answer["code"] == 0
    assert answer["stdout"].decode() == f"{tmp_path} ä\nin"
    assert answer["stderr"] == b""


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 3", 3), ("kill -TERM $$", -15), ("kill -9 $$", -9)]
)
def test_exit_codes_and_signals(script: str, code: int) -> None:
    """A signal is told as its negative number."""
    assert run("sh", "-c", script)["code"] == code


def test_a_missing_program_is_told() -> None:
    """As a shell would: exit code 127 and a sentence on stderr."""
    answer = run("no-such-program-here")
    assert answer["code"] == 127
    assert b"no-such-program-here" in answer["stderr"]


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    """A program that cannot be started at all broke."""
    assert run("true", folder=tmp_path / "none")["broke"] == "start"


def test_arguments_are_not_a_shells() -> None:
    """Nothing in an argument is expanded or run."""
    arguments = ["$HOME", "; exit 3", "`id`", "a b", "-n", ""]
    answer = python("import sys; print(sys.argv[1:])")
    assert answer["code"] == 0
    answer = run(sys.executable, "-c", "import sys; print(sys.argv[1:])", *arguments)
    assert answer["stdout"].decode().strip() == repr(arguments)


def test_a_program_without_end_is_ended() -> None:
    """After its time it is killed with its children; what it printed is kept."""
    began = time.monotonic()
    answer = run("sh", "-c", "echo first; sleep 100 & sleep 100", timeout=0.5)
    assert answer["broke"] == "timeout"
    assert answer["stdout"] == b"first\n"
    assert time.monotonic() - began < 8


def test_output_past_the_limit_ends_the_program() -> None:
    """The first bytes are kept, the rest is neither kept nor waited for."""
    began = time.monotonic()
    answer = run("sh", "-c", "while :; do echo yyyyyyyyyyyyyyyyyyyyy; done", output=1000)
    assert answer["broke"] == "output"
    assert len(answer["stdout"]) == 1000
    assert time.monotonic() - began < 8


def test_output_of_exactly_the_limit_is_fine() -> None:
    """The limit itself may be reached, by each of the two streams."""
    answer = python("import os; os.write(1, b'x' * 1000); os.write(2, b'y' * 1000)", output=1000)
    assert "broke" not in answer
    assert (answer["stdout"], answer["stderr"]) == (b"x" * 1000, b"y" * 1000)


def test_a_daemon_that_holds_the_pipes_is_not_waited_for(tmp_path: Path) -> None:
    """A process that left the session keeps stdout open; the answer comes without it."""
    source = """
import os, sys, time
print('parent', flush=True)
if os.fork() == 0:
    os.setsid()
    open('pid', 'w').write(str(os.getpid()))
    time.sleep(100)
time.sleep(0.3)
"""
    began = time.monotonic()
    try:
        answer = python(source, folder=tmp_path)
        assert answer["code"] == 0
        assert answer["stdout"] == b"parent\n"
        assert time.monotonic() - began < 8
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_children_in_the_session_end_with_the_program(tmp_path: Path) -> None:
    """A background job left behind is ended, so that it cannot write into the next run."""
    run("sh", "-c", "(sleep 1; echo late > late) & exit 0", folder=tmp_path)
    time.sleep(1.5)
    assert not (tmp_path / "late").exists()


def test_input_that_is_never_read() -> None:
    """More than a pipe holds does not keep a program from ending."""
    answer = run("true", stdin=b"x" * 1_000_000)
    assert answer["code"] == 0
    assert run("head", "-c", "1", stdin=b"x" * 1_000_000)["stdout"] == b"x"


def test_much_input_and_output_at_once() -> None:
    """A program that answers while it reads does not lock up."""
    answer = run("cat", stdin=b"x" * 500_000, output=1_000_000)
    assert answer["stdout"] == b"x" * 500_000


def test_a_capture_tells_once_that_it_is_full() -> None:
    """It keeps the first bytes, reads on to the end, and calls the one who waits once."""
    calls: list[int] = []
    read, write = os.pipe()
    capture = Capture(read, 10, lambda: calls.append(1))
    for _ in range(3):
        os.write(write, b"12345678")
        time.sleep(0.01)
    assert capture.finish(0.05) == b"1234567812"
    os.close(write)
    assert capture.finish(5) == b"1234567812"
    assert capture.overflowed
    assert calls == [1]
