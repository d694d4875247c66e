"""What `grader doctor` looks at in Docker: can sessions be made here, and if not, why not."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
from collections.abc import Callable, Iterator, Sequence

import docker
import docker.errors

from grader.engine.docker import findings
from grader.engine.docker.connect import connect
from grader.engine.docker.containers import LABEL
from grader.engine.docker.endpoint import Endpoint, chosen
from grader.engine.docker.errors import translated
from grader.engine.docker.images import ImageInfo, Images
from grader.engine.docker.limits import probe
from grader.engine.docker.sweep import sweep
from grader.engine.docker.tags import BASE
from grader.engine.docker.warm import WarmSessions
from grader.errors import GraderError
from grader.model.finding import Finding, State
from grader.model.progress import Listener, Stage
from grader.settings import Settings


def examine(settings: Settings, listener: Listener) -> list[Finding]:
    """Look at everything, in the order in which one thing needs the other. Raises nothing.

    When no engine answers, that is the only finding.
    """
    listener(Stage("Looking at Docker"))
    try:
        where, client = chosen(settings), connect(settings)
    except GraderError as error:
        return [_broken("docker", error, "not usable")]
    with contextlib.closing(client):
        return list(_examine(client, where, settings, listener))


def _examine(
    client: docker.DockerClient, where: Endpoint, settings: Settings, listener: Listener
) -> Iterator[Finding]:
    try:
        with translated("asking the engine about itself"):
            info, version = client.info(), client.version()
    except GraderError as error:
        yield _broken("docker", error, "not usable")
        return
    yield findings.engine(where, version, info)
    if settings.runtime:
        yield findings.runtime(settings.runtime, info)
    yield findings.memory(info)
    try:
        listed = Images(client, settings).list()
    except GraderError as error:
        yield _broken("images", error, "cannot be looked at")
        return
    yield _look("disk", lambda: findings.disk(*_free(client, settings, where, info, listed)))
    yield findings.images(listed)
    if not all(image.present for image in listed):
        yield _look("builds", lambda: findings.builds(settings, _has_base(client, settings)))
    else:
        listener(Stage("Trying the limits of a sandbox"))
        yield _look("limits", lambda: findings.limits(probe(client, settings), info))
    listener(Stage("Looking for what dead sessions left"))
    yield _look("sessions", lambda: _sessions(client, settings))


def _sessions(client: docker.DockerClient, settings: Settings) -> Finding:
    swept = sweep(client, settings)
    return findings.sessions(len(WarmSessions(settings.state_dir).known()), swept)


def _has_base(client: docker.DockerClient, settings: Settings) -> bool:
    with translated("looking for the base image"):
        try:
            client.images.get(settings.base_image)
        except docker.errors.ImageNotFound:
            return False
    return True


def _free(
    client: docker.DockerClient,
    settings: Settings,
    where: Endpoint,
    info: findings.Info,
    listed: Sequence[ImageInfo],
) -> tuple[int | None, str]:
    """Free bytes where the engine keeps its data, and which folder of its machine that is."""
    folder = str(info.get("DockerRootDir") or "")
    if where.url.startswith("unix://") and info.get("Name") == socket.gethostname():
        with contextlib.suppress(OSError):
            return shutil.disk_usage(folder).free, folder
    base = next((image.tag for image in listed if image.name == BASE and image.present), None)
    if base is None:
        return None, folder
    return free_inside(client, base, f"{WarmSessions(settings.state_dir).home}-doctor"), folder


def free_inside(client: docker.DockerClient, image: str, session: str) -> int:
    """Free bytes of the disk that containers are on: it may be on another machine, or in a VM."""
    with translated("looking at the disk"):
        printed = client.containers.run(
            image,
            ["-Pk", "/"],  # POSIX: one line a file system, sizes in KiB, the fourth is free
            entrypoint=["df"],
            network_mode="none",
            labels={LABEL: session, "grader.pid": str(os.getpid())},
            remove=True,
        )
    return int(printed.decode().splitlines()[-1].split()[3]) * 1024


def _look(name: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except GraderError as error:
        return _broken(name, error, "cannot be looked at")


def _broken(name: str, error: GraderError, found: str) -> Finding:
    return Finding(name=name, state=State.FAILS, found=found, cause=error.message, fix=error.fix)
