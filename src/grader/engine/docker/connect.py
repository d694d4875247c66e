"""Connect to the engine that the `docker` command of this user talks to."""

from __future__ import annotations

import platform
import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import docker
from docker.tls import TLSConfig

from grader.engine.docker.endpoint import Endpoint, chosen
from grader.engine.docker.errors import FOREIGN, reason
from grader.errors import EngineUnavailable
from grader.settings import Settings

ANSWER_WITHIN = 10
"""Seconds that the first answer may take."""
CALL_TIMEOUT = 60
GOES_WITHIN = 2
"""Seconds in which an engine that has begun to end its containers is gone."""
BACK_WITHIN = 20
"""Seconds that an engine may take to start again in the middle of a run."""

INSTALL_PAGE = "https://docs.docker.com/engine/install/"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What the advice depends on when no engine answers."""

    system: str
    systemd: bool = False
    debian: bool = False
    installed: bool = True


def connect(settings: Settings) -> docker.DockerClient:
    """A client of the user's engine, which has answered once. Raises EngineUnavailable."""
    where = chosen(settings)
    try:
        _try_socket(where.url)
        # Without a version given, making the client asks the engine for its own.
        client = docker.DockerClient(
            base_url=where.url, tls=_tls(where) or False, timeout=ANSWER_WITHIN
        )
    except (*FOREIGN, OSError, ValueError) as error:
        _refuse(where, error)
    client.api.timeout = CALL_TIMEOUT
    return client


def _refuse(where: Endpoint, error: Exception) -> NoReturn:
    message, fix = explain(where, error, _this_machine())
    raise EngineUnavailable(message, fix=fix) from error


def was_away(client: docker.DockerClient, settings: Settings) -> bool:
    """Whether an engine that answered before has gone, and is back: it was started anew.

    One that is about to end answers for a while. Raises EngineUnavailable when it stays away.
    """
    where, away, began = chosen(settings), False, time.monotonic()
    while True:
        try:
            _try_socket(where.url)
            client.ping()
            if away or time.monotonic() > began + GOES_WITHIN:
                return away
        except (*FOREIGN, OSError) as error:
            away = True
            if time.monotonic() > began + BACK_WITHIN:
                _refuse(where, error)
        time.sleep(0.1)


def _tls(where: Endpoint) -> TLSConfig | None:
    if where.certificates is None:
        return None
    ca, cert, key = (where.certificates / name for name in ("ca.pem", "cert.pem", "key.pem"))
    return TLSConfig(
        client_cert=(str(cert), str(key)) if cert.exists() else None,
        ca_cert=str(ca) if ca.exists() else None,
        verify=where.verify,
    )


def _try_socket(url: str) -> None:
    """Raise the OSError with which a unix socket refuses: the SDK hides it in another error."""
    if url.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(ANSWER_WITHIN)
            probe.connect(url.removeprefix("unix://"))


def _this_machine() -> Machine:
    return Machine(
        system=platform.system(),
        systemd=Path("/run/systemd/system").is_dir(),
        debian=Path("/etc/debian_version").exists(),
        installed=bool(shutil.which("docker") or shutil.which("dockerd")),
    )


def explain(where: Endpoint, error: Exception, machine: Machine) -> tuple[str, str]:
    """One line that says what was tried and why it failed, and one that says what to do."""
    tried = f"no Docker engine answers at {where.url} ({where.source})"
    if isinstance(error, PermissionError):
        return (
            f"{tried}: this user may not use it",
            "sudo usermod -aG docker $USER, then log out and in again",
        )
    chosen = where.source != "the default"
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):
        if not machine.installed and not chosen:
            return f"{tried}: Docker is not installed", _how_to_install(machine)
        state = "it is not running"
    elif "paramiko" in str(error):
        return f"{tried}: ssh:// needs one more package", "pip install 'docker[ssh]'"
    else:
        state = reason(error)
    fix = _how_to_choose(where) if chosen else _how_to_start(machine)
    return f"{tried}: {state}", fix


def _how_to_install(machine: Machine) -> str:
    if machine.system == "Linux" and machine.debian:
        return "sudo apt-get install docker.io"
    if machine.system == "Linux":
        return f"install Docker: {INSTALL_PAGE}"
    return f"install Docker Desktop: {INSTALL_PAGE}"


def _how_to_start(machine: Machine) -> str:
    if machine.system != "Linux":
        return "start Docker Desktop"
    return "sudo systemctl start docker" if machine.systemd else "sudo service docker start"


def _how_to_choose(where: Endpoint) -> str:
    if where.source == "DOCKER_HOST":
        return "start that engine, or take the default one: unset DOCKER_HOST"
    return "start that engine, or take the default one: docker context use default"
