"""Where the engine is that the `docker` command of this user talks to."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.errors import EngineUnavailable
from grader.settings import Settings

DEFAULT_SOCKET = "unix:///var/run/docker.sock"
DEFAULT_PIPE = "npipe:////./pipe/docker_engine"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where an engine is to be found, and which setting says so."""

    url: str
    source: str
    certificates: Path | None = None
    """Folder with ca.pem, cert.pem and key.pem; None means no TLS."""
    verify: bool = True


def chosen(settings: Settings) -> Endpoint:
    """The engine of this user on this machine. Raises EngineUnavailable."""
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
