"""`make bench`: what a learner waits for, beside plain pytest on the same tests and servers.

Every figure is the median of so many runs, taken in turn in one go, so that a busy machine is slow
for both sides of a ratio. Prints a table in Markdown: docs/performance.md keeps the last one.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader import settings as settings_module
from grader import shipped
from grader.catalog import find
from grader.engine import runners
from grader.engine.docker.connect import connect
from grader.engine.docker.engine import DockerEngine
from grader.engine.docker.images import Images
from grader.grade import GradeOptions, grade
from grader.model.exercise import Exercise
from grader.model.progress import CheckStarted, Progress, Stage
from grader.settings import Settings
from grader.workspace.snapshot import snapshot_folder

GRADER = [sys.executable, "-m", "grader"]
EXERCISES = ("python-basics", "redis-caching")
UNIT = "sum(range(2 * 10**7))"


@dataclass
class Row:
    """One measure. `target` in seconds, or the ratio to `against` that must not be passed."""

    what: str
    target: str
    times: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.times)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def command(*argv: str, env: dict[str, str], cwd: Path) -> None:
    done = subprocess.run(argv, env=env, cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(
            f"bench: {' '.join(argv)} ended with {done.returncode}\n{done.stdout}{done.stderr}"
        )


@contextmanager
def servers(exercise: Exercise, settings: Settings) -> Iterator[dict[str, Any]]:
    """The exercise's services on this machine's loopback, from the same images as a session's."""
    client, known = connect(settings), runners.load(shipped.runners())
    images = Images(client, settings)
    running, found = [], {}
    try:
        for name, init in exercise.services.items():
            runner = known[name]
            passwords = {role: secrets.token_urlsafe(12) for role in ("admin", "learner")}
            running.append(
                client.containers.run(
                    images.tag(name),
                    detach=True,
                    remove=True,
                    network_mode="host",
                    tmpfs={"/data": "size=256m,mode=1777"},
                    environment={
                        "GRADER_ADMIN_PASSWORD": passwords["admin"],
                        "GRADER_LEARNER_PASSWORD": passwords["learner"],
                    },
                )
            )
            found[name] = {
                "port": runner.port,
                "init": [(exercise.root / path).read_text() for path in init],
                "admin": {"user": runner.accounts["admin"], "password": passwords["admin"]},
                "learner": {"user": runner.accounts["learner"], "password": passwords["learner"]},
            }
        yield found
    finally:
        for container in running:
            container.kill()
        client.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def bare(exercise: Exercise, services: dict[str, Any], env: dict[str, str], cwd: Path) -> None:
    """One run of the hidden tests by plain pytest."""
    known, variables = runners.load(shipped.runners()), dict(exercise.env)
    near = {name: free_port() for name in services}  # anew: old connections linger on the last
    for name, options in services.items():
        variables.update(known[name].variables(port=near[name], **options["learner"]))
    job = {
        "solution": str(exercise.solution),
        "seed": secrets.randbelow(2**31),
        "env": variables,
        "services": {name: {**options, "near": near[name]} for name, options in services.items()},
    }
    program = str(Path(__file__).parent / "bare.py")
    ours = {**env, "BARE_JOB": json.dumps(job), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command(sys.executable, program, "--rootdir", str(cwd), str(exercise.tests), env=ours, cwd=cwd)


def cold(exercise: Exercise, settings: Settings) -> float:
    """Seconds from nothing (images built) until the first check runs."""
    marks: list[float] = []

    def listen(event: Progress) -> None:
        if isinstance(event, CheckStarted) or (isinstance(event, Stage) and not marks):
            marks.append(time.perf_counter())

    submission = snapshot_folder(exercise.solution, exercise.submit, exercise.limits)
    options = GradeOptions(only=(exercise.checks[0].name,))
    grade(exercise, submission, DockerEngine(settings), options, listen)
    return marks[1] - marks[0]


def side_by_side(
    exercise: Exercise, settings: Settings, runs: int, env: dict[str, str], folder: Path
) -> tuple[list[float], list[float]]:
    """Seconds of warm checks of the reference, and of plain pytest, in turn."""
    workspace = folder / exercise.slug
    command(*GRADER, "start", exercise.slug, str(workspace), env=env, cwd=folder)
    for path in exercise.solution.iterdir():
        shutil.copy(path, workspace)

    def check() -> None:
        command(*GRADER, "check", "--json", env=env, cwd=workspace)

    check()  # makes the session that the others find warm
    warm, plain = [], []
    with servers(exercise, settings) as services:
        bare(exercise, services, env, folder)
        for _ in range(runs):
            warm.append(timed(check))
            plain.append(timed(lambda: bare(exercise, services, env, folder)))
    return warm, plain


def measure(runs: int, env: dict[str, str], folder: Path) -> Iterator[Row]:
    settings = settings_module.load({}, env)
    yield Row(
        "`grader --help`",
        "0.15 s",
        [timed(lambda: command(*GRADER, "--help", env=env, cwd=folder)) for _ in range(runs)],
    )
    for slug in EXERCISES:
        warm, plain = side_by_side(find(shipped.exercises(), slug), settings, runs, env, folder)
        yield Row(f"warm `grader check` of {slug}", "1.0 s", warm)
        yield Row(f"plain pytest, {slug}", "", plain)
        ratios = [one / other for one, other in zip(warm, plain, strict=True)]
        yield Row(f"check / pytest, {slug}", "2 x", ratios)
    exercise = find(shipped.exercises(), "redis-caching")
    yield Row(
        "cold session until the first check: PostgreSQL, Redis, judge, sandbox",
        "3 s",
        [cold(exercise, settings) for _ in range(runs)],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=11)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = {**os.environ, "GRADER_STATE_DIR": str(folder / "state")}
        env["GRADER_DATA_DIR"] = str(folder / "data")
        speed = [timed(lambda: exec(UNIT)) for _ in range(5)]  # noqa: S102 -- a unit of work
        try:
            rows = list(measure(runs, env, folder))
        finally:
            command(*GRADER, "stop", env=env, cwd=folder)
    print(
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}; ",
        end="",
    )
    print(f"`{UNIT}` takes {statistics.median(speed):.2f} s here; medians of {runs} runs.\n")
    print("| what | target | median | fastest | slowest |\n|---|---|---|---|---|")
    for row in rows:
        unit = " x" if row.target.endswith("x") else " s"
        numbers = " | ".join(f"{n:.2f}{unit}" for n in (row.median, min(row.times), max(row.times)))
        print(f"| {row.what} | {row.target} | {numbers} |")


if __name__ == "__main__":
    main()
