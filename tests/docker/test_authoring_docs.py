"""docs/authoring.md, typed as its reader types it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("docker_engine")]
PAGE = Path(__file__).parent.parent.parent / "docs" / "authoring.md"
STEP = re.compile(
    r"(?:<!-- append (?P<file>\S+) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL
)
ENDS = re.compile(r"\s+# ends with (\d+)$")


def test_every_command_of_the_page_works(tmp_path: Path) -> None:
    """In order, in one folder; each ends as the page says."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GRADER_")}
    env |= {"GRADER_STATE_DIR": str(tmp_path / "state"), "COLUMNS": "80"}
    grader = tmp_path / "bin" / "grader"
    grader.parent.mkdir()
    grader.write_text(f'#!/bin/sh\nexec {sys.executable} -m grader "$@"\n')
    grader.chmod(0o755)
    env["PATH"] = f"{grader.parent}:{env['PATH']}"
    folder = tmp_path / "work"
    folder.mkdir()
    ran = []
    try:
        for step in STEP.finditer(PAGE.read_text(encoding="utf-8")):
            if step["file"]:
                with (folder / step["file"]).open("a", encoding="utf-8") as target:
                    target.write(step["text"])
            if step["kind"] != "sh":
                continue
            for line in step["text"].splitlines():
                ends = ENDS.search(line)
                done = subprocess.run(
                    ["sh", "-c", line], cwd=folder, env=env, capture_output=True, text=True
                )
                expected = int(ends[1]) if ends else 0
                assert done.returncode == expected, f"{line}\n{done.stdout}\n{done.stderr}"
                ran.append((line, done.stdout))
    finally:
        subprocess.run([grader, "stop"], env=env, capture_output=True, check=False)
    assert len(ran) == 9
    assert "no mutant fails test_long_text" in ran[2][1]
    assert ran[3][1].rstrip().endswith("Proven.")
    assert 'assert got == longest, "This is not' in ran[4][1]
    assert "where it ended" in ran[4][1]
    assert '"$schema"' in (folder / "exercise.schema.json").read_text(encoding="utf-8")
