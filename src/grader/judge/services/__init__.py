"""What the judge knows about each service: readiness, accounts, reset, and the tests' fixture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import psycopg
import redis

from grader.judge.errors import ServerLost
from grader.judge.gateway import Link

LOST = (psycopg.Error, redis.RedisError, ServerLost)
"""What the runtime's own connection to a server raises when the server is not well."""


class Service(Protocol):
    """One service of the session, in the runtime's hands."""

    def wait_ready(self, seconds: float) -> None:
        """Return when a real query is answered. Raises Fault when none is in time."""

    def prepare(self, init: list[str]) -> None:
        """Make the template state, once per session; `init` is run as the learner's account."""

    def reset(self) -> None:
        """Bring the template state back and end every connection of the learner.

        Raises one of LOST when the server has to be replaced.
        """

    def alive(self) -> bool:
        """Whether the server is still the one that was prepared, and answers."""

    def fixture(self, link: Link) -> Any:
        """What a hidden test gets."""


def make(name: str, options: Mapping[str, Any]) -> Service:
    """The service of this name. Raises KeyError for a name the judge does not know."""
    return _KINDS[name](options)


def _postgres(options: Mapping[str, Any]) -> Service:
    from grader.judge.services.postgres import PostgresService

    return PostgresService(options)


def _redis(options: Mapping[str, Any]) -> Service:
    from grader.judge.services.redis import RedisService

    return RedisService(options)


def _mongodb(options: Mapping[str, Any]) -> Service:
    from grader.judge.services.mongodb import MongoService

    return MongoService(options)


_KINDS: dict[str, Callable[[Mapping[str, Any]], Service]] = {
    "postgres": _postgres,
    "redis": _redis,
    "mongodb": _mongodb,
}
