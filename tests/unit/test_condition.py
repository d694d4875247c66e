"""What doctor says of the workspace: where it lies, and scripts that cannot start."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.model.finding import State
from grader.workspace.condition import examine

WSL = "5.15.167.4-microsoft-standard-WSL2"


def test_an_ordinary_folder_works(tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_bytes(b"#!/bin/sh\necho 1\r\n")
    (tmp_path / "notes.txt").write_bytes(b"from Windows\r\n")
    finding = examine(tmp_path, "6.1.0-18-amd64")
    assert (finding.state, finding.cause) == (State.WORKS, "")
    assert examine(tmp_path, WSL).state is State.WORKS


def test_a_script_with_windows_line_endings_is_named_and_mended(tmp_path: Path) -> None:
    """Also one in a folder, and not one in what is never graded."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "a b.sh").write_bytes(b"#!/bin/sh\r\necho 1\r\n")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "x").write_bytes(b"#!/bin/sh\r\n")
    (tmp_path / "dangling").symlink_to("nothing")
    finding = examine(tmp_path, "6.1.0")
    assert finding.state is State.WARNS
    assert finding.facts["windows_line_endings"] == ["bin/a b.sh"]
    assert finding.fix == "sed -i 's/\\r$//' 'bin/a b.sh'"


@pytest.mark.parametrize(("kernel", "warns"), [(WSL, True), ("6.1.0", False)])
def test_a_drive_of_windows_is_slow_in_wsl_only(kernel: str, warns: bool) -> None:
    finding = examine(Path("/mnt/c/Users/ann/work"), kernel, quiet_about_saves=False)
    assert (finding.state is State.WARNS) is warns
    assert ("cp -R /mnt/c/Users/ann/work ~/" in finding.fix) is warns


def test_a_file_system_that_tells_of_no_saves_is_no_problem(tmp_path: Path) -> None:
    finding = examine(tmp_path, "6.1.0", quiet_about_saves=True)
    assert finding.state is State.WORKS
    assert "--watch looks for them" in finding.found
