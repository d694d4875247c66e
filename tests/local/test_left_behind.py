"""Nothing of the engine without Docker outlives its lease, however the command ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.engine.docker.warm import WarmSessions
from grader.engine.local import folder
from grader.engine.local.session import STARTING

SLOW = Path(__file__).parent.parent / "data" / "graded" / "slow"
LEASE = 12
AFTER = 20.0
"""The supervisor looks every second; the rest is load."""


def _heed_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


class Command:
    """`grader grade` of the slow exercise, as a process with a state folder of its own."""

    def __init__(self, state: Path) -> None:
        self._home = WarmSessions(state / "local").home
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("GRADER_")}
        self.env |= {"GRADER_STATE_DIR": str(state), "GRADER_IDLE_SECONDS": str(LEASE)}

    def start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "grader", "--engine", "local", "grade"]
        return subprocess.Popen(
            [*command, str(SLOW / "solution"), "--exercise", str(SLOW), "--trust-submissions"],
            env=self.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=_heed_signals,
        )

    def stop(self) -> str:
        done = [sys.executable, "-m", "grader", "--engine", "local", "stop"]
        return subprocess.run(
            done, env=self.env, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    def folders(self) -> list[Path]:
        return [folder.of(session) for session in folder.sessions(self._home)]

    def processes(self) -> list[str]:
        """Whoever has one of our folders in their command line or as their place."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                place = str((process / "cwd").readlink())
            except OSError:
                continue
            if f"{folder.PREFIX}{self._home}" in words + place:
                found.append(words)
        return found

    def gone(self, within: float) -> bool:
        deadline = time.monotonic() + within
        while self.folders() or self.processes():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    made = Command(tmp_path / "state")
    yield made
    made.stop()
    assert made.gone(within=10), (made.folders(), made.processes())


def _until(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        if text in line:
            return
        said.append(line)
    raise AssertionError(f"it ended without saying {text!r}: {said}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", ["Starting", "Running the checks", "A sum."])
def test_a_signal_ends_it_orderly(command: Command, number: signal.Signals, moment: str) -> None:
    """Exit code 130, one word and no traceback; processes and folders are gone."""
    process = command.start()
    _until(process, moment)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, ""), err
    assert err.splitlines()[-1] == "interrupted"
    assert "Traceback" not in err
    assert command.gone(within=5)


@pytest.mark.parametrize("moment", ["Running the checks", "A sum."])
def test_kill_9_of_the_command(command: Command, moment: str) -> None:
    """Its session ends with the lease: judge, servers, sandboxes, and the folder."""
    process = command.start()
    _until(process, moment)
    process.kill()
    process.communicate()
    assert command.processes() != []
    assert command.gone(within=max(LEASE, STARTING) + AFTER)


def test_kill_9_of_the_supervisor(command: Command) -> None:
    """The kernel ends what it started; the next command removes the folder."""
    process = command.start()
    _until(process, "A sum.")
    supervisors = [path for path in Path("/proc").glob("[0-9]*") if _supervises(path, command)]
    assert len(supervisors) == 1
    process.kill()
    process.communicate()
    os.kill(int(supervisors[0].name), signal.SIGKILL)
    deadline = time.monotonic() + 10
    while command.processes():
        assert time.monotonic() < deadline, command.processes()
        time.sleep(0.1)
    command.stop()
    assert command.folders() == []


def _supervises(process: Path, command: Command) -> bool:
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:  # it has just ended
        return False
    named = {str(path).encode() for path in command.folders()}
    return b"grader.engine.local.supervisor" in words and bool(named & set(words))


def test_every_command_sweeps(command: Command) -> None:
    """What a killed command left is gone after the next one, long before the lease ends."""
    command.env["GRADER_IDLE_SECONDS"] = "600"
    process = command.start()
    _until(process, "A sum.")
    process.kill()
    process.communicate()
    (left,) = command.folders()
    out, err = command.start().communicate(timeout=120)
    assert "100 of 100" in out, out + err
    assert not left.exists()
    assert command.gone(within=5)
