"""`grader report-bug`: what whoever mends it needs to know, and nothing that is yours alone."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grader.cli import context as common
from grader.cli import output
from grader.errors import UsageError

if TYPE_CHECKING:
    from grader.settings import Settings

BUG_FORMAT = 1
PACKAGES = ("docker", "jinja2", "jsonschema", "msgspec", "pyyaml", "rich", "typer", "watchfiles")


def report_bug(
    context: typer.Context,
    file: Annotated[
        Path, typer.Option("--output", metavar="FILE", help="Where to write it.")
    ] = Path("grader-bug.json"),
) -> None:
    """Write a file to send with the report of a bug: versions, this machine, the last outcomes.

    None of your files, nothing that they printed, no password and no name of yours is in it.
    """
    from rich.text import Text

    from grader.report.details import whole_line
    from grader.report.text import one_line

    if file.exists():
        raise UsageError(f"{file} is there already", fix="name another file: --output FILE")
    value = told(common.settings(context))
    import msgspec

    content = msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
    output.write_file(file, without_names(content.decode()).encode())
    screen = output.stdout()
    screen.print(whole_line(("Written: ", ""), (one_line(str(file), 1000), "cyan")), crop=False)
    screen.print(Text("Read it before you send it, and add what you typed and what came."))


def told(settings: Settings) -> dict[str, Any]:
    """Everything in the file."""
    from grader import __version__
    from grader.cli.progress import watching
    from grader.engine.machine import state_folder
    from grader.engine.registry import examine

    with watching(quiet=False) as listener:
        findings = [state_folder(settings.state_dir), *examine(settings, listener)]
    return {
        "format": BUG_FORMAT,
        "grader": __version__,
        "python": sys.version.split()[0],
        "system": platform.platform(),
        "packages": {name: _version(name) for name in PACKAGES},
        "settings": _settings(settings),
        "findings": [
            {"name": one.name, "state": one.state, "found": one.found, "cause": one.cause}
            for one in findings
        ],
        "last_check": _last(settings),
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _settings(settings: Settings) -> Mapping[str, object]:
    """What differs from the usual: numbers and names of engines as they are, of others only that.

    An address of a registry or a package index may hold a password.
    """
    return {
        "engine": settings.engine,
        "runtime": settings.runtime,
        "idle_seconds": settings.idle_seconds,
        "warm_sessions": settings.warm_sessions,
        "given": sorted(
            name for name in ("exercises", "registry", "ca_bundle") if getattr(settings, name)
        ),
        "variables": sorted({*settings.build_environment, *settings.docker_environment}),
    }


def _last(settings: Settings) -> Mapping[str, object] | None:
    """How the checks of this folder ended last, without a word of what was given or printed."""
    from grader.cli.last import last_report
    from grader.workspace import read

    try:
        report = last_report(settings, read(Path()).root)
    except UsageError:
        return None
    return {
        "exercise": report.exercise,
        "version": report.exercise_version,
        "engine": report.engine,
        "seed": report.seed,
        "status": report.status,
        "error": report.error,
        "checks": [
            {"id": one.id, "outcome": one.outcome, "reason": one.reason, "seconds": one.seconds}
            for one in report.checks()
        ],
    }


def without_names(text: str) -> str:
    """The text without this user's folder and name, and without passwords in addresses."""
    import getpass
    import re

    text = text.replace(str(Path.home()), "~") if len(str(Path.home())) > 1 else text
    text = re.sub(r"(\w+://)[^/\s\"@]+@", r"\1***@", text)
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a user without a name
        name = ""
    if name and name != "root":
        text = re.sub(rf"\b{re.escape(name)}\b", "USER", text)
    return text
