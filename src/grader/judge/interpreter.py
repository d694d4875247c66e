"""The learner's modules in a process of their own, called from a hidden test."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from grader.agent import wire
from grader.judge.client import AgentClient, HandleNumber, broken, value_of
from grader.judge.errors import Broke, Raised, unreadable
from grader.judge.trail import TRAIL


@dataclass
class Caught:
    """What `solution.raises` caught: the class's name, the message and the plain arguments."""

    type: str = ""
    message: str = ""
    args: tuple[Any, ...] = ()


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

    def __init__(self, client: AgentClient, env: Mapping[str, str]) -> None:
        self._client = client
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
        reply = self._client.request(
            "call", within=timeout, interpreter=number, request=body, timeout=timeout
        )
        try:
            value = value_of(reply, what, timeout)
        except Raised as error:
            self._tell(request, what, args, kwargs, f"raised {error.type}: ", error.text)
            raise
        except Broke as error:
            self._tell(request, what, args, kwargs, "broke: ", error.message)
            raise
        self._tell(request, what, args, kwargs, "returned ", value)
        return value

    def _tell(
        self,
        request: Mapping[str, Any],
        what: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any] | None,
        ended: str,
        value: Any,
    ) -> None:
        module = str(request.get("target", "")).partition(":")[0]
        name = what.removesuffix("()")
        if request["op"] == "attribute":
            TRAIL.saw(f"read the attribute {name}")
        else:
            made = "an object" if request["op"] == "new" and ended == "returned " else value
            TRAIL.called(f"{module}.{name}" if module else name, args, kwargs or {}, ended, made)

    def _encoded(self, value: Any) -> Any:
        if isinstance(value, Handle):
            return {"$": "handle", "v": value._number}
        return wire.encode(value)

    def _started(self) -> int:
        with self._lock:
            if self._number is None:
                reply = self._client.request("interpreter", env=self._env)
                if "broke" in reply:
                    raise broken(reply, "Your program", 0)
                number = reply.get("interpreter")
                if not isinstance(number, int):
                    raise unreadable()
                self._number = number
            return self._number


def _title(target: str) -> str:
    return target.partition(":")[2] + "()"
