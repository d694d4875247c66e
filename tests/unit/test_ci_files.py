"""The ready-made files for CI: right by their makers' schemas, and no input can be a command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
ACTION = ROOT / "action.yml"
WORKFLOW = ROOT / ".github" / "workflows" / "grade.yml"
GITLAB = ROOT / "ci" / "gitlab.yml"


@pytest.mark.parametrize(
    ("schema", "file", "key"),
    [
        ("vendor.github-actions", ACTION, "using"),
        ("vendor.github-workflows", WORKFLOW, "runs-on"),
        ("vendor.gitlab-ci", GITLAB, "script"),
    ],
)
def test_as_its_maker_says(tmp_path: Path, schema: str, file: Path, key: str) -> None:
    """check-jsonschema brings the schemas along; a copy with a wrong key is found."""
    wrong = tmp_path / file.name
    wrong.write_text(file.read_text().replace(f"{key}:", f"not-{key}:"))
    lint = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    done = subprocess.run([*lint, str(file)], capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout
    found = subprocess.run([*lint, str(wrong)], capture_output=True, encoding="utf-8")
    assert found.returncode == 1, found.stdout


def _script() -> str:
    return str(yaml.safe_load(ACTION.read_text())["runs"]["steps"][-1]["run"])


def test_no_input_is_a_command() -> None:
    """Expressions stand in `env` and `with` only: in a script they would be run."""

    def scripts(value: Any) -> list[str]:
        if isinstance(value, dict):
            found = [one for key, part in value.items() if key != "run" for one in scripts(part)]
            return found + ([str(value["run"])] if "run" in value else [])
        return [one for part in value for one in scripts(part)] if isinstance(value, list) else []

    for file in (ACTION, WORKFLOW):
        found = scripts(yaml.safe_load(file.read_text()))
        assert not [one for one in found if "${{" in one], file


@pytest.mark.parametrize(
    ("code", "score", "said"), [(0, 100.0, "100"), (1, 62.5, "62.5"), (3, None, "")]
)
def test_the_step_that_grades(tmp_path: Path, code: int, score: float | None, said: str) -> None:
    """Its outputs and its exit code are those of the command, which gets inputs as they are."""
    folder = tmp_path / "grader" / "bin"
    folder.mkdir(parents=True)
    (folder / "python").symlink_to(sys.executable)
    report = json.dumps({"score": score})
    (folder / "grader").write_text(
        f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {tmp_path}/arguments\n"
        f"printf '%s' '{report}' > report.json\nexit {code}\n"
    )
    (folder / "grader").chmod(0o755)
    evil = "$(touch owned); `touch owned`"
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", _script()],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "RUNNER_TEMP": str(tmp_path),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "EXERCISE": "sample",
            "WORK": evil,
            "LEARNER": "ann",
            "REPORT": "report.json",
            "JUNIT": "",
        },
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == code, done.stderr
    assert (tmp_path / "output").read_text() == f"report=report.json\nscore={said}\n"
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert arguments == [
        "grade", evil, "--exercise", "sample", "--format", "github", "--report",
        "json=report.json", "--learner", "ann",
    ]  # fmt: skip
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("file", [ACTION, GITLAB])
def test_the_options_exist(file: Path) -> None:
    """What the files pass to `grader grade` is what it takes."""
    helped = subprocess.run(
        [sys.executable, "-m", "grader", "grade", "--help"],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "COLUMNS": "200"},
    ).stdout
    text = _script() if file == ACTION else file.read_text()
    used = set(re.findall(r"(?<![-\w])--[a-z]+", text)) - {"--quiet"}
    assert used
    assert [one for one in sorted(used) if one not in helped] == []
