"""Connect to the engine that the `docker` command of this user talks to."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.tls import TLSConfig

from grader.engine.docker.errors import FOREIGN, reason
from grader.errors import EngineUnavailable
from grader.settings import Settings

ANSWER_WITHIN = 10
"""Seconds that the first answer may take."""
CALL_TIMEOUT = 60

DEFAULT_SOCKET = "unix:///var/run/docker.sock"
DEFAULT_PIPE = "npipe:////./pipe/docker_engine"
INSTALL_PAGE = "https://docs.docker.com/engine/install/"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where an engine is to be found, and which setting says so."""

    url: str
    source: str
    certificates: Path | None = None
    """Folder with ca.pem, cert.pem and key.pem; None means no TLS."""
    verify: bool = True


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
        message, fix = explain(where, error, _this_machine())
        raise EngineUnavailable(message, fix=fix) from error
    client.api.timeout = CALL_TIMEOUT
    return client


def chosen(settings: Settings) -> Endpoint:
    """The engine that the `docker` command of this user would use. Raises EngineUnavailable."""
    return endpoint(settings.docker_environment, Path.home(), platform.system())


def endpoint(env: Mapping[str, str], home: Path, system: str) -> Endpoint:
    """The engine that `docker` would use: DOCKER_HOST, else DOCKER_CONTEXT, else the current
    context of the config file, else this platform's default socket. Raises EngineUnavailable."""
    config = Path(env.get("DOCKER_CONFIG") or home / ".docker")
    if env.get("DOCKER_HOST"):
        folder = Path(env.get("DOCKER_CERT_PATH") or config)
        return Endpoint(
            url=env["DOCKER_HOST"],
            source="DOCKER_HOST",
            certificates=folder if env.get("DOCKER_TLS_VERIFY") else None,
        )
    context, source = env.get("DOCKER_CONTEXT", ""), "DOCKER_CONTEXT"
    if not context:
        context, source = _current_context(config / "config.json"), str(config / "config.json")
    if context in ("", "default"):
        url = DEFAULT_PIPE if system == "Windows" else DEFAULT_SOCKET
        return Endpoint(url=url, source="the default")
    return _context(config, context, source)


def _current_context(file: Path) -> str:
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise EngineUnavailable(f"{file}: cannot be read: {error}", fix="mend the file") from None
    current = content.get("currentContext") if isinstance(content, dict) else None
    return current if isinstance(current, str) else ""


def _context(config: Path, name: str, source: str) -> Endpoint:
    key = hashlib.sha256(name.encode()).hexdigest()
    file = config / "contexts" / "meta" / key / "meta.json"
    try:
        details = json.loads(file.read_bytes())["Endpoints"]["docker"]
        url = str(details["Host"])
    except FileNotFoundError:
        raise EngineUnavailable(
            f"{source} names the Docker context '{name}', which does not exist",
            fix="choose one that does: docker context ls; docker context use NAME",
        ) from None
    except (OSError, ValueError, LookupError, TypeError):
        raise EngineUnavailable(
            f"{file}: the Docker context '{name}' cannot be read",
            fix=f"make it again: docker context rm {name}; docker context create {name}",
        ) from None
    certificates = config / "contexts" / "tls" / key / "docker"
    return Endpoint(
        url=url,
        source=f"the context '{name}'",
        certificates=certificates if certificates.is_dir() else None,
        verify=not details.get("SkipTLSVerify"),
    )


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
