"""A plugin that lets plain pytest run the hidden tests of an exercise, without any isolation.

The submission is imported into the process of the tests. Services are reached through the same
links as in a sandbox, because tests order outages and recordings there. Only `bench/run.py` uses
this: it is what a graded check is compared with.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grader.agent.relay import Relays
from grader.judge.gateway import Gateway
from grader.judge.plugin import eventually as eventually_
from grader.judge.plugin import stays as stays_
from grader.judge.services import make
from grader.judge.together import Together

JOB = json.loads(os.environ["BARE_JOB"])
"""`solution` (folder), `seed`, `env`, `services`: name -> the judge's options, `init`, `near`."""


class Program:
    """The submission, in this process. `timeout` is taken and ignored."""

    def __init__(self) -> None:
        self._own: set[str] = set()

    def forget(self) -> None:
        """The next test imports the submission anew, with the environment as it was."""
        os.environ.update(JOB["env"])
        for path in Path(JOB["solution"]).glob("*.py"):
            sys.modules.pop(path.stem, None)

    def _find(self, target: str) -> Callable[..., Any]:
        module, _, name = target.partition(":")
        return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]

    def call(self, target: str, *args: Any, timeout: float = 5, **kwargs: Any) -> Any:
        del timeout
        value = self._find(target)(*args, **kwargs)
        return list(value) if hasattr(value, "__next__") else value

    def new(self, target: str, *args: Any, timeout: float = 5, **kwargs: Any) -> Object:
        del timeout
        return Object(self._find(target)(*args, **kwargs))

    def process(self, env: dict[str, str] | None = None) -> Program:
        """The same process, where `env` holds until the test's end."""
        os.environ.update(env or {})
        return self

    def run(
        self,
        argv: list[str],
        *,
        stdin: bytes = b"",
        files: dict[str, str] | None = None,
        **_: Any,
    ) -> SimpleNamespace:
        for name, content in (files or {}).items():
            (Path(JOB["solution"]) / name).write_text(content)
        importlib.invalidate_caches()
        done = subprocess.run(
            argv, input=stdin, capture_output=True, cwd=JOB["solution"], check=True
        )
        return SimpleNamespace(code=0, stdout=done.stdout, stderr=done.stderr)


class Object:
    """An object of the submission's; its methods take a `timeout`, too."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)

        def call(*args: Any, timeout: float = 5, **kwargs: Any) -> Any:
            del timeout
            return method(*args, **kwargs)

        return call if callable(method) else method


class Bare:
    """Services, links and the submission; pytest's hooks and the fixtures."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._program = Program()
        self._fixtures: dict[str, Any] = {}
        self._rng = random.Random()  # noqa: S311 -- inputs repeat
        self._services = {}
        if not JOB["services"]:
            return
        gateway = Gateway(self)
        sockets = {name: f"{self._folder.name}/{name}.sock" for name in JOB["services"]}
        for name, options in JOB["services"].items():
            service = make(name, options)
            service.wait_ready(30)
            service.prepare(options["init"])
            link = gateway.link(name, sockets[name], options["port"], options["port"])
            self._services[name] = service
            self._fixtures[name] = service.fixture(link)
        near = {options["near"]: sockets[name] for name, options in JOB["services"].items()}
        self._near = {options["port"]: options["near"] for options in JOB["services"].values()}
        self._relays = Relays(near)
        self._relays.begin()
        self._relays.reset()

    def switch(self, port: int, opened: bool) -> None:
        self._relays.switch(self._near[port], opened)

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "check(task, ...): a hidden test")
        config.addinivalue_line("markers", "keep: reset once before the class or module")
        os.environ.update(JOB["env"])
        sys.path.insert(0, JOB["solution"])

    @pytest.fixture(autouse=True)
    def _fresh(self, request: pytest.FixtureRequest) -> None:
        self._rng.seed(f"{JOB['seed']}:{request.node.name}")
        self._program.forget()
        for service in self._services.values():
            service.reset()

    @pytest.fixture
    def solution(self) -> Program:
        return self._program

    @pytest.fixture
    def postgres(self) -> Any:
        return self._fixtures["postgres"]

    @pytest.fixture
    def redis(self) -> Any:
        return self._fixtures["redis"]

    @pytest.fixture
    def rng(self) -> random.Random:
        return self._rng

    @pytest.fixture
    def together(self) -> Together[Any]:
        return Together()

    @pytest.fixture
    def eventually(self) -> Callable[..., Any]:
        return eventually_

    @pytest.fixture
    def stays(self) -> Callable[..., None]:
        return stays_

    @pytest.fixture
    def note(self) -> Callable[[str, Any], Any]:
        return lambda _label, value: value

    @pytest.fixture
    def award(self) -> Callable[..., None]:
        return lambda *_args, **_kwargs: None


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    with tempfile.TemporaryDirectory() as copy:  # tests may put files beside the submission
        JOB["solution"] = shutil.copytree(JOB["solution"], copy, dirs_exist_ok=True)
        raise SystemExit(pytest.main(["-q", "-c", os.devnull, *sys.argv[1:]], [Bare()]))
