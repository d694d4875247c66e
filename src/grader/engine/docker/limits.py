"""Which limits of a sandbox an engine really enforces: probed once per engine, then remembered.

An engine may take every flag and enforce only some of them, as rootless ones without delegated
control groups do. Nothing but trying tells.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import msgspec

from grader.engine.docker import probe as container
from grader.engine.docker.errors import translated
from grader.engine.docker.images import Images
from grader.settings import Settings

NO_CAPABILITY = "0" * 16


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One limit, whether the engine enforces it, and what it keeps a program from."""

    name: str
    enforced: bool
    what: str


Found = Mapping[str, Any]
_LIMITS: Mapping[str, tuple[str, Callable[[Found], bool]]] = {
    "memory": ("taking this machine's memory", lambda found: found["memory"] == "killed"),
    "processes": ("starting processes without end", lambda found: found["processes"] == "EAGAIN"),
    "processor": ("taking every processor", lambda found: found["processor"] == "throttled"),
    "disk": ("filling a disk", lambda found: found["disk"] == "ENOSPC"),
    "files": (
        "making files without end, or one too large",
        lambda found: (found["inodes"], found["file_size"]) == ("ENOSPC", "EFBIG"),
    ),
    "open files": ("holding files open without end", lambda found: found["open_files"] == "EMFILE"),
    "read-only root": ("changing the image's files", lambda found: found["read_only"] is True),
    "network": (
        "reaching the network, or this machine",
        lambda found: found["devices"] == ["lo"] and found["network"] == "ENETUNREACH",
    ),
    "user": ("being root", lambda found: found["user"] == container.USER),
    "capabilities": (
        "doing what only root may",
        lambda found: found["capabilities"] == [NO_CAPABILITY] * 3,
    ),
    "no new privileges": ("becoming root", lambda found: found["no_new_privileges"] == "1"),
    "system calls": (
        "calling parts of the kernel that programs do not need",
        lambda found: found["seccomp"] == "2" and found["namespace"] == "EPERM",
    ),
}
"""Name -> what it keeps a program from, and the answer of the probe that proves it."""


def probe(client: docker.DockerClient, settings: Settings) -> Sequence[Limit]:
    """Every limit of a sandbox on this engine, in a fixed order.

    The first time on an engine it takes a container (about two seconds), and the judge's image,
    which is built when it is not there. The answer is kept in the folder of state until the engine,
    its kernel, the runtime for sandboxes or this probe change. Raises InfrastructureError.
    """
    with translated("asking the engine who it is"):
        info = client.info()
    file = settings.state_dir / "limits" / f"{_key(info, settings)}.json"
    found = _remembered(file)
    if found is None:
        images = Images(client, settings)
        images.ensure(["judge"], lambda _: None)
        found = container.run(client, settings, images.tag("judge"))
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if found.get("processor") != "busy":  # then nothing is known yet: asked again next time
            new = file.with_suffix(".new")
            new.write_bytes(msgspec.json.encode(found))
            new.replace(file)
    return judged(found)


def judged(found: Found) -> Sequence[Limit]:
    """The limits that an answer of the probe proves; what it does not mention is not enforced."""
    return [Limit(name=n, enforced=_holds(test, found), what=w) for n, (w, test) in _LIMITS.items()]


def _holds(test: Callable[[Found], bool], found: Found) -> bool:
    try:
        return bool(test(found))
    except (LookupError, TypeError):
        return False


def _key(info: Mapping[str, Any], settings: Settings) -> str:
    names = ("ID", "ServerVersion", "KernelVersion", "CgroupVersion", "CgroupDriver")
    parts = [*(str(info.get(name)) for name in names), str(info.get("SecurityOptions"))]
    parts += [settings.runtime or str(info.get("DefaultRuntime")), container.SCRIPT]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def _remembered(file: Path) -> Found | None:
    try:
        found = msgspec.json.decode(file.read_bytes())
    except (OSError, ValueError):  # msgspec's errors are ValueErrors
        return None
    return found if isinstance(found, dict) else None
