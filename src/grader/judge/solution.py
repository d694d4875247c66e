"""The `solution` fixture: the submission, reached only through its sandbox's agent."""

from __future__ import annotations

import base64
import binascii
import io
import json
import tarfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from grader.agent import wire
from grader.judge.client import AgentClient, HandleNumber, b64, broken, value_of
from grader.judge.errors import Broke, Raised, SandboxLost


@dataclass
class Caught:
    """What `solution.raises` caught: the class's name, the message and the plain arguments."""

    type: str = ""
    message: str = ""
    args: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Result:
    """How a program ended. `code` is negative for a signal; `seconds` its wall-clock time."""

    code: int
    stdout: bytes
    stderr: bytes
    seconds: float
    _read: Callable[[str], bytes | None] = field(repr=False)

    @property
    def text(self) -> str:
        """stdout as UTF-8; bytes that are not become U+FFFD."""
        return self.stdout.decode("utf-8", "replace")

    def file(self, path: str) -> bytes:
        """A file the program left in its folder; the check fails when there is none."""
        content = self._read(path)
        assert content is not None, f"no file '{path}' was written"
        return content

    def json(self, path: str | None = None) -> Any:
        """A file, or stdout, parsed as JSON; the check fails when it is not JSON."""
        content = self.stdout if path is None else self.file(path)
        return _parsed(content, path or "what was printed")


def _parsed(content: bytes, name: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise AssertionError(f"{name} is not JSON: {error}") from None


class Handle:
    """An object that lives in the learner's interpreter. Methods call, attributes are values."""

    def __init__(self, interpreter: Interpreter, number: int, name: str) -> None:
        self._interpreter = interpreter
        self._number = number
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        title = f"{self._name.removesuffix('()')}.{name}"
        request = {"op": "attribute", "handle": self._number, "name": name}
        value = self._interpreter.ask(request, title, 5)
        if isinstance(value, HandleNumber):
            return Method(self._interpreter, self._number, f"{title}()", name)
        return value


@dataclass(frozen=True)
class Method:
    """A method of a handle, ready to be called."""

    interpreter: Interpreter
    number: int
    title: str
    name: str

    def __call__(self, *args: Any, timeout: float = 5, **kwargs: Any) -> Any:
        request = {"op": "method", "handle": self.number, "name": self.name}
        return self.interpreter.ask(request, self.title, timeout, args, kwargs)


class Interpreter:
    """One process with the learner's modules imported, started at the first call."""

    def __init__(self, owner: Solution, env: Mapping[str, str]) -> None:
        self._owner = owner
        self._env = dict(env)
        self._number: int | None = None
        self._lock = threading.Lock()

    def call(self, target: str, *args: Any, timeout: float = 5, **kwargs: Any) -> Any:
        """Call `module:function`; coroutines are awaited, generators drained to a list."""
        return self.ask({"op": "call", "target": target}, _title(target), timeout, args, kwargs)

    def new(self, target: str, *args: Any, timeout: float = 5, **kwargs: Any) -> Handle:
        """Make an object of `module:Class` that stays in the interpreter."""
        request = {"op": "new", "target": target}
        number = self.ask(request, _title(target), timeout, args, kwargs)
        if not isinstance(number, HandleNumber):
            raise Broke("answer", f"{_title(target)} gave no object.")
        return Handle(self, number.value, _title(target))

    @contextmanager
    def raises(self, name: str = "", *, any: bool = False) -> Any:  # noqa: A002 -- the contract's word
        """Expect the learner's code to raise a class of this name, or one derived from it."""
        caught = Caught()
        try:
            yield caught
        except Raised as error:
            if not any and name not in error.bases:
                raise
            caught.type, caught.message, caught.args = error.type, error.text, error.values
            return
        wanted = "an exception" if any else name
        raise AssertionError(f"expected {wanted} to be raised, and nothing was")

    def ask(
        self,
        request: Mapping[str, Any],
        what: str,
        timeout: float,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        body = {
            **request,
            "args": [self._encoded(item) for item in args],
            "kwargs": {key: self._encoded(item) for key, item in (kwargs or {}).items()},
        }
        number = self._started()
        reply = self._owner.client.request(
            "call", within=timeout, interpreter=number, request=body, timeout=timeout
        )
        return value_of(reply, what, timeout)

    def _encoded(self, value: Any) -> Any:
        if isinstance(value, Handle):
            return {"$": "handle", "v": value._number}
        return wire.encode(value)

    def _started(self) -> int:
        with self._lock:
            if self._number is None:
                reply = self._owner.client.request("interpreter", env=self._env)
                if "broke" in reply:
                    raise broken(reply, "Your program", 0)
                self._number = int(reply["interpreter"])
            return self._number


def _title(target: str) -> str:
    return target.partition(":")[2] + "()"


class Solution:
    """The submission. Between tests its processes end and its files are laid out anew."""

    def __init__(self, archive: bytes) -> None:
        self.client: AgentClient
        self._submitted = _unpack(archive)
        self._archive = archive
        self._main: Interpreter | None = None
        self._lock = threading.Lock()
        self._ran: list[bytes] = []

    # -- for the runtime ----------------------------------------------------------------------

    def attach(self, client: AgentClient, env: Mapping[str, str]) -> None:
        """Use this sandbox from now on: nothing has run in it."""
        self.client = client
        client.request("load", archive=b64(self._archive), env=dict(env))

    def reset(self) -> None:
        self._main = None
        self._ran = []
        if "broke" in self.client.request("reset"):
            raise SandboxLost("The last test's processes could not be ended.")

    def printed(self) -> str:
        """The end of what the learner's program printed in this test."""
        try:
            tail = str(self.client.request("tail", within=1, grace=1).get("text", ""))
        except Broke:
            tail = ""
        for output in self._ran:
            tail += output[-2000:].decode("utf-8", "replace")
        return tail[-4000:]

    # -- for hidden tests ---------------------------------------------------------------------

    def process(self, env: Mapping[str, str] | None = None) -> Interpreter:
        """Another interpreter in the same sandbox."""
        return Interpreter(self, env or {})

    def _interpreter(self) -> Interpreter:
        with self._lock:
            if self._main is None:
                self._main = Interpreter(self, {})
            return self._main

    def call(self, target: str, *args: Any, timeout: float = 5, **kwargs: Any) -> Any:
        """Call `module:function` in this test's interpreter. See Interpreter.call."""
        return self._interpreter().call(target, *args, timeout=timeout, **kwargs)

    def new(self, target: str, *args: Any, timeout: float = 5, **kwargs: Any) -> Handle:
        """Make an object of `module:Class` in this test's interpreter."""
        return self._interpreter().new(target, *args, timeout=timeout, **kwargs)

    def raises(self, name: str = "", *, any: bool = False) -> Any:  # noqa: A002 -- the contract's word
        """Expect the learner's code to raise. See Interpreter.raises."""
        return self._interpreter().raises(name, any=any)

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | str = b"",
        env: Mapping[str, str] | None = None,
        files: Mapping[str, bytes | str] | None = None,
        cwd: str = ".",
        timeout: float = 5,
        check: bool = False,
    ) -> Result:
        """Run a program to its end in the submission's folder; `check` makes exit != 0 broke."""
        begin = time.monotonic()  # measured here: the sandbox's word about time is data
        reply = self.client.request(
            "run",
            within=timeout,
            argv=list(argv),
            stdin=b64(_bytes(stdin)),
            env=dict(env or {}),
            files={name: b64(_bytes(content)) for name, content in (files or {}).items()},
            cwd=cwd,
            timeout=timeout,
        )
        out, err = (_unbase64(reply.get(stream, "")) for stream in ("stdout", "stderr"))
        self._ran.append(out[-2000:] + err[-2000:])
        if "broke" in reply:
            raise broken(reply, f"`{' '.join(argv)[:80]}`", timeout)
        code, seconds = reply.get("code"), time.monotonic() - begin
        if not isinstance(code, int):
            raise Broke("answer", "The sandbox sent what cannot be read.")
        if check and code != 0:
            raise Broke("exit", f"`{' '.join(argv)[:80]}` ended with exit code {code}.")
        return Result(code, out, err, seconds, self._written)

    def _written(self, path: str) -> bytes | None:
        content = self.client.request("read", path=path).get("content")
        return None if content is None else _unbase64(content)

    def read(self, path: str) -> bytes:
        """A submitted file as handed in; the check fails when it was not."""
        assert path in self._submitted, f"the file '{path}' was not handed in"
        return self._submitted[path]

    def text(self, path: str) -> str:
        """A submitted file as UTF-8 text; the check fails when it is not."""
        try:
            return self.read(path).decode("utf-8")
        except UnicodeDecodeError as error:
            raise AssertionError(f"{path} is not UTF-8 text: {error.reason}") from None

    def json(self, path: str) -> Any:
        """A submitted file parsed as JSON; a syntax error fails the check with its line."""
        return _parsed(self.read(path), path)

    def exists(self, path: str) -> bool:
        """Whether this file was handed in."""
        return path in self._submitted

    def paths(self) -> list[str]:
        """The names of all files handed in, sorted."""
        return sorted(self._submitted)


def _bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _unbase64(text: Any) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        raise Broke("answer", "The sandbox sent what cannot be read.") from None


def _unpack(archive: bytes) -> dict[str, bytes]:
    found = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for entry in tar:
            stream = tar.extractfile(entry)
            if stream is not None:
                found[entry.name] = stream.read()
    return found
