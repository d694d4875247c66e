"""What the things that doctor saw in Docker mean: works, warns or fails; why; what mends it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from grader.engine.docker.endpoint import Endpoint
from grader.engine.docker.images import ImageInfo
from grader.model.finding import Finding, State
from grader.settings import Settings

ENOUGH_MEMORY = 2 * 1000**3
"""Bytes: what the servers, the judge and two sandboxes of one session may take together."""
ENOUGH_DISK = 2 * 1000**3
"""Bytes: what building every image takes."""
LEAST_DISK = 100 * 1000**2
"""Bytes: with less, a container cannot even be made."""
ROOTLESS_LIMITS = "https://docs.docker.com/engine/security/rootless/"
LOGIN = re.compile(r"((?:\w+:)?//)?\S*@")
"""Up to the last @: a password may hold one that should have been written as %40."""

Info = Mapping[str, Any]
"""What the engine says of itself."""


class Limit(Protocol):
    """One limit of a sandbox, tried out. `what` says what it keeps a program from."""

    @property
    def name(self) -> str: ...
    @property
    def enforced(self) -> bool: ...
    @property
    def what(self) -> str: ...


def engine(where: Endpoint, version: Info, info: Info) -> Finding:
    """Which engine answers, and where it is."""
    names = [str(part.get("Name", "")) for part in version.get("Components") or ()]
    product = "Podman" if any("Podman" in name for name in names) else "Docker"
    number = f"Podman {version.get('Version')}" if product == "Podman" else version.get("Version")
    found = f"{number} at {where.url} ({where.source})"
    facts = {
        "product": product,
        "version": version.get("Version"),
        "url": where.url,
        "source": where.source,
        "os": info.get("OSType"),
        "architecture": info.get("Architecture"),
    }
    if info.get("OSType", "linux") != "linux":
        return Finding(
            name="docker",
            state=State.FAILS,
            found=found,
            cause=f"it runs {info['OSType']} containers; grader's are Linux containers",
            fix="in the menu of Docker Desktop: Switch to Linux containers",
            facts=facts,
        )
    return Finding(name="docker", found=found, facts=facts)


def runtime(name: str, info: Info) -> Finding:
    """Whether the engine knows the runtime that the settings name for sandboxes."""
    known = sorted(info.get("Runtimes") or ())
    facts = {"runtime": name, "known": known}
    if name in known:
        return Finding(name="runtime", found=name, facts=facts)
    return Finding(
        name="runtime",
        state=State.FAILS,
        found=f"{name} is not there",
        cause=f"the engine knows these runtimes: {', '.join(known)}",
        fix="add it to the engine's daemon.json, or: unset GRADER_RUNTIME",
        facts=facts,
    )


def memory(info: Info) -> Finding:
    """What the engine's machine has, all containers together."""
    total = int(info.get("MemTotal") or 0)
    processors = int(info.get("NCPU") or 0)
    found = f"{_gb(total)}, {processors} processor{'s' * (processors != 1)}"
    facts = {"total_bytes": total, "processors": processors}
    if total >= ENOUGH_MEMORY:
        return Finding(name="memory", found=found, facts=facts)
    desktop = info.get("OperatingSystem") == "Docker Desktop"
    return Finding(
        name="memory",
        state=State.WARNS,
        found=found,
        cause=f"a check with servers may need {_gb(ENOUGH_MEMORY)}",
        fix="in Docker Desktop: Settings, Resources, Memory"
        if desktop
        else "end other programs, and keep fewer sessions: export GRADER_WARM_SESSIONS=1",
        facts=facts,
    )


def disk(free: int | None, folder: str) -> Finding:
    """Room where Docker keeps images and containers. `free` in bytes, None when not known."""
    facts = {"free_bytes": free, "folder": folder}
    if free is None:
        found = f"not known: {folder} is not on this machine, and no image is here to look with"
        return Finding(name="disk", found=found, facts=facts)
    found = f"{_gb(free)} free in {folder}"
    if free >= ENOUGH_DISK:
        return Finding(name="disk", found=found, facts=facts)
    return Finding(
        name="disk",
        state=State.FAILS if free < LEAST_DISK else State.WARNS,
        found=found,
        cause=f"building the images takes {_gb(ENOUGH_DISK)}",
        fix="remove what no container uses: docker system prune",
        facts=facts,
    )


def images(listed: Sequence[ImageInfo]) -> Finding:
    """How many images are here, of those that exercises need."""
    missing = [image.name for image in listed if not image.present]
    facts = {"present": len(listed) - len(missing), "total": len(listed), "missing": missing}
    if not missing:
        return Finding(name="images", found=f"all {len(listed)} are here", facts=facts)
    return Finding(
        name="images",
        state=State.WARNS,
        found=f"{len(listed) - len(missing)} of {len(listed)} are here",
        cause=f"not here, so the first check builds them: {', '.join(missing)}",
        fix="grader images build, or from another machine: grader images load FILE",
        facts=facts,
    )


def builds(settings: Settings, base_is_here: bool) -> Finding:
    """From where images would be made. Information only; passwords in addresses are left out."""
    mirrors = {name: without_login(url) for name, url in settings.build_environment.items()}
    base = f"{settings.base_image} ({'here' if base_is_here else 'will be pulled'})"
    registry = settings.registry or "none"
    said = [f"from {base}", f"registry: {registry}"]
    said += [f"{name}={value}" for name, value in mirrors.items()]
    facts = {
        "base_image": settings.base_image,
        "base_image_present": base_is_here,
        "registry": settings.registry,
        "environment": mirrors,
        "ca_bundle": str(settings.ca_bundle or ""),
    }
    return Finding(name="builds", found="; ".join(said), facts=facts)


def limits(tried: Sequence[Limit], info: Info) -> Finding:
    """Whether the engine holds a sandbox to its limits."""
    weak = [limit for limit in tried if not limit.enforced]
    facts = {
        "enforced": [limit.name for limit in tried if limit.enforced],
        "not_enforced": [limit.name for limit in weak],
    }
    if not weak:
        names = ", ".join(limit.name for limit in tried)
        return Finding(name="limits", found=f"enforced: {names}", facts=facts)
    rootless = any("rootless" in option for option in info.get("SecurityOptions") or ())
    return Finding(
        name="limits",
        state=State.WARNS,
        found=f"not enforced: {', '.join(limit.name for limit in weak)}",
        cause="grading for others refuses to run; nothing keeps a program from: "
        + ", ".join(limit.what for limit in weak),
        fix=f"let systemd hand cgroups to this user: {ROOTLESS_LIMITS}"
        if rootless
        else "see the warnings of: docker info",
        facts=facts,
    )


def sessions(waiting: int, swept: int) -> Finding:
    """How many sessions wait for their learner, and how many dead ones just went."""
    found = f"{waiting} warm" if waiting else "none is warm"
    if swept:
        found += f"; dead ones removed: {swept}"
    return Finding(name="sessions", found=found, facts={"warm": waiting, "swept": swept})


def without_login(url: str) -> str:
    """`url` without the user and password that it may hold."""
    return LOGIN.sub(r"\1***@", url)


def _gb(value: int) -> str:
    return f"{value / 1e9:.1f} GB"
