"""Settings: flags over environment over config file, read once into a frozen object.

The only module that reads `os.environ`.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from grader.errors import UsageError

PASSED_TO_BUILDS = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "NPM_CONFIG_REGISTRY",
)
LOCAL_CA_FOLDERS = (
    Path("/usr/local/share/ca-certificates"),  # Debian, Ubuntu, Alpine
    Path("/etc/pki/ca-trust/source/anchors"),  # Fedora, RHEL
)
LONGEST_IDLE = 7 * 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What grader was told, from every source.

    The config file is TOML with these names as keys; the environment has the same names in upper
    case with the prefix `GRADER_`.
    """

    exercises: Path | None = None
    """Another catalog than the one that ships with grader."""
    engine: str = ""
    """`docker` or `local`; empty means Docker when one answers, else local."""
    base_image: str = "debian:trixie-slim"
    mongo_image: str = ""
    """An image with MongoDB's own server, e.g. `mongo:8.0`, to take the place of the one that the
    service `mongodb` is made of; the engine must have it, or reach a registry that does."""
    registry: str = ""
    """Prefix under which prebuilt images are looked for first, e.g. `registry.example/grader`."""
    runtime: str = ""
    """Container runtime for sandboxes, e.g. `runsc`; empty means the engine's default."""
    ca_bundle: Path | None = None
    """PEM file with private certificates for image builds."""
    idle_seconds: int = 900
    """A warm session nobody uses ends by itself after so long."""
    warm_sessions: int = 3
    """So many sessions stay warm at most; past it, the one not used for longest ends."""
    state_dir: Path = field(default_factory=Path)
    data_dir: Path = field(default_factory=Path)
    """Where the learner's record lies."""
    build_environment: Mapping[str, str] = field(default_factory=dict)
    """Proxy and package-index variables handed to image builds."""
    docker_environment: Mapping[str, str] = field(default_factory=dict)
    """What the `docker` command reads: DOCKER_HOST, DOCKER_CONTEXT, DOCKER_CONFIG, ..."""
    signing_key: Path | None = None
    """PEM file with the private key, of the kind Ed25519, that signs reports."""
    course_secret: str = ""
    """What a course's seeds are made with (GRADER_COURSE_SECRET); it never reaches a container."""
    step_summary: Path | None = None
    """In a job of GitHub Actions, the file whose Markdown is shown as the step's summary."""


FROM_USER = (
    "exercises",
    "engine",
    "base_image",
    "mongo_image",
    "registry",
    "runtime",
    "ca_bundle",
    "signing_key",
    "idle_seconds",
    "warm_sessions",
)


def load(flags: Mapping[str, object], environ: Mapping[str, str] | None = None) -> Settings:
    """Resolve every setting once. A flag that is None was not given.

    Raises UsageError for a config file that is named and not there, or that cannot be read, for an
    unknown key and for a value of the wrong type.
    """
    import platformdirs

    env = dict(os.environ) if environ is None else dict(environ)
    values: dict[str, object] = {}
    named = env.get("GRADER_CONFIG")
    config = Path(named) if named else platformdirs.user_config_path("grader") / "config.toml"
    values.update(_config_file(config, named=bool(named)))
    for name in FROM_USER:
        variable = f"GRADER_{name.upper()}"
        if env.get(variable):
            values[name] = _typed(name, env[variable], variable)
    values.update({key: value for key, value in flags.items() if value is not None})
    state, summary = env.get("GRADER_STATE_DIR"), env.get("GITHUB_STEP_SUMMARY")
    return Settings(
        **values,  # type: ignore[arg-type]  # each value was converted by _typed or by typer
        state_dir=Path(state) if state else platformdirs.user_state_path("grader"),
        data_dir=data_dir(env),
        build_environment=_build_environment(env),
        docker_environment={
            key: value for key, value in env.items() if key.startswith("DOCKER_") and value
        },
        course_secret=env.get("GRADER_COURSE_SECRET", ""),
        step_summary=Path(summary) if summary else None,
    )


def data_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The folder of the learner's record, for who needs no other setting."""
    named = (os.environ if environ is None else environ).get("GRADER_DATA_DIR")
    if named:
        return Path(named)
    import platformdirs

    return platformdirs.user_data_path("grader")


def completing() -> bool:
    """Whether a shell asks what it could complete (cli/completion.py)."""
    return bool(os.environ.get("_GRADER_COMPLETE"))


def _config_file(path: Path, *, named: bool) -> dict[str, object]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if not named:
            return {}
        raise UsageError(
            f"GRADER_CONFIG: there is no file {path}", fix="mend it, or: unset GRADER_CONFIG"
        ) from None
    except (OSError, ValueError, RecursionError) as error:  # tomllib's own is a ValueError
        raise UsageError(
            f"{path}: cannot be read: {error}", fix="mend or remove the file"
        ) from None
    unknown = sorted(set(table) - set(FROM_USER))
    if unknown:
        raise UsageError(
            f"{path}: unknown setting '{unknown[0]}'", fix=f"settings are: {', '.join(FROM_USER)}"
        )
    return {key: _typed(key, value, f"{path}: {key}") for key, value in table.items()}


def _typed(name: str, value: object, where: str) -> object:
    annotation = next(f.type for f in fields(Settings) if f.name == name)
    if "int" in str(annotation):
        try:
            number = int(_shown(value))
        except ValueError:
            raise UsageError(f"{where}: '{_shown(value)}' is not a whole number") from None
        least = 0 if name == "warm_sessions" else 1
        if not least <= number <= LONGEST_IDLE:
            raise UsageError(f"{where}: must be between {least} and {LONGEST_IDLE}, is {number}")
        return number
    if not isinstance(value, str):
        raise UsageError(f"{where}: expected text, got {_shown(value)}")
    if "Path" not in str(annotation):
        return value
    return Path(os.path.expanduser(value))  # noqa: PTH111 -- pathlib's raises for ~nobody


def _shown(value: object) -> str:
    """Short, and never raising: TOML can hold numbers that Python refuses to print."""
    try:
        text = str(value)
    except (ValueError, RecursionError):
        return "a very large value"
    return text if len(text) <= 60 else f"{text[:60]}..."


def _build_environment(env: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for name in PASSED_TO_BUILDS:
        value = env.get(name) or env.get(name.lower())
        if value:
            found[name] = value
    return found
