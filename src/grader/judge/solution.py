"""The `solution` fixture: the submission, reached only through its sandbox's agent."""

from __future__ import annotations

import contextlib
import io
import tarfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from grader.judge.client import AgentClient, b64, broken, said, unbase64
from grader.judge.errors import AuthorFault, Broke, SandboxLost, unreadable
from grader.judge.forward import Forwards
from grader.judge.interpreter import Handle, Interpreter
from grader.judge.programs import Process, Program
from grader.judge.replicas import Replicas, started
from grader.judge.repository import Repo, object_files, refs_of, unpack
from grader.judge.result import Result, parsed
from grader.judge.sandboxes import Sandboxes
from grader.judge.servers import Server
from grader.judge.trail import TRAIL, same_but_case, shown

if TYPE_CHECKING:
    from grader.judge.handlers import HttpServer

P = TypeVar("P", bound=Process)
TAIL = 4000


class Solution:
    """The submission. Between tests its processes end and its files are laid out anew."""

    def __init__(
        self, archive: bytes, programs: Mapping[str, Mapping[str, Any]], forwards: Forwards
    ) -> None:
        self.client: AgentClient
        self._submitted = _unpack(archive)
        self._archive = archive
        self._programs = {name: Program(name=name, **values) for name, values in programs.items()}
        self._forwards = forwards
        self._further: Sandboxes | None = None
        self._main: Interpreter | None = None
        self._lock = threading.Lock()
        self._ran: list[bytes] = []
        self._processes: list[Process] = []
        self._repositories: dict[str, Repo] = {}

    # -- for the runtime ----------------------------------------------------------------------

    def attach(
        self, client: AgentClient, env: Mapping[str, str], further: Sandboxes | None = None
    ) -> None:
        """Use this sandbox from now on: nothing has run in it. `further` has more of them."""
        self.client = client
        self._further = further
        self.load(client, env)

    def load(self, client: AgentClient, env: Mapping[str, str]) -> None:
        """Hand a sandbox the submission; its next reset lays the files out."""
        client.request("load", archive=b64(self._archive), env=dict(env))

    def reset(self) -> None:
        self._main = None
        self._ran = []
        while self._processes:
            self._processes.pop().close()
        if "broke" in self.client.request("reset"):
            raise SandboxLost("The last test's processes could not be ended.")

    def printed(self) -> str:
        """The end of what the learner's programs printed in this test."""
        parts = [_or_nothing(self._interpreters_printed)]
        parts += [output[-2000:].decode("utf-8", "replace") for output in self._ran]
        size = TAIL // max(len(self._processes), 1)
        parts += [_or_nothing(partial(one.report, size)) for one in self._processes]
        return "\n".join(part for part in parts if part)[-TAIL:]

    def _interpreters_printed(self) -> str:
        return said(self.client.request("tail", within=1, grace=1), "text", 2 * TAIL)

    def crashed(self, patience: float) -> Broke | None:
        """How a background program ended that the test did not end; None when none did.

        Its connections close before its end is known: so many seconds are given to that.
        """
        until = time.monotonic() + patience
        while self._processes:
            for one in self._processes:
                try:
                    ended = one.ended(within=1)
                except Broke as error:
                    return error
                if ended is not None:
                    return ended
            if time.monotonic() >= until:
                break
            time.sleep(0.02)
        return None

    def printed_too(self, text: str) -> None:
        """Add to what `printed` tells: what a program of this test said."""
        self._ran.append(text[-2000:].encode())

    # -- for hidden tests: calls --------------------------------------------------------------

    def process(self, env: Mapping[str, str] | None = None) -> Interpreter:
        """Another interpreter in the same sandbox."""
        return Interpreter(self.client, env or {})

    def _interpreter(self) -> Interpreter:
        with self._lock:
            if self._main is None:
                self._main = Interpreter(self.client, {})
            return self._main

    def call(self, target: str, *args: Any, timeout: float = 5, **kwargs: Any) -> Any:
        """Call `module:function` in the check's own interpreter; the result as a plain value.

        Coroutines are awaited, generators drained to a list; calls from several threads run at the
        same time. Raises Broke when it raises, or takes longer than `timeout`.
        """
        return self._interpreter().call(target, *args, timeout=timeout, **kwargs)

    def new(self, target: str, *args: Any, timeout: float = 5, **kwargs: Any) -> Handle:
        """Make an object of `module:Class` in the check's own interpreter.

        Raises Broke when that raises, or takes longer than `timeout`.
        """
        return self._interpreter().new(target, *args, timeout=timeout, **kwargs)

    def raises(self, name: str = "", *, any: bool = False) -> Any:  # noqa: A002 -- the contract's word
        """`with solution.raises("ValueError") as caught:` around calls that should raise.

        `name` is the class's name, or that of one it is derived from; `any=True` takes all. The
        check fails when nothing is raised, or something else.
        """
        return self._interpreter().raises(name, any=any)

    # -- for hidden tests: programs -----------------------------------------------------------

    def start(
        self, program: str, replicas: int = 1, env: Mapping[str, str] | None = None
    ) -> Process | Replicas[Process]:
        """Start a program of the kind `daemon`, and wait until it is ready.

        With more `replicas` than one, each has a sandbox of its own. Raises Broke when it ends
        before it is ready, or is not ready in time.
        """
        defined = self._program(program, "daemon", "solution.start")
        return self._started(lambda sandbox: Process(defined, sandbox, env or {}), replicas)

    def serve(
        self, program: str, replicas: int = 1, env: Mapping[str, str] | None = None
    ) -> Server | Replicas[Server]:
        """Start a program of the kind `serve` on a free port, and wait until it is ready.

        With more `replicas` than one, each has a sandbox of its own. Raises Broke when it ends
        before it is ready, or is not ready in time.
        """
        defined = self._program(program, "serve", "solution.serve")
        forwards = self._forwards
        return self._started(lambda one: Server(defined, one, env or {}, forwards), replicas)

    def _started(self, make: Callable[[AgentClient], P], replicas: int) -> P | Replicas[P]:
        sandboxes = [self.client]
        if replicas > 1:
            sandboxes += self._others().take(replicas - 1)
        return started(make, sandboxes, self._processes.append)

    def _program(self, name: str, kind: str, method: str) -> Program:
        program = self._programs.get(name)
        if program is None:
            raise AuthorFault(f"exercise.yaml names no program '{name}'")
        if program.kind != kind:
            raise AuthorFault(
                f"{method} takes programs of the kind {kind}: '{name}' is {program.kind}"
            )
        return program

    def _others(self) -> Sandboxes:
        if self._further is None:
            raise AuthorFault("the reference has one sandbox: no replicas, and no fresh runs")
        return self._further

    def run(
        self,
        program: str | Sequence[str],
        *,
        stdin: bytes | str = b"",
        env: Mapping[str, str] | None = None,
        files: Mapping[str, bytes | str] | None = None,
        cwd: str = ".",
        timeout: float = 5,
        check: bool = False,
        fresh: bool = False,
        collect: Sequence[str] = (),
        world: HttpServer | None = None,
    ) -> Result:
        """Run a program of the kind `once`, or a command, to its end in the submission's folder.

        `check` makes exit != 0 broke, `fresh` gives it a sandbox of its own, `collect` brings back
        what these globs match: the plain files, and the names of folders and links. `world` is a
        private server that this fresh run reaches.
        """
        if world is not None and not fresh:
            raise AuthorFault("solution.run(world=...) needs fresh=True")
        argv = program
        if isinstance(program, str):
            argv = self._program(program, "once", "solution.run").run
        request = {
            "argv": list(argv),
            "stdin": b64(_bytes(stdin)),
            "env": dict(env or {}),
            "files": {name: b64(_bytes(content)) for name, content in (files or {}).items()},
            "cwd": cwd,
            "timeout": timeout,
        }
        if not fresh:
            return self._run_in(self.client, request, check, collect, fresh=False)
        others = self._others()
        (sandbox,) = others.take(1)
        try:
            with world.served.reached_by(sandbox) if world else contextlib.nullcontext():
                return self._run_in(sandbox, request, check, collect, fresh=True)
        finally:
            others.release(sandbox)

    def _run_in(
        self,
        client: AgentClient,
        request: Mapping[str, Any],
        check: bool,
        collect: Sequence[str],
        *,
        fresh: bool,
    ) -> Result:
        what = f"`{' '.join(request['argv'])[:80]}`"
        begin = time.monotonic()  # measured here: the sandbox's word about time is data
        reply = client.request("run", within=request["timeout"], **request)
        out, err = (unbase64(reply.get(stream, "")) for stream in ("stdout", "stderr"))
        self._ran.append(out[-2000:] + err[-2000:])
        if "broke" in reply:
            error = broken(reply, what, request["timeout"])
            TRAIL.saw(f"ran {what}: {error.message}")
            raise error
        printed = f"printed {shown(out)}" if out else "printed nothing"
        TRAIL.saw(f"ran {what}: exit code {reply.get('code')}, {printed}")
        code, seconds = reply.get("code"), time.monotonic() - begin
        if not isinstance(code, int):
            raise unreadable()
        if check and code != 0:
            raise Broke("exit", f"{what} ended with exit code {code}.")
        collected, tree = _collected(client, collect, what) if collect else ({}, {})
        read = None if fresh else partial(_written, client)
        return Result(code, out, err, seconds, collected, tree, tuple(collect), read)

    # -- for hidden tests: submitted files ----------------------------------------------------

    def read(self, path: str) -> bytes:
        """A submitted file as handed in; the check fails when it was not."""
        other = same_but_case(path, self.paths())
        there = f"; there is '{other}': upper and lower case count" if other else ""
        TRAIL.saw(f"read the file {path}")
        assert path in self._submitted, f"the file '{path}' was not handed in{there}"
        return self._submitted[path]

    def text(self, path: str) -> str:
        """A submitted file as UTF-8 text; the check fails when it is not."""
        try:
            return self.read(path).decode("utf-8")
        except UnicodeDecodeError as error:
            raise AssertionError(f"{path} is not UTF-8 text: {error.reason}") from None

    def json(self, path: str) -> Any:
        """A submitted file parsed as JSON; a syntax error fails the check with its line."""
        return parsed(self.read(path), path)

    def exists(self, path: str) -> bool:
        """Whether this file was handed in."""
        other = same_but_case(path, self.paths())
        found = "yes" if path in self._submitted else f"no, but {other}" if other else "no"
        TRAIL.saw(f"looked whether {path} was handed in: {found}")
        return path in self._submitted

    def paths(self) -> list[str]:
        """The names of all files handed in, sorted."""
        return sorted(self._submitted)

    def git(self, folder: str) -> Repo:
        """The repository that `submit: [{git: folder}]` took, read once for all checks.

        The check fails when it is damaged. Raises Broke when it is more than can be looked at.
        """
        if folder not in self._repositories:
            root = folder if folder.endswith(".git") else f"{folder}/.git"
            refs = refs_of(self._submitted, root)
            unpacked = unpack(self.client, folder, object_files(self._submitted, root))
            self._repositories[folder] = Repo(folder, refs, unpacked)
        return self._repositories[folder]


def _or_nothing(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except Broke:
        return ""


def _written(client: AgentClient, path: str) -> bytes | None:
    content = client.request("read", path=path).get("content")
    return None if content is None else unbase64(content)


def _collected(
    client: AgentClient, globs: Sequence[str], what: str
) -> tuple[dict[str, bytes], dict[str, str]]:
    reply = client.request("collect", globs=list(globs))
    if "broke" in reply:
        raise Broke("output", f"{what} wrote more files, or larger ones, than can be looked at.")
    files, tree = reply.get("files"), reply.get("tree")
    if not isinstance(files, dict) or not isinstance(tree, dict):
        raise unreadable()
    if not all(isinstance(kind, str) for kind in tree.values()):
        raise unreadable()
    contents = {name: unbase64(files[name]) for name in sorted(files)}
    return contents, {name: tree[name] for name in sorted(tree)}


def _bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _unpack(archive: bytes) -> dict[str, bytes]:
    found = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for entry in tar:
            stream = tar.extractfile(entry)
            if stream is not None:
                found[entry.name] = stream.read()
    return found
