"""Pages that are made from the source are those of the source."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from grader.cli.overview import COMMANDS

ROOT = Path(__file__).parent.parent.parent


def test_the_fixtures_are_those_of_the_judge() -> None:
    """docs/fixtures.md says what the docstrings say. When it does not: make docs."""
    made = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "fixtures.py")],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert (ROOT / "docs" / "fixtures.md").read_text(encoding="utf-8") == made.stdout


def test_the_learners_page_names_commands_and_pictures_that_there_are() -> None:
    """Each `grader COMMAND` in it is one, each picture is there, and `make pictures` draws it."""
    page = (ROOT / "docs" / "learner.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`grader ([a-z-]+)", page))
    assert named <= {name for group in COMMANDS.values() for name in group}
    pictures = re.findall(r"]\((learner-\w+)\.svg\)", page)
    assert len(pictures) >= 4
    script = (ROOT / "scripts" / "pictures").read_text(encoding="utf-8")
    for name in pictures:
        assert (ROOT / "docs" / f"{name}.svg").read_text(encoding="utf-8").startswith("<svg")
        assert f"picture {name}\n" in script
