"""Redis: two ACL accounts; between tests everything is flushed, functions and scripts too."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import Any

import redis
from redis import exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from grader.judge.errors import Fault
from grader.judge.gateway import Link

BUSY = "BUSY"
"""Begins the answer to everything while a script runs for long."""
_ONCE = Retry(NoBackoff(), 0)  # the client's own patience would hide what happens for seconds


class RedisService:
    def __init__(self, options: Mapping[str, Any]) -> None:
        self._port = int(options["port"])
        self._learner = options["learner"]
        admin = options["admin"]
        self._admin = redis.Redis(
            port=self._port,
            username=str(admin["user"]),
            password=str(admin["password"]),
            socket_timeout=10,
            retry=_ONCE,
        )
        self._client: Redis | None = None
        self._server = ""

    def wait_ready(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                self._server = self._identity()
                return
            except (exceptions.ConnectionError, exceptions.TimeoutError) as error:
                if time.monotonic() > deadline:
                    raise Fault(f"redis was not ready within {seconds:g} s: {error}") from None
                time.sleep(0.02)

    def prepare(self, init: list[str]) -> None:
        """Redis starts empty: there is no template."""
        if init:
            raise Fault("the service redis takes no `init` files")

    def reset(self) -> None:
        if self._client is not None:
            self._client.connection_pool.disconnect()
        with contextlib.suppress(exceptions.ResponseError):  # NOTBUSY: no script is running
            self._admin.script_kill()
        for kind in ("normal", "pubsub"):
            self._admin.client_kill_filter(_type=kind, skipme=True)
        self._admin.flushall(asynchronous=False)
        self._admin.function_flush("SYNC")
        self._admin.script_flush("SYNC")

    def alive(self) -> bool:
        """A script that runs on holds the server, but does not end it."""
        try:
            return self._identity() == self._server
        except exceptions.ResponseError as error:
            return str(error).startswith(BUSY)
        except exceptions.RedisError:
            return False

    def _identity(self) -> str:
        """Another one after every start of the server."""
        return str(self._admin.info("server")["run_id"])

    def fixture(self, link: Link) -> Redis:
        self._client = Redis(
            port=self._port,
            username=str(self._learner["user"]),
            password=str(self._learner["password"]),
            socket_timeout=10,
            retry=_ONCE,
        )
        self._client.link = link
        return self._client


class Redis(redis.Redis):
    """The `redis` fixture: a redis.Redis as the learner's account; answers are bytes."""

    link: Link
