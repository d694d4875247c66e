"""Images in one file, for machines that reach no mirror: streamed, never whole in memory."""

from __future__ import annotations

import json
import os
import shlex
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import docker
import docker.errors
import requests

from grader.engine.docker.errors import translated
from grader.errors import ImageError, UsageError
from grader.model.progress import Listener, Stage, Transferred

CHUNK = 1024 * 1024
MANIFEST = "manifest.json"
LARGEST_TEXT = 4 * 1024 * 1024
"""Bytes that the manifest, or what is said of one image, may have."""
OURS = "grader-"


def writable(path: Path) -> None:
    """Raise UsageError when `path` cannot become a new file: nothing is ever overwritten."""
    if os.path.lexists(path):
        fix = f"name another file, or remove it first: rm {shlex.quote(str(path))}"
        raise UsageError(f"{path} exists already", fix=fix)
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path}: its folder does not exist", fix="make the folder first")


def save(client: docker.DockerClient, tags: Sequence[str], path: Path, listener: Listener) -> int:
    """Write these images to a new file; its size in bytes. An unfinished file is removed.

    Raises UsageError when the file cannot be written, InfrastructureError when the engine fails.
    """
    writable(path)
    listener(Stage(f"Saving {len(tags)} images"))
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("xb") as file:
            done = 0
            for chunk in _archive(client, tags):
                file.write(chunk)
                done += len(chunk)
                listener(Transferred(done))
        writable(path)
        unfinished.replace(path)
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written: {error.strerror}", fix="choose a place with more room"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return done


def _archive(client: docker.DockerClient, tags: Sequence[str]) -> Iterator[bytes]:
    # The SDK's get_image takes one image; what images share would be in the archive many times.
    api = client.api
    with translated("saving the images"):
        answer = api.get(
            f"{api.base_url}/v{api.api_version}/images/get",
            params={"names": list(tags)},
            stream=True,
            timeout=None,  # the engine gathers everything before it sends the first byte
        )
        _check(answer)
        yield from answer.iter_content(CHUNK)


def _check(answer: requests.Response) -> None:
    try:
        answer.raise_for_status()
    except requests.HTTPError as error:  # the engine's own words are in the body
        raise docker.errors.create_api_error_from_http_exception(error) from error


def contents(path: Path) -> Mapping[str, str]:
    """The images in an archive: tag -> architecture.

    Raises UsageError when the file is none that `save` made.
    """
    try:
        with tarfile.open(path, "r:") as tar:
            listed = _read(tar, MANIFEST)
            found = {
                # localhost/ is Podman's, for what comes from no registry
                tag.removeprefix("localhost/"): str(_read(tar, image["Config"])["architecture"])
                for image in listed
                for tag in image["RepoTags"]
            }
    except OSError as error:
        fix = "name a file that grader images save has made"
        raise UsageError(f"{path}: cannot be read: {error.strerror}", fix=fix) from None
    except (tarfile.TarError, ValueError, LookupError, TypeError):
        raise _foreign(path) from None
    if not found or not all(tag.startswith(OURS) for tag in found):
        raise _foreign(path)
    return found


def _read(tar: tarfile.TarFile, name: str) -> Any:
    file = tar.extractfile(name)
    if file is None:
        raise LookupError(name)
    return json.loads(file.read(LARGEST_TEXT))


def _foreign(path: Path) -> UsageError:
    return UsageError(
        f"{path} is no whole archive of grader's images",
        fix="make it with: grader images save FILE",
    )


def load(client: docker.DockerClient, path: Path, listener: Listener) -> None:
    """Give the engine every image of an archive. Raises ImageError, InfrastructureError."""
    listener(Stage("Loading the images"))
    api = client.api
    with path.open("rb") as file, translated(f"loading {path}"):
        answer = api.post(
            f"{api.base_url}/v{api.api_version}/images/load",
            params={"quiet": "1"},  # it would tell its progress while nobody reads it
            data=_chunks(file, path.stat().st_size, listener),
            headers={"Content-Type": "application/x-tar"},
            stream=True,
            timeout=None,  # unpacking comes after the last byte
        )
        _check(answer)
        for line in answer.iter_lines():
            error = json.loads(line).get("error") if line else None
            if error:
                raise ImageError(f"{path} cannot be loaded: {error}", fix="copy the file again")


def _chunks(file: IO[bytes], total: int, listener: Listener) -> Iterator[bytes]:
    done = 0
    while chunk := file.read(CHUNK):
        yield chunk
        done += len(chunk)
        listener(Transferred(done, total))
    listener(Stage("Docker unpacks the images"))


def compare(wanted: Mapping[str, str], held: Iterable[str], path: Path) -> None:
    """Raise ImageError when an archive lacks an image of this installation.

    `wanted` is name -> tag of the images that are not here yet, `held` the tags in the archive.
    """
    held = set(held)
    lacking = {name for name, tag in wanted.items() if tag not in held}
    if not lacking:
        return
    other = {name for name in lacking if any(tag.startswith(f"{OURS}{name}:") for tag in held)}
    said = []
    if other:
        said.append(f"made by another grader, or with other settings: {', '.join(sorted(other))}")
    if lacking - other:
        said.append(f"not in it: {', '.join(sorted(lacking - other))}")
    raise ImageError(
        f"{path} does not hold every image that is needed here; {'; '.join(said)}",
        fix="save them with this version of grader and these settings: grader images save FILE",
    )
