"""Memory and processes of one tree, from /proc: what a container's control group would count.

Nothing but looking tells where no control group can be made, so it is done every few milliseconds.
Standard library only: the supervisor runs it.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")


def tree(root: int) -> list[int]:
    """A process and all below it, the nearest first. Those that end meanwhile may be missing."""
    found = [root]
    for pid in found:  # it grows meanwhile
        found += children(pid)
    return found


def children(pid: int) -> list[int]:
    """The processes that one has started, or taken over, and that have not been reaped."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    return found


def resident(pid: int) -> int:
    """Bytes in memory, what it shares with others counted whole; 0 for a process that is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return 0


def share(pid: int) -> int:
    """Bytes in memory, each page divided among those that share it; 0 where nobody may look."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def over_limit(pids: list[int], limit: int) -> int:
    """The process to end because all together hold more than `limit` bytes; 0 when they do not.

    As the kernel chooses: those that said that they are the first to go, and of these the largest.
    """
    if sum(map(resident, pids)) <= limit:
        return 0
    shares = {pid: share(pid) for pid in pids}
    if sum(shares.values()) <= limit:
        return 0
    return max(pids[1:] or pids, key=lambda pid: (_first_to_go(pid), shares[pid]))


def _first_to_go(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/oom_score_adj").read_text())
    except (OSError, ValueError):
        return 0


def end(root: int) -> None:
    """Kill a process and all below it; stopped first, so that none can start another."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in tree(root):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
