"""`make verdicts`: the same submission and seed always get the same verdict, busy machine or not.

Grades the reference, which must pass, and the starter, which must not, again and again, the last
third with every core loaded by something else. Prints each verdict that differs, and counts.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader import settings as settings_module
from grader import shipped
from grader.catalog import load_catalog
from grader.engine.docker.engine import DockerEngine
from grader.grade import GradeOptions, grade
from grader.model.exercise import Exercise
from grader.model.report import Report
from grader.workspace.snapshot import snapshot_folder

SEED = 20_261_122
Verdict = tuple[tuple[str, str, float], ...]


def verdict(report: Report) -> Verdict:
    """What must be equal: each check's outcome and points."""
    return tuple((one.id, one.outcome.value, one.earned) for one in report.checks())


@contextmanager
def every_core_loaded() -> Iterator[None]:
    busy = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(os.cpu_count() or 1)
    ]
    try:
        yield
    finally:
        for one in busy:
            one.kill()
            one.wait()


def differing(engine: DockerEngine, exercise: Exercise, folder: Path, runs: int) -> int:
    """Grade the files in `folder` so often; how many verdicts were not like the first one."""
    submission = snapshot_folder(folder, exercise.submit, exercise.limits)
    options = GradeOptions(seed=SEED, owner=f"verdicts {folder}")

    def once() -> Verdict:
        return verdict(grade(exercise, submission, engine, options, lambda _: None))

    first = once()
    wrong = 0
    for number in range(1, runs):
        if number == runs * 2 // 3:
            with every_core_loaded():
                return wrong + sum(_told(number, first, once()) for number in range(number, runs))
        wrong += _told(number, first, once())
    return wrong


def _told(number: int, first: Verdict, now: Verdict) -> bool:
    if now != first:
        print(f"  run {number + 1}: {sorted(set(now) ^ set(first))}", flush=True)
    return now != first


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("exercises", nargs="*", help="slugs; all when none is named")
    arguments = parser.parse_args()
    engine = DockerEngine(settings_module.load({}))
    wrong = 0
    for exercise in load_catalog(shipped.exercises()).exercises.values():
        if arguments.exercises and exercise.slug not in arguments.exercises:
            continue
        for name, folder in (("reference", exercise.solution), ("starter", exercise.starter)):
            began = time.monotonic()
            found = differing(engine, exercise, folder, arguments.runs)
            same = arguments.runs - found
            spent = time.monotonic() - began
            print(f"{exercise.slug}, {name}: {same} of {arguments.runs} the same, {spent:.0f} s")
            wrong += found
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
