"""Draw what a terminal showed: `picture.py OUT.svg < screen`, a screen with its colour codes.

tmux capture-pane -e -p | scripts/picture.py docs/check.svg
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text


def main() -> None:
    console = Console(record=True, width=80, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(sys.stdin.read().rstrip()))
    svg = console.export_svg(title="grader", unique_id="grader")
    # A viewer's own monospace font will do: the picture must not fetch one from elsewhere.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    Path(sys.argv[1]).write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n")


if __name__ == "__main__":
    main()
