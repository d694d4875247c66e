"""Runs the judge's parent for the fuzz tests, with a run's process that says what it is told to.

Arguments: a folder for the lease and the run.
"""

from __future__ import annotations

import base64
import json
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.judge import __main__ as judge


def say(prepared: Mapping[str, Any], sock: socket.socket, folder: Path) -> None:
    """In place of grading: the bytes of the run's message on its channel, and the end."""
    del prepared, folder
    with sock.makefile("rb") as lines:
        message = json.loads(lines.readline())
    sock.sendall(base64.b64decode(message["bytes"]))


def main() -> None:
    folder = Path(sys.argv[1])
    setattr(judge, "RUN", folder / "run")  # noqa: B010 -- as below
    setattr(judge, "LEASE", folder / "lease")  # noqa: B010
    setattr(judge, "perform", say)  # noqa: B010 -- it is no public name of that module
    judge.Parent().serve()


if __name__ == "__main__":
    main()
