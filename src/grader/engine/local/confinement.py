"""What this machine offers to hold a learner's program back: bubblewrap, or little."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

UNUSED_USERS = range(60_600, 61_100)
"""User ids that no distribution gives out (systemd's UIDS-GIDS.md), for sandboxes of root."""
NAMESPACES = (
    *("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"),
    *("--die-with-parent", "--new-session", "--cap-drop", "ALL"),
)


@dataclass(frozen=True, kw_only=True)
class Confinement:
    """How sandboxes are made here."""

    bubblewrap: str
    """Its path; "" where it is missing or not allowed to work."""
    options: tuple[str, ...]
    """Its first options: namespaces, user, capabilities."""
    why_not: str
    fix: str
    root: bool
    """Whether sandboxes and servers must be given a user of their own."""

    def sandbox_user(self) -> int:
        """A user id for one sandbox; 0 leaves it as it is."""
        return secrets.choice(UNUSED_USERS) if self.root else 0

    def server_user(self) -> int:
        """A user id for servers, which refuse to be root; it has a name, as initdb asks for."""
        return pwd.getpwnam("nobody").pw_uid if self.root else 0


def gaps(found: Confinement) -> Sequence[str]:
    """What sandboxes made so do not keep a program from, each completing "from ..."."""
    if found.bubblewrap:
        return [
            "taking every processor",
            "making files without end",
            "calling parts of the kernel that programs do not need",
        ]
    return [
        "reading your files and the hidden tests",
        "reaching the network, or this machine",
        "filling a disk, or taking every processor",
    ]


@lru_cache(maxsize=1)
def confinement() -> Confinement:
    """Tried once, which takes some 20 ms."""
    root = os.geteuid() == 0
    found = shutil.which("bwrap")
    options: tuple[str, ...] = ()
    why, fix = "bubblewrap is not installed", "sudo apt-get install bubblewrap"
    if found is not None:
        options, why = _usable(found, root)
        fix = (
            "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
            if Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").exists()
            else "allow user namespaces: sudo sysctl -w kernel.unprivileged_userns_clone=1"
        )
    works = found is not None and not why
    return Confinement(
        bubblewrap=found or "" if works else "",
        options=options,
        why_not="" if works else why,
        fix="" if works else fix,
        root=root,
    )


def _usable(bwrap: str, root: bool) -> tuple[tuple[str, ...], str]:
    """The options with which it works here, and why it does not."""
    if root:  # it keeps what it needs to give up being root: see enter.py
        names = ("CAP_SETUID", "CAP_SETGID", "CAP_CHOWN")
        keep = [word for name in names for word in ("--cap-add", name)]
        attempts: list[tuple[str, ...]] = [(*NAMESPACES, *keep)]
    else:
        user = ("--unshare-user", "--uid", "10001", "--gid", "10001")
        attempts = [(*user, "--disable-userns", *NAMESPACES), (*user, *NAMESPACES)]
    said = ""
    for options in attempts:
        trial = [bwrap, *options, "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
        try:
            done = subprocess.run(
                [*trial, "--", "/bin/true"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=20,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return (), f"bubblewrap does not work: {error}"
        if done.returncode == 0:
            return options, ""
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0][:200]
    return (), f"bubblewrap does not work here: {said}"
