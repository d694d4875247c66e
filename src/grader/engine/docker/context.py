"""What goes into an image build, as plain data: the same files always give the same tag."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from grader.engine.runners import Runner
from grader.errors import InfrastructureError, UsageError

DIGITS = 16
"""Hex digits of the digest that are in a tag."""

INJECTED: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "language": (("agent", "agent", "**/*.py"),),
    "judge": (
        (".", "grader", "__init__.py"),
        ("judge", "grader/judge", "**/*.py"),
        ("agent", "grader/agent", "**/*.py"),
    ),
}
"""By kind, what of grader's own source a build gets: folder in the package, folder in the build
context, files."""


def collect(
    runner: Runner, package: Path, certificates: Mapping[str, bytes]
) -> Mapping[str, bytes]:
    """The files of a runner's build context, by their path in it.

    Beside the runner's own files: the base gets `certificates` under certs/, a language the agent
    under agent/, the judge its part of the package under grader/. Raises InfrastructureError.
    """
    files = _below(runner.folder, "**/*", "")
    # It tells the engine how to use the image: a change of it changes nothing inside.
    files.pop("runner.yaml", None)
    for source, target, pattern in INJECTED.get(runner.kind, ()):
        files.update(_below(package / source, pattern, f"{target}/"))
    if runner.kind == "base":
        files["certs/.keep"] = b""  # COPY refuses a folder that is not there
        files.update({f"certs/{name}": content for name, content in certificates.items()})
    if "Dockerfile" not in files:
        raise InfrastructureError(f"{runner.folder}: has no Dockerfile", fix="install grader again")
    return files


def build_context(files: Mapping[str, bytes], base: Iterable[str]) -> tuple[bytes, str]:
    """The archive to build from, and the digest of everything the image depends on.

    `base` names what the image is built on. Times, owners and modes of the files on this machine
    do not count: a file that begins with `#!` is made executable, the others are not.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            entry.mode = 0o755 if files[name].startswith(b"#!") else 0o644
            archive.addfile(entry, io.BytesIO(files[name]))
    content = buffer.getvalue()
    digest = hashlib.sha256(content)
    for part in base:
        digest.update(b"\0" + part.encode())
    return content, digest.hexdigest()[:DIGITS]


def certificates(bundle: Path | None, folders: Iterable[Path]) -> Mapping[str, bytes]:
    """The private certificates that builds must trust, by file name.

    `bundle` when one is set, else every .crt in those of `folders` that exist, else none.
    Raises UsageError when `bundle` cannot be read.
    """
    if bundle is not None:
        try:
            return {"grader-ca.crt": bundle.read_bytes()}
        except OSError as error:
            raise UsageError(
                f"ca_bundle: {bundle} cannot be read: {error.strerror}",
                fix="name a PEM file that this user can read",
            ) from None
    found: dict[str, bytes] = {}
    for folder in folders:
        found.update(_below(folder, "*.crt", ""))
    return found


def _below(folder: Path, pattern: str, prefix: str) -> dict[str, bytes]:
    try:
        return {
            prefix + path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.glob(pattern))
            if path.is_file() and "__pycache__" not in path.parts
        }
    except OSError as error:
        raise InfrastructureError(f"{error.filename}: cannot be read: {error.strerror}") from None
