"""Pages that are made from the source are those of the source."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
