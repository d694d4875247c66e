"""`grader attack` in Docker: the whole corpus once, and an exercise that deserves what it gets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from grader.authoring import corpus
from grader.authoring.attack import attack
from grader.authoring.cache import Proofs
from grader.catalog import load_exercise
from grader.engine.docker.engine import DockerEngine
from grader.settings import Settings

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("docker_engine")]
WEAK = Path(__file__).parent.parent / "data" / "graded" / "weak"


def _attack(tmp_path: Path, *arguments: str) -> tuple[int, Mapping[str, Any]]:
    environ = {name: value for name, value in os.environ.items() if name[:7] != "GRADER_"}
    environ["GRADER_STATE_DIR"] = str(tmp_path / "state")
    done = subprocess.run(
        [sys.executable, "-m", "grader", "attack", *arguments, "--json"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode in (0, 5), done.stderr
    (found,) = json.loads(done.stdout)["exercises"]
    return done.returncode, found


def _left_of(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "state" / "sessions").glob("*.json"))


@pytest.mark.parametrize(
    ("exercise", "services"),
    [("redis-caching", ["python+postgres", "python+redis"]), ("relational-sql", [])],
)
def test_no_attack_gets_through(tmp_path: Path, exercise: str, services: list[str]) -> None:
    """Every attack of the corpus, once per language and service."""
    code, found = _attack(tmp_path, exercise)
    assert {one["name"]: one["got"] for one in found["attacks"] if one["got"]} == {}
    assert found["outside"] == []
    assert code == 0
    folders = {one["name"].partition("/")[0] for one in found["attacks"]}
    assert folders >= {"archives", *services}
    assert _left_of(tmp_path) == []


def test_a_weak_exercise_is_found_out(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that trust the submission's own process give points away, and are named."""
    exercise = load_exercise(WEAK)
    wanted = ("exit-at-import", "forged-line-on-stdout", "lying-eq", "environment", "daemon")
    chosen = [one for one in corpus.attacks(exercise) if one.path.stem in wanted]
    monkeypatch.setattr(corpus, "attacks", lambda _: chosen)
    cache = Proofs(settings.state_dir / "proofs")
    found = attack(exercise, lambda: DockerEngine(settings), cache, jobs=2, listener=lambda _: None)
    got = {one.attack.path.stem: one.got for one in found.tried}
    assert got == {
        "exit-at-import": ("it earned 1 points at test_by_exit_code",),
        "forged-line-on-stdout": ("it earned 1 points at test_by_what_it_prints",),
        **dict.fromkeys(wanted[2:], ()),
    }
    assert not found.held
