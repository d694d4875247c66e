"""`grader mutate` in Docker: a small exercise from its first mutant to its last."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("docker_engine")]
WEAK = Path(__file__).parent.parent / "data" / "graded" / "weak"


def _mutate(state: Path, *arguments: str) -> tuple[int, Mapping[str, Any]]:
    environ = {name: value for name, value in os.environ.items() if name[:7] != "GRADER_"}
    environ["GRADER_STATE_DIR"] = str(state)
    done = subprocess.run(
        [sys.executable, "-m", "grader", "mutate", *arguments, "--json"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode in (0, 5), done.stderr
    return done.returncode, json.loads(done.stdout)


def test_every_mutant_is_judged_once(tmp_path: Path) -> None:
    """Tests that believe the learner's process about forged verdicts still see wrong answers."""
    code, found = _mutate(tmp_path, str(WEAK))
    assert (code, found["score"], found["left"], found["survivors"]) == (0, 100.0, 0, [])
    by = {one["becomes"]: one["by"] for one in found["rejected"]}
    assert by == dict.fromkeys(
        ["return 2 / number", "return 3 * number", "return None"], "test_by_exit_code"
    )
    again = _mutate(tmp_path, str(WEAK))[1]
    assert again["rejected"] == found["rejected"]
    assert not list((tmp_path / "sessions").glob("*.json"))
