"""MongoDB's protocol: an account for the learner, one for the tests, and a reset that empties all.

The server is SecantusDB or MongoDB's own (runners/mongodb). Its start makes the admin; the two
others are made here. Both may read and write the database `learner`, index it and set its
validators, and nothing else. The tests have one of their own, so that what the learner leaves
behind can be ended without them.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pymongo
from bson import json_util
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from grader.judge.errors import AuthorFault, Fault, ServerLost
from grader.judge.gateway import Link

DATABASE = "learner"
CHECKER = "checker"
ROLES = ("readWrite", "dbAdmin")
_SYSTEM = frozenset(("admin", "config", "local"))
_TIMEOUT_MS = 10_000
_ENDING = 2.0
"""Seconds that the learner's commands have to end before the server is given up."""
_HELD_UP = frozenset((24, 50, 112))
"""LockTimeout, MaxTimeMSExpired, WriteConflict (the server's error_codes.yml)."""


class MongoService:
    def __init__(self, options: Mapping[str, Any]) -> None:
        self._port = int(options["port"])
        admin, learner = options["admin"], options["learner"]
        self._admin_user = str(admin["user"])
        self._user, self._password = str(learner["user"]), str(learner["password"])
        self._checker_password = secrets.token_urlsafe(18)
        self._admin: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
            **_options(self._port),
            username=self._admin_user,
            password=str(admin["password"]),
            authSource="admin",
        )
        self._server = ""
        self._fixture: Mongo | None = None

    def wait_ready(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                # The client would look only twice a second whether somebody listens.
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
                with pymongo.timeout(max(deadline - time.monotonic(), 0.1)):
                    self._admin.admin.command("usersInfo")
                self._server = self._identity()
                return
            except (OSError, PyMongoError) as error:  # also while it has no account
                if time.monotonic() > deadline:
                    raise Fault(f"mongodb was not ready within {seconds:g} s: {error}") from None
                time.sleep(0.02)

    def prepare(self, init: list[str]) -> None:
        """It starts empty: there is no template."""
        if init:
            raise AuthorFault("the service mongodb takes no `init` files")
        self._create(self._user, self._password)
        self._create(CHECKER, self._checker_password)
        if self._fixture is not None:  # its connections to the server that was before end here
            with contextlib.suppress(PyMongoError):
                self._fixture.admin.command("ping")

    def reset(self) -> None:
        with _lost():
            self._end_commands()
            self._admin[DATABASE].command("profile", 0)  # it would write on while all is dropped
            for name in self._admin.list_database_names():
                if name not in _SYSTEM:
                    self._admin.drop_database(name)
            self._renew_accounts()

    def _end_commands(self) -> None:
        """End what is still done for connections that are cut already. Raises ServerLost."""
        deadline = time.monotonic() + _ENDING
        self._admin.admin.command("killAllSessions", [{"user": self._user, "db": DATABASE}])
        while running := list(self._running()):
            if time.monotonic() > deadline:
                raise ServerLost("a command of the learner's does not end")
            for name in running:
                self._admin.admin.command("killOp", 1, op=name)
            time.sleep(0.002)

    def _running(self) -> Iterator[Any]:
        """What the learner's account does. Cursors that it left open end on the way."""
        for one in self._admin.admin.command("currentOp")["inprog"]:
            if one.get("type") == "idleCursor" and "cursorId" in one:
                database, _, name = str(one["ns"]).partition(".")
                self._admin[database].command("killCursors", name, cursors=[one["cursorId"]])
            elif any(user.get("user") == self._user for user in one.get("effectiveUsers", ())):
                yield one["opid"]

    def _renew_accounts(self) -> None:
        """Nobody but the admin and the tests is left, and the learner comes anew."""
        ours = ((self._admin_user, "admin"), (CHECKER, DATABASE))
        for user in self._admin.admin.command("usersInfo", {"forAllDBs": True})["users"]:
            if (user["user"], user["db"]) not in ours:
                self._admin[user["db"]].command("dropUser", user["user"])
        self._create(self._user, self._password)

    def _create(self, user: str, password: str) -> None:
        """Make an account; one of that name may be left of another run in this session."""
        with contextlib.suppress(OperationFailure):
            self._admin[DATABASE].command("dropUser", user)
        self._admin[DATABASE].command("createUser", user, pwd=password, roles=list(ROLES))

    def alive(self) -> bool:
        try:
            return self._identity() == self._server
        except PyMongoError:
            return False

    def _identity(self) -> str:
        """Another one after every start of the server."""
        return str(self._admin.admin.command("hello")["topologyVersion"]["processId"])

    def fixture(self, link: Link) -> Mongo:
        client = Mongo(
            **_options(self._port),
            username=CHECKER,
            password=self._checker_password,
            authSource=DATABASE,
        )
        client.link = link
        self._fixture = client
        return client


class Mongo(pymongo.MongoClient[dict[str, Any]]):
    """The `mongodb` fixture: a pymongo.MongoClient; `mongodb.learner` is the database."""

    link: Link

    def examined(self, command: str) -> int:
        """Documents that the server looks at to answer a find, count or aggregate of a recording.

        Of an aggregate those of its first stages; those that `$lookup` brings do not count.
        """
        name, collection, rest = command.split(" ", 2)
        asked = {name: collection, **json_util.loads(rest)}
        answer = self[DATABASE].command("explain", asked, verbosity="executionStats")
        found = answer.get("executionStats") or answer["stages"][0]["$cursor"]["executionStats"]
        return int(found["totalDocsExamined"])


def held_up(error: BaseException) -> bool:
    """Whether the learner's own work keeps the server from doing what a test asks."""
    return isinstance(error, OperationFailure) and error.code in _HELD_UP


def gone(error: BaseException) -> bool:
    """Whether there is no server any more that answers."""
    return isinstance(error, ConnectionFailure)


@contextlib.contextmanager
def _lost() -> Iterator[None]:
    """Whatever a server answers instead of what was asked: it has to be replaced."""
    try:
        yield
    except PyMongoError as error:
        raise ServerLost(f"mongodb: {error}") from None


def _options(port: int) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": port,
        "directConnection": True,
        "serverSelectionTimeoutMS": _TIMEOUT_MS,
        "socketTimeoutMS": _TIMEOUT_MS,
        "retryWrites": False,
        "tz_aware": True,
    }
