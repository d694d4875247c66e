"""One interpreter: the process that imports the learner's code and calls it.

Requests come as frames on a socket, one at a time or many in parallel. A call that comes while
none is running uses the main thread, so that objects bound to a thread (SQLite connections) work
as in a plain program; calls beside it get threads of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import os
import queue
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from . import wire

Request = dict[str, Any]


class Worker:
    def __init__(self, sock: socket.socket, folder: str) -> None:
        self._sock = sock
        self._folder = folder
        self._writing = threading.Lock()
        self._objects: dict[int, Any] = {}
        self._requests: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._counting = threading.Lock()
        self._running = 0

    def serve(self) -> None:
        """Answer until the agent closes the socket; the main thread takes calls in turn."""
        threading.Thread(target=self._read, daemon=True).start()
        while (request := self._requests.get()) is not None:
            self._answer(request)

    def _read(self) -> None:
        try:
            while True:
                request = wire.receive(self._sock)
                with self._counting:
                    busy = self._running > 0
                    self._running += 1
                if not busy or not self._in_a_thread(request):
                    self._requests.put(request)
        except (EOFError, OSError, wire.BadData):
            os._exit(0)  # the agent is done with us; the learner's threads must not keep us alive

    def _in_a_thread(self, request: Request) -> bool:
        """False when there can be no more threads: the call then waits for its turn."""
        try:
            threading.Thread(target=self._answer, args=(request,), daemon=True).start()
        except RuntimeError:
            return False
        return True

    def _answer(self, request: Request) -> None:
        try:
            reply: dict[str, Any] = {"value": self._perform(request)}
        except BaseException as error:  # whatever the learner raises, SystemExit included
            reply = {"raised": self._raised(error)}
        with self._counting:
            self._running -= 1
        reply["id"] = request["id"]
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):  # the program may have closed it
                stream.flush()
        with self._writing:
            wire.send(self._sock, reply)

    def _perform(self, request: Request) -> Any:
        if request["op"] == "attribute":
            value = getattr(self._object(request["handle"]), request["name"])
            # 0 stands for any callable: the judge then asks for the method by its name
            return {"$": "handle", "v": 0} if callable(value) else wire.encode(value)
        args = [wire.decode(item, self._object) for item in request["args"]]
        kwargs = {key: wire.decode(item, self._object) for key, item in request["kwargs"].items()}
        if request["op"] == "method":
            target = getattr(self._object(request["handle"]), request["name"])
        else:
            target = self._find(request["target"])
        value = _settled(target(*args, **kwargs))
        if request["op"] == "new":
            self._objects[id(value)] = value
            return {"$": "handle", "v": id(value)}
        return wire.encode(value)

    def _object(self, number: int) -> Any:
        return self._objects[number]

    def _find(self, target: str) -> Callable[..., Any]:
        module_name, _, path = target.partition(":")
        found: Any = importlib.import_module(module_name)
        for part in path.split("."):
            found = getattr(found, part)
        return found  # type: ignore[no-any-return]  # calling what is not callable raises

    def _raised(self, error: BaseException) -> dict[str, Any]:
        try:
            args = [wire.encode(item) for item in error.args[:10]]
        except Exception:
            args = []
        return {
            "type": type(error).__name__,
            "bases": [base.__name__ for base in type(error).__mro__][:50],
            "message": _text(error)[:4000],
            "args": args,
            "traceback": self._traceback(error)[-8000:],
        }

    def _traceback(self, error: BaseException) -> str:
        """The traceback with the learner's own frames only, and paths as the learner knows them."""
        try:
            told = traceback.TracebackException.from_exception(error)
        except Exception:
            return f"{type(error).__name__}: (its traceback cannot be shown)\n"
        link: traceback.TracebackException | None = told
        seen = 0
        while link is not None and seen < 10:
            link.stack[:] = [frame for frame in link.stack if self._own(frame.filename)]
            link = link.__cause__ or link.__context__
            seen += 1
        try:
            return "".join(told.format()).replace(self._folder + "/", "")
        except Exception:
            return f"{type(error).__name__}: (its traceback cannot be shown)\n"

    def _own(self, filename: str) -> bool:
        return filename.startswith(self._folder + "/")


def _settled(value: Any) -> Any:
    """Awaits a coroutine, drains an asynchronous generator."""
    if inspect.isawaitable(value):

        async def wait() -> Any:
            return await value

        return asyncio.run(wait())
    if inspect.isasyncgen(value):

        async def drain() -> list[Any]:
            items = []
            async for item in value:
                items.append(item)
                if len(items) > wire.MAX_ITEMS:
                    raise wire.BadData(f"an iterator of more than {wire.MAX_ITEMS} items")
            return items

        return asyncio.run(drain())
    return value


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(its message cannot be shown)"
