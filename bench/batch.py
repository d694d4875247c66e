"""`make bench-batch`: submissions a minute, beside `grader grade` one by one and plain pytest.

The same submissions each way, in one run: right ones and starters by turns, no two alike. Plain
pytest runs the hidden tests against the same servers without any wall, one after the other. At last
the coordinator's memory with an engine in memory, for a hundred and for ten thousand submissions.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.run import GRADER, UNIT, bare, command, servers, timed
from grader import settings as settings_module
from grader import shipped
from grader.catalog import find
from grader.model.exercise import Exercise
from grader.settings import Settings

TARGETS = {"python-basics": 150, "redis-caching": 60}
FEW, MANY = 100, 10_000


def hand_in(exercise: Exercise, count: int, folder: Path) -> list[Path]:
    """So many folders; a comment makes the digest of each its own."""
    made = []
    for number in range(count):
        work = folder / f"learner{number:05d}"
        shutil.copytree(exercise.solution if number % 2 == 0 else exercise.starter, work)
        for path in work.rglob("*.py"):
            path.write_text(path.read_text() + f"# {number}\n")
        made.append(work)
    return made


def rates(
    exercise: Exercise, settings: Settings, count: int, env: dict[str, str], folder: Path
) -> list[tuple[str, float]]:
    """Submissions a minute, each way."""
    handed = hand_in(exercise, count, folder / exercise.slug)
    some = handed[: max(4, count // 8)]
    batch = [*GRADER, "batch", str(folder / exercise.slug), "--exercise", exercise.slug]
    results = ["--results", str(folder / f"{exercise.slug}.db")]
    found = [
        (
            "`grader batch`",
            60 * count / timed(lambda: command(*batch, *results, env=env, cwd=folder)),
        )
    ]

    def one_by_one() -> None:
        for work in some:
            line = [*GRADER, "grade", str(work), "--exercise", exercise.slug]
            done = subprocess.run(line, env=env, cwd=folder, capture_output=True, check=False)
            if done.returncode not in (0, 1):
                sys.exit(f"bench: {done.stderr.decode()}")

    found.append(("`grader grade`, one by one", 60 * len(some) / timed(one_by_one)))
    with servers(exercise, settings) as services:
        bare(exercise, services, env, folder)

        def plainly() -> None:
            for _ in some:
                bare(exercise, services, env, folder)

        plain = timed(plainly)
    found.append(("plain pytest on right ones, one by one, no wall", 60 * len(some) / plain))
    return found


MEMORY = """
import sys
from pathlib import Path
from dataclasses import replace
from grader.batch.handed import Handed
from grader.batch.run import Batch, BatchOptions
from grader.batch.store import Store
from tests.unit.samples import exercise
from tests.unit.test_batch_run import CHECKS, Forgetful
root, count = Path(sys.argv[1]), int(sys.argv[2])
made = exercise(root, *CHECKS)
store = Store(str(root / "results.db"))
handed = [Handed(learner=f"learner{n}", path=made.solution) for n in range(count)]
Batch(made, lambda: Forgetful(checks=CHECKS), store, BatchOptions()).run(handed, lambda _: None)
import resource
used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(sum(1 for _ in store.results(reports=False)), used)
"""


def memory(count: int, folder: Path) -> float:
    """MiB of the coordinator at its peak, in a process of its own."""
    folder.mkdir()
    line = [sys.executable, "-c", MEMORY, str(folder), str(count)]
    said = subprocess.run(line, check=True, capture_output=True, text=True).stdout.split()
    if int(said[0]) != count:
        sys.exit(f"bench: {said[0]} results of {count}")
    return int(said[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=60)
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = {**os.environ, "GRADER_STATE_DIR": str(folder / "state")}
        settings = settings_module.load({}, env)
        speed = timed(lambda: exec(UNIT))  # noqa: S102 -- a unit of work
        print(f"{os.cpu_count()} cores, {platform.machine()}; `{UNIT}` took {speed:.2f} s\n")
        print("| exercise | how | submissions a minute | target |\n|---|---|---|---|")
        for slug, target in TARGETS.items():
            exercise = find(shipped.exercises(), slug)
            for how, rate in rates(exercise, settings, count, env, folder):
                wanted = target if how == "`grader batch`" else ""
                print(f"| {slug} | {how} | {rate:.0f} | {wanted} |", flush=True)
        few, many = memory(FEW, folder / "few"), memory(MANY, folder / "many")
        print(f"\ncoordinator's memory: {few:.0f} MiB for {FEW}, {many:.0f} MiB for {MANY:,}")
        print(f"ratio {many / few:.2f}, target 1.2")


if __name__ == "__main__":
    main()
