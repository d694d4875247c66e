"""Nothing of ours outlives its lease, however the command that made it ended."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from grader.engine.docker.connect import connect
from grader.engine.docker.containers import LABEL
from grader.engine.docker.engine import DockerEngine
from grader.engine.docker.launch import STARTING
from grader.engine.docker.warm import WarmSessions
from grader.settings import Settings

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("docker_engine")]
SLOW = Path(__file__).parent.parent / "data" / "graded" / "slow"
LEASE = 20
"""Seconds: short, so that a test can wait for its end."""
AFTER = 25.0
"""Process 1 looks every five seconds, and waits two for its command to end; the rest is load."""


def _heed_signals() -> None:
    """As in a terminal, also when these tests run in the background, where some are ignored."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


class Command:
    """`grader grade` of the slow exercise, as a process with a state folder of its own."""

    def __init__(self, state: Path, client: docker.DockerClient, probed: Path) -> None:
        self._client = client
        self._probed = probed
        self._home = WarmSessions(state).home
        shutil.copytree(probed, state / "limits", dirs_exist_ok=True)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("GRADER_")}
        self.env |= {"GRADER_STATE_DIR": str(state), "GRADER_IDLE_SECONDS": str(LEASE)}

    def start(self, submission: str = "solution") -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "grader", "grade", str(SLOW / submission)]
        return subprocess.Popen(
            [*command, "--exercise", str(SLOW)],
            env=self.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=_heed_signals,
        )

    def another(self, state: Path) -> Command:
        """The same with a state folder that knows nothing of this one's sessions."""
        return Command(state, self._client, self._probed)

    def sweep(self) -> None:
        done = [sys.executable, "-m", "grader", "stop"]
        subprocess.run(done, env=self.env, check=True, capture_output=True, timeout=60)

    def containers(self) -> set[str]:
        found = self._client.api.containers(all=True, filters={"label": LABEL})
        return {
            f"{one['Labels']['grader.role']} {one['State']}"
            for one in found
            if one["Labels"][LABEL].startswith(self._home)
        }

    def volumes(self) -> list[str]:
        found = self._client.api.volumes(filters={"label": LABEL})["Volumes"] or []
        return [one["Name"] for one in found if one["Labels"][LABEL].startswith(self._home)]

    def gone(self, within: float) -> bool:
        """Whether no container is left, or comes to be left while we wait."""
        deadline = time.monotonic() + within
        while self.containers():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
        return True


@pytest.fixture
def command(tmp_path: Path, settings: Settings, docker_engine: DockerEngine) -> Iterator[Command]:
    client = connect(settings)
    docker_engine.gaps()  # the engine is probed now, and not in each of the commands
    made = Command(tmp_path / "state", client, settings.state_dir / "limits")
    yield made
    made.sweep()
    assert (made.containers(), made.volumes()) == (set(), [])
    client.close()


def _until(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"it ended without saying {text!r}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("moment", ["Starting", "Running the checks", "A sum."])
def test_a_signal_ends_it_orderly(command: Command, number: signal.Signals, moment: str) -> None:
    """Exit code 130, one word and no traceback, and all containers and volumes are gone."""
    process = command.start()
    _until(process, moment)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, ""), err
    assert err.splitlines()[-1] == "interrupted"
    assert "Traceback" not in err
    assert command.gone(within=5)
    assert command.volumes() == []


MOMENTS = ("Starting", "Running the checks", "A sum.")


def test_kill_9_at_random_moments(command: Command, tmp_path: Path) -> None:
    """A killed command cannot clean up; its containers end by themselves when the lease does.

    Each of these commands has a state folder of its own, so that none sweeps behind another. A
    container that was made and not yet started in that very moment has nobody to end it: the next
    command removes it, and also the volumes, which hold nothing any more.
    """
    dice = random.Random(7)
    killed = [command.another(tmp_path / f"state{number}") for number in range(9)]
    for number, one in enumerate(killed):
        process = one.start()
        _until(process, MOMENTS[number % len(MOMENTS)])
        time.sleep(dice.uniform(0, 1))
        process.kill()
        process.communicate()
    assert any("running" in state for one in killed for state in one.containers())
    end = time.monotonic() + max(LEASE, STARTING) + AFTER
    while any("running" in state for one in killed for state in one.containers()):
        assert time.monotonic() < end, [one.containers() for one in killed]
        time.sleep(0.2)
    for one in killed:
        assert all(state.endswith(" created") for state in one.containers()), one.containers()
        one.sweep()
        assert (one.containers(), one.volumes()) == (set(), [])


def test_the_lease_lasts_as_long_as_the_run(command: Command) -> None:
    """A run that takes longer than the lease is not ended by it."""
    command.env["GRADER_IDLE_SECONDS"] = "9"
    process = command.start("patient")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert "run again" not in err
    assert command.gone(within=5)


def test_every_command_sweeps(command: Command) -> None:
    """What a killed command left is gone after the next one, long before the lease ends."""
    command.env["GRADER_IDLE_SECONDS"] = "600"
    process = command.start()
    _until(process, "A sum.")
    process.kill()
    process.communicate()
    assert command.containers() != set()
    out, err = command.start().communicate(timeout=120)
    assert "100 of 100" in out, out + err
    assert command.gone(within=5)
    assert command.volumes() == []
