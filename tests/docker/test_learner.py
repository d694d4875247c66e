"""A learner's day in Docker, typed as a learner types it: real processes, real servers."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader import shipped

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("docker_engine")]
SLUG = "redis-caching"


class Shell:
    """Runs grader in a folder, with a state of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {
            name: value for name, value in os.environ.items() if not name.startswith("GRADER_")
        }
        self.env |= {"GRADER_STATE_DIR": str(folder / "state"), "COLUMNS": "80"}

    def start(self, *arguments: str, cwd: Path | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "grader", *arguments],
            cwd=cwd or self.folder,
            env=self.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, cwd=cwd)
        out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def containers(self) -> list[str]:
        """Names of the containers of sessions that belong to a workspace in this folder."""
        listed = subprocess.run(
            ["docker", "ps", "-a", "--format", '{{.ID}} {{.Label "grader.owner"}}'],
            capture_output=True,
            text=True,
            check=True,
        )
        return [line for line in listed.stdout.splitlines() if str(self.folder) in line]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    made = Shell(tmp_path.resolve())
    yield made
    made.run("stop")


def test_from_start_to_passed(shell: Shell) -> None:
    """Start, a check that fails and says why, the fix, a check that passes, stop."""
    started = shell.run("start", SLUG)
    assert started.returncode == 0, started.stderr
    workspace = shell.folder / SLUG
    failing = shell.run("check", cwd=workspace)
    assert failing.returncode == 1, failing.stderr
    assert "expected" in failing.stdout
    assert "grader check --only" in failing.stdout
    shutil.copy(shipped.exercises() / SLUG / "solution" / "catalog.py", workspace)
    passing = shell.run("check", cwd=workspace)
    assert passing.returncode == 0, passing.stdout + passing.stderr
    assert "100 of 100" in passing.stdout
    assert "Starting" not in passing.stderr  # the servers of the first check were still warm
    assert shell.containers() != []
    stopped = shell.run("stop")
    assert stopped.returncode == 0
    assert "1 session" in stopped.stdout
    assert shell.containers() == []


def test_a_seed_repeats_a_run(shell: Shell) -> None:
    """The command that a failed check names runs it on the same inputs."""
    shell.run("start", "python-basics")
    workspace = shell.folder / "python-basics"
    command = ["check", "--json", "--only", "test_reads_a_tidy_line", "--seed", "77"]
    first, second = (json.loads(shell.run(*command, cwd=workspace).stdout) for _ in range(2))
    assert first["seed"] == second["seed"] == 77
    assert first["partial"]
    got = [report["tasks"][0]["checks"][0] for report in (first, second)]
    assert got[0]["expected"] == got[1]["expected"] is not None


def test_an_archive_is_graded(shell: Shell, tmp_path: Path) -> None:
    """`grade` takes what a course has: an archive; the report goes to a file; nothing stays."""
    archive = tmp_path / "handed-in.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for file in (shipped.exercises() / "python-basics" / "solution").glob("*.py"):
            tar.add(file, file.name)
    output = tmp_path / "report.json"
    command = ["grade", str(archive), "--exercise", "python-basics", "--format", "json"]
    done = shell.run(*command, "--output", str(output))
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(output.read_text())
    assert (report["status"], report["score"]) == ("passed", 100)


def _until_nothing_is_left(shell: Shell) -> None:
    deadline = time.monotonic() + 30
    while shell.containers() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert shell.containers() == []
    assert not list((shell.folder / "state" / "sessions").glob("*"))


@pytest.mark.parametrize("begun", ["Starting", "Running the checks"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted(shell: Shell, number: signal.Signals, begun: str) -> None:
    """Ctrl-C, a kill and a closed terminal end with 130, and what was started ends, too."""
    shell.run("start", SLUG)
    process = shell.start("check", cwd=shell.folder / SLUG)
    assert process.stderr is not None
    for line in process.stderr:
        if begun in line:
            break
    process.send_signal(number)
    if number != signal.SIGINT:  # these come more than once when a terminal is closed
        time.sleep(0.1)
        process.send_signal(signal.SIGHUP)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert err.splitlines()[-1] == "interrupted"
    assert "Traceback" not in err
    _until_nothing_is_left(shell)


def test_a_closed_terminal(shell: Shell) -> None:
    """The window is closed while a check runs: there is nobody to tell, and nothing is left."""
    shell.run("start", SLUG)
    terminal, inside = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", sys.executable, "-m", "grader", "check"],
        cwd=shell.folder / SLUG,
        env=shell.env,
        stdin=inside,
        stdout=inside,
        stderr=inside,
    )
    os.close(inside)
    seen = b""
    while b"Running the checks" not in seen:
        seen += os.read(terminal, 1 << 16)
    os.close(terminal)
    assert process.wait(timeout=60) == 130
    _until_nothing_is_left(shell)


def test_killed(shell: Shell) -> None:
    """After a kill -9 the next check works, and uses no sandbox that the killed run had used."""
    shell.run("start", SLUG)
    workspace = shell.folder / SLUG
    assert shell.run("check", cwd=workspace).returncode == 1
    process = shell.start("check", cwd=workspace)
    assert process.stderr is not None
    for line in process.stderr:
        if "Running the checks" in line:
            break
    process.kill()
    process.communicate()
    shutil.copy(shipped.exercises() / SLUG / "solution" / "catalog.py", workspace)
    again = shell.run("check", cwd=workspace)
    assert again.returncode == 0, again.stdout + again.stderr
