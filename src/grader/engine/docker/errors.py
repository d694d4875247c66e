"""The seam: what the Docker SDK and its HTTP client raise becomes an error of grader's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import docker.errors
import requests
import urllib3

from grader.errors import (
    EngineUnavailable,
    GraderError,
    ImageError,
    InfrastructureError,
    SessionLost,
)

FOREIGN = (docker.errors.DockerException, requests.RequestException, urllib3.exceptions.HTTPError)
"""Everything that a call of the SDK may raise on its own account."""


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Run SDK calls so that only errors of grader's leave. `doing` completes "while ..."."""
    try:
        yield
    except FOREIGN as error:
        raise translate(error, doing) from error


def translate(error: Exception, doing: str) -> GraderError:
    """The error of grader's that stands for one of FOREIGN."""
    message = f"while {doing}: {reason(error)}"
    if isinstance(error, docker.errors.ImageNotFound | docker.errors.BuildError):
        return ImageError(message)
    if isinstance(error, docker.errors.NotFound):
        return SessionLost(message)
    if isinstance(error, docker.errors.APIError):
        # 409: the container is there, but no longer in the state that the call needs.
        return SessionLost(message) if error.status_code == 409 else InfrastructureError(message)
    late = isinstance(_innermost(error), TimeoutError | urllib3.exceptions.TimeoutError)
    if isinstance(error, requests.ConnectionError) and not late:
        return EngineUnavailable(message, fix="see that Docker is running: docker version")
    return InfrastructureError(message)


def reason(error: BaseException) -> str:
    """One line that says why: the engine's own explanation, or the innermost cause."""
    explanation = getattr(error, "explanation", None)
    text = str(explanation or _innermost(error)).strip() or type(error).__name__
    return " ".join(text.split())


def _innermost(error: BaseException) -> BaseException:
    """The exception that the wrappers around it came from: they hide it in args or as cause."""
    seen: set[int] = set()
    while id(error) not in seen:
        seen.add(id(error))
        inner = [part for part in error.args if isinstance(part, BaseException)]
        wrapped = getattr(error, "reason", None)
        if isinstance(wrapped, BaseException):
            inner.append(wrapped)
        # ("Connection aborted.", FileNotFoundError(...)) is how urllib3 keeps it.
        inner += [
            part
            for group in error.args
            if isinstance(group, tuple)
            for part in group
            if isinstance(part, BaseException)
        ]
        cause = error.__cause__ or error.__context__
        error = inner[0] if inner else (cause or error)
    return error
