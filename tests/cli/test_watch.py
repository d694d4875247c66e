"""`grader check --watch` at a real terminal, with a stand-in for the pipeline: no engine."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.progress.entries import Attempt
from grader.progress.record import Record
from grader.workspace import read

REPORTS = Path(__file__).parent.parent / "data" / "reports"
DRIVER = """
import sys, time
from dataclasses import replace
from pathlib import Path
import msgspec
import grader.engine.registry, grader.grade
from grader.cli.main import main
from grader.errors import Cancelled, InfrastructureError
from grader.model.report import Report

log, reports = Path(sys.argv[1]), Path(sys.argv[2])
sys.argv[1:3] = []

PASSED, FAILED = "passed-names-the-next-step", "three-failures-in-full-others-one-line"

def say(*words):
    with log.open("a") as file:
        print(*words, file=file)

def report(name, task):
    made = msgspec.json.decode((reports / f"{name}.json").read_bytes(), type=Report)
    one = made.tasks[0]
    checks = tuple(replace(check, task=task) for check in one.checks)
    return replace(made, tasks=(replace(one, id=task, checks=checks), *made.tasks[1:]))

def grade(exercise, submission, engine, options, listener):
    text = submission.files[0].content.decode().split()[0]
    say("begun", text, time.time(), options.fresh)
    if text == "lost":
        raise InfrastructureError("no engine answers", fix="start one")
    if text == "slow":
        while not options.cancelled():
            time.sleep(0.005)
        say("cancelled", text)
        raise Cancelled("the run was given up")
    return report(PASSED if text == "right" else FAILED, exercise.tasks[0].id)

grader.grade.grade = grade
grader.engine.registry.engine = lambda settings: object()
grader.engine.registry.automatic = lambda settings: ("docker", "")
main()
"""


class Terminal:
    """A process at a terminal of its own, 80 columns wide."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.master, self._slave = pty.openpty()
        self.before = termios.tcgetattr(self._slave)
        self.log = folder / "log"
        self.log.touch()
        driver = folder / "driver.py"
        driver.write_text(DRIVER, encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if name[:7] != "GRADER_"}
        env = {**kept, "GRADER_DATA_DIR": str(folder / "data"), "HOME": str(folder)}
        env |= {"COLUMNS": "80", "LINES": "40", "TERM": "xterm", "NO_COLOR": "1"}
        self.process = subprocess.Popen(
            [sys.executable, str(driver), str(self.log), str(REPORTS), *arguments],
            cwd=folder / "redis-caching",
            env=env,
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            start_new_session=True,
            preexec_fn=lambda: os.close(self.master),
        )
        self._raw, self._behind = "", 0

    def until(self, pattern: str, seconds: float = 30) -> str:
        """What was shown until the pattern was, which is then behind us; without escapes."""
        deadline = time.monotonic() + seconds
        while True:
            text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._raw).replace("\r\n", "\n")
            if found := re.search(pattern, text[self._behind :]):
                begin, self._behind = self._behind, self._behind + found.end()
                return text[begin : self._behind]
            assert time.monotonic() < deadline, f"no {pattern!r} in: {text[self._behind :]}"
            if select.select([self.master], [], [], 0.1)[0]:
                with contextlib.suppress(OSError):
                    self._raw += os.read(self.master, 65536).decode()

    def logged(self, pattern: str, seconds: float = 30) -> re.Match[str]:
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.log.read_text())):
            assert time.monotonic() < deadline, f"no {pattern!r} in: {self.log.read_text()}"
            time.sleep(0.005)
        return found

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def ended(self) -> int:
        with contextlib.suppress(OSError):
            while select.select([self.master], [], [], 0)[0]:  # its last words must find room
                os.read(self.master, 65536)
        return self.process.wait(30)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        with contextlib.suppress(OSError):
            os.close(self.master)
        with contextlib.suppress(OSError):
            os.close(self._slave)

    def restored(self) -> bool:
        return termios.tcgetattr(self._slave) == self.before

    def hang_up(self) -> None:
        os.close(self._slave)
        os.close(self.master)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    folder = tmp_path / "redis-caching"
    env = {**os.environ, "GRADER_DATA_DIR": str(tmp_path / "data")}
    start = [sys.executable, "-m", "grader", "start", "redis-caching"]
    subprocess.run(start, cwd=tmp_path, env=env, check=True, capture_output=True)
    (folder / "catalog.py").write_text("wrong\n", encoding="utf-8")
    made = Terminal(tmp_path, "check", "--watch")
    yield made
    made.close()


def write(terminal: Terminal, text: str) -> float:
    """Save the learner's file, as editors do: a new file in its place. When that was."""
    folder = terminal.log.parent / "redis-caching"
    unfinished = folder / ".catalog.py.new"
    unfinished.write_text(text, encoding="utf-8")
    saved = time.time()
    unfinished.replace(folder / "catalog.py")
    return saved


def test_a_save_is_checked_and_only_what_changed_is_shown(terminal: Terminal) -> None:
    """The current task first; then the checks that changed; never more than there is to do."""
    first = terminal.until(r"q quit\n.*(?s:.)*q quit\n")
    assert "Checking again whenever you save catalog.py." in first
    assert "Not passed yet" in first
    assert "changed" not in first
    assert len(re.findall(r"^Task \d of \d: ", first, re.MULTILINE)) == 1
    assert max(map(len, first.splitlines())) <= 80
    saved = write(terminal, "right\n")
    begun = terminal.logged(r"begun right ([\d.]+) False")
    assert float(begun[1]) - saved < 2  # 0.1 s on a machine that does nothing else
    second = terminal.until(r"q quit\n")
    assert "Passed: 100 of 100  (was " in second
    assert re.search(r"\d+ checks? changed:", second)
    assert "Task " not in second
    assert "grader next" in second
    terminal.press("q")
    assert terminal.ended() == 0
    assert terminal.restored()
    info = read(terminal.log.parent / "redis-caching")
    record = Record(terminal.log.parent / "data").entries()
    assert (info.attempts, sum(isinstance(one, Attempt) for one in record)) == (2, 2)


def test_a_save_that_changes_nothing_to_grade_is_no_news(terminal: Terminal) -> None:
    """Another file, or the same content once more: no run begins."""
    terminal.until(r"Not passed yet(?s:.)*q quit\n")
    (terminal.log.parent / "redis-caching" / "notes.txt").write_text("later\n")
    write(terminal, "wrong\n")
    time.sleep(1)
    write(terminal, "right\n")
    terminal.logged("begun right")
    assert terminal.log.read_text().count("begun") == 2


def test_a_save_cancels_the_run_in_flight(terminal: Terminal) -> None:
    """What is not wanted any more ends, and the newest save alone is shown and counted."""
    terminal.until(r"Not passed yet(?s:.)*q quit\n")
    write(terminal, "slow\n")
    terminal.logged("begun slow")
    write(terminal, "right\n")
    terminal.logged("cancelled slow")
    assert "Passed: 100" in terminal.until(r"q quit\n")
    assert read(terminal.log.parent / "redis-caching").attempts == 2


def test_keys(terminal: Terminal) -> None:
    """h hint, l log, r run again, f fresh servers, n next; others, arrows too, do nothing."""
    terminal.until(r"Not passed yet(?s:.)*q quit\n")
    terminal.press("h")
    assert "hint 1 of 3" in terminal.until(r"q quit\n")
    terminal.press("h")
    assert "hint 2 of 3" in terminal.until(r"q quit\n")
    terminal.press("x\x1b[A")
    terminal.press("r")
    assert "No check changed." in terminal.until(r"q quit\n")
    terminal.press("f")
    terminal.until(r"q quit\n")
    assert re.findall(r"begun wrong [\d.]+ (\w+)", terminal.log.read_text()) == [
        *("False", "False", "True")
    ]
    terminal.press("l")
    assert "object has no attribute 'decode'" in terminal.until(r"q quit\n")
    terminal.press("n")
    assert "grader check" in terminal.until(r"q quit\n")
    terminal.press("q")
    assert terminal.ended() == 1


def test_what_cannot_be_graded_is_told_once_and_watched_on(terminal: Terminal) -> None:
    """A file that is missing, an engine that is away: said, and the next save is checked."""
    terminal.until(r"Not passed yet(?s:.)*q quit\n")
    (terminal.log.parent / "redis-caching" / "catalog.py").unlink()
    told = terminal.until(r"q quit\n")
    assert "catalog.py" in told
    assert "error: " in told
    write(terminal, "lost\n")
    assert "error: no engine answers\nfix: start one\n" in terminal.until(r"q quit\n")
    write(terminal, "right\n")
    assert "Passed: 100" in terminal.until(r"q quit\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_it_in_mid_run_and_restore_the_terminal(
    terminal: Terminal, number: signal.Signals
) -> None:
    terminal.until(r"Not passed yet(?s:.)*q quit\n")
    write(terminal, "slow\n")
    terminal.logged("begun slow")
    assert not terminal.restored()
    terminal.process.send_signal(number)
    assert terminal.ended() == 130
    assert terminal.restored()
    assert "cancelled slow" in terminal.log.read_text()


def test_a_closed_terminal_ends_it(terminal: Terminal) -> None:
    terminal.until(r"Not passed yet(?s:.)*q quit\n")
    write(terminal, "slow\n")
    terminal.logged("begun slow")
    terminal.hang_up()
    terminal.process.send_signal(signal.SIGHUP)
    assert terminal.process.wait(30) == 130
    assert "cancelled slow" in terminal.log.read_text()


@pytest.mark.usefixtures("terminal")
def test_through_a_pipe_there_are_no_keys_and_no_escapes(tmp_path: Path) -> None:
    """Plain lines, and Ctrl-C ends it."""
    env = {**os.environ, "GRADER_DATA_DIR": str(tmp_path / "data"), "COLUMNS": "80"}
    process = subprocess.Popen(
        [
            *(sys.executable, str(tmp_path / "driver.py"), str(tmp_path / "log"), str(REPORTS)),
            *("check", "--watch"),
        ],
        cwd=tmp_path / "redis-caching",
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    shown = ""
    while shown.count("Ctrl-C ends it.") < 2:
        line = process.stdout.readline()
        assert line, shown
        shown += line
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "\x1b" not in shown + out + err
    assert "Not passed yet" in shown


def test_watch_and_json_do_not_go_together(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "grader", "check", "--watch", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "--watch and --json" in done.stderr
