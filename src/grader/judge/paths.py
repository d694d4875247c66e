"""Where the judge finds its session. In a container it is all at the root; GRADER_ROOT moves it."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(os.environ.get("GRADER_ROOT", "/"))
SESSION = ROOT / "session"
"""The lease, and the gateway's sockets; sandboxes see it read-only."""
SLOTS = ROOT / "slots"
"""One folder for each place that a sandbox can have, with its agent's sockets."""
LEASE = SESSION / "lease"
RUN = ROOT / "tmp" / "run"
"""The files of the current run."""
TESTS = RUN / "tests"
