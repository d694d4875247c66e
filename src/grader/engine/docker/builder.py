"""Make one image: build it from an archive, or pull it."""

from __future__ import annotations

import io
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import docker
import docker.errors

from grader.engine.docker.errors import FOREIGN, reason, translated
from grader.errors import ImageError

TAIL = 15
"""Lines of a failed build's output that the error shows."""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
BOOKKEEPING = (" --->", "Removing intermediate container", "Successfully ")
"""How lines of the builder's own begin that say nothing about what is built."""


def build(
    client: docker.DockerClient,
    context: bytes,
    *,
    tag: str,
    arguments: Mapping[str, str],
    labels: Mapping[str, str],
    tell: Callable[[str], None],
    cache: bool = True,
) -> None:
    """Build an image; `tell` gets each line of output. Raises ImageError with the last lines."""
    with translated(f"building {tag}"):
        events = client.api.build(
            fileobj=io.BytesIO(context),
            custom_context=True,
            tag=tag,
            buildargs=dict(arguments),
            labels=dict(labels),
            nocache=not cache,
            rm=True,
            forcerm=True,
            decode=True,
            timeout=None,  # a step may be silent for long
        )
        _follow(events, tag, tell)


def _follow(events: Iterable[Mapping[str, Any]], tag: str, tell: Callable[[str], None]) -> None:
    last: deque[str] = deque(maxlen=TAIL)
    for event in events:
        text = str(event.get("stream") or event.get("status") or "")
        for line in map(str.rstrip, COLOUR.sub("", text).splitlines()):
            if line and not line.startswith(BOOKKEEPING):
                last.append(line)
                tell(line)
        if "error" in event:
            output = "\n".join(f"    {line}" for line in last)
            raise ImageError(
                f"{tag} could not be built: {str(event['error']).strip()}\n{output}",
                fix="see that the package mirrors can be reached from here (behind a proxy: "
                "HTTP_PROXY, HTTPS_PROXY; with a private certificate: GRADER_CA_BUNDLE)",
            )


def pull(client: docker.DockerClient, source: str, tag: str) -> bool:
    """Pull `source` and call it `tag`. False when the registry does not have it or not answer."""
    repository, _, version = source.rpartition(":")
    name, _, digest = tag.rpartition(":")
    try:
        client.api.pull(repository, tag=version)
        client.api.tag(source, name, digest)
        client.api.remove_image(source)  # the name only: `tag` keeps the image
    except FOREIGN:
        return False
    return True


def need_base_image(client: docker.DockerClient, image: str, tell: Callable[[str], None]) -> None:
    """See that the image that the base is built on exists; pull it otherwise. Raises ImageError."""
    with translated(f"looking at the image {image}"):
        try:
            client.images.get(image)
        except docker.errors.ImageNotFound:
            tell(f"Pulling {image}")
        else:
            return
    try:
        client.images.pull(image)
    except FOREIGN as error:
        raise ImageError(
            f"the base image {image} is not here and cannot be pulled: {reason(error)}",
            fix="in a checkout, make it without a registry: scripts/base-image (make base); "
            "or name a Debian image that is here: GRADER_BASE_IMAGE",
        ) from error
