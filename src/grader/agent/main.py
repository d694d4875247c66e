"""The agent: started with the sandbox, it waits for the judge and serves it alone.

Environment, given by the engine: GRADER_KEY (what a connection must show first), GRADER_SOCKET,
GRADER_FOLDER (where the submission runs), GRADER_SCRATCH (other writable places), GRADER_RELAYS
(`5432=/session/postgres.sock,...`), GRADER_PRELOAD (modules that interpreters find imported),
GRADER_WORKER (`node:/path/worker.mjs`, what calls functions that are not Python's), GRADER_OUTPUT
(bytes that one process may print), GRADER_SESSION (where the judge's sockets are, if not in
/session), GRADER_SHARED (not empty: processes and loopback are not this sandbox's own).
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hmac
import itertools
import os
import socket
import threading
from typing import Any

from . import processes, programs, wire
from .files import Files, empty
from .interpreters import Answer, Interpreter, Zygote
from .relay import Relays

Request = dict[str, Any]
Reply = dict[str, Any]
TAIL = 4000
READ_LIMIT = 8 * 1024 * 1024
COLLECT_LIMIT = 16 * 1024 * 1024


class Agent:
    """State of one sandbox. Every public method is an operation the judge may ask for."""

    def __init__(self, settings: dict[str, str]) -> None:
        preload = [name for name in settings.get("GRADER_PRELOAD", "").split(",") if name]
        worker = [word for word in settings.get("GRADER_WORKER", "").split(":") if word]
        self._zygote = Zygote(preload, worker)  # forks, so before any thread
        relays = [item for item in settings.get("GRADER_RELAYS", "").split(",") if item]
        self._shared = bool(settings.get("GRADER_SHARED"))
        targets = {int(port): path for port, _, path in (i.partition("=") for i in relays)}
        self._relays = Relays(targets, shared=self._shared)
        scratch = [path for path in settings.get("GRADER_SCRATCH", "").split(":") if path]
        self._files = Files(settings["GRADER_FOLDER"], scratch)
        self._output = int(settings.get("GRADER_OUTPUT", 1 << 20))
        self._env: dict[str, str] = {}
        self._interpreters: dict[int, Interpreter] = {}
        self._spare: Interpreter | None = None
        self._programs: dict[int, programs.Program] = {}
        self._slot = os.path.dirname(settings["GRADER_SOCKET"])
        self._session = settings.get("GRADER_SESSION") or "/session"
        self._numbers = itertools.count(1)  # never used twice: a late call finds nobody
        self._lock = threading.Lock()

    def load(self, request: Request) -> Reply:
        # The image's own variables (PATH, ...) without ours, then what the judge was told.
        image = {k: v for k, v in os.environ.items() if not k.startswith("GRADER_")}
        self._env = {**image, **request["env"]}
        self._files.load(base64.b64decode(request["archive"]))
        self._relays.begin()
        return {}

    def reset(self, _request: Request) -> Reply:
        with self._lock:
            wanted = bool(self._interpreters)
            self._interpreters.clear()
            ended, self._programs = self._programs, {}
            self._spare = None
        processes.kill_strays(self._zygote.pid, shared=self._shared)
        for program in ended.values():
            program.wait(1)  # else what is left of it would count as a process
        self._files.reset()
        self._relays.reset()
        if wanted:  # the next test will want one, too: it starts while services are made fresh
            with contextlib.suppress(OSError):
                self._spare = self._interpreter({})
        return {}

    def interpreter(self, request: Request) -> Reply:
        try:
            made = self._take_spare(request["env"]) or self._interpreter(request["env"])
            made.wait_ready()
        except OSError as error:
            return {"broke": "pids", "detail": str(error)}
        with self._lock:
            number = next(self._numbers)
            self._interpreters[number] = made
        return {"interpreter": number}

    def _take_spare(self, env: dict[str, str]) -> Interpreter | None:
        with self._lock:
            spare, self._spare = (self._spare, None) if not env else (None, self._spare)
            return spare

    def _interpreter(self, env: dict[str, str]) -> Interpreter:
        folder = str(self._files.folder)
        return Interpreter(self._zygote, folder, {**self._env, **env}, self._output)

    def call(self, request: Request, answer: Answer) -> None:
        """Without a thread of its own: calls may be many, and processes are few."""
        with self._lock:
            target = self._interpreters.get(request["interpreter"])
        if target is None:
            answer({"broke": "ended", "code": None})
        else:
            target.request(request["request"], request["timeout"], answer)

    def run(self, request: Request) -> Reply:
        for name, content in request["files"].items():
            self._files.write(name, base64.b64decode(content))
        folder = self._files.folder / request.get("cwd", ".")
        answer = processes.run(
            request["argv"],
            folder=str(folder),
            env={**self._env, **request["env"]},
            stdin=base64.b64decode(request["stdin"]),
            timeout=request["timeout"],
            output=self._output,
        )
        for stream in ("stdout", "stderr"):
            if stream in answer:
                answer[stream] = base64.b64encode(answer[stream]).decode()
        return answer

    def start(self, request: Request) -> Reply:
        folder, env = str(self._files.folder), {**self._env, **request["env"]}
        made = programs.start(request["argv"], folder, env, self._output)
        if isinstance(made, str):
            return {"broke": "pids" if made == "pids" else "start", "detail": made}
        with self._lock:
            number = next(self._numbers)
            self._programs[number] = made
        return {"program": number}

    def look(self, request: Request) -> Reply:
        reply, printed = self._programs[request["program"]].look(request["tail"])
        return {**reply, "printed": base64.b64encode(printed).decode()}

    def signal(self, request: Request) -> Reply:
        self._programs[request["program"]].signal(request["signal"])
        return {}

    def kill(self, request: Request) -> Reply:
        self._programs[request["program"]].kill()
        return {}

    def wait(self, request: Request) -> Reply:
        return {"code": self._programs[request["program"]].wait(request["timeout"])}

    def memory(self, request: Request) -> Reply:
        return {"bytes": self._programs[request["program"]].memory()}

    def free_port(self, _request: Request) -> Reply:
        return {"port": programs.free_port()}

    def listening(self, request: Request) -> Reply:
        return {"listening": programs.listening(request["port"])}

    def listeners(self, _request: Request) -> Reply:
        """Where the learner's programs listen; where loopback is shared nobody can tell."""
        found = [] if self._shared else programs.listeners(self._relays.ports)
        return {"listeners": found}

    def forward(self, request: Request) -> Reply:
        self._relays.forward(request["port"], os.path.join(self._slot, request["socket"]))
        return {}

    def collect(self, request: Request) -> Reply:
        found = self._files.collect(request["globs"], COLLECT_LIMIT)
        if found is None:
            return {"broke": "files"}
        files = {name: base64.b64encode(content).decode() for name, content in found.files.items()}
        return {"files": files, "tree": found.kinds}

    def read(self, request: Request) -> Reply:
        content = self._files.read(request["path"], READ_LIMIT)
        return {"content": None if content is None else base64.b64encode(content).decode()}

    def tail(self, _request: Request) -> Reply:
        """The end of what this test's interpreters printed."""
        with self._lock:
            printed = b"".join(one.output() for one in self._interpreters.values())
        return {"text": printed[-TAIL:].decode("utf-8", "replace")}

    def reach(self, request: Request) -> Reply:
        path = os.path.join(self._session, request["socket"])
        port = self._relays.reach(
            request["port"], path, datagrams=request["datagrams"], alone=request["alone"]
        )
        return {"port": port}

    def leave(self, request: Request) -> Reply:
        self._relays.leave(request["port"], datagrams=request["datagrams"])
        return {}

    def relay(self, request: Request) -> Reply:
        self._relays.switch(request["port"], request["open"])
        return {}


OPERATIONS = (
    *("load", "reset", "interpreter", "run", "read", "collect", "tail"),
    *("relay", "reach", "leave"),
    *(
        "start",
        "look",
        "signal",
        "kill",
        "wait",
        "memory",
        "free_port",
        "listening",
        "listeners",
        "forward",
    ),
)


class Server:
    """The one connection of the sandbox's life; many requests may be under way on it."""

    def __init__(self, agent: Agent, connection: socket.socket) -> None:
        self._agent = agent
        self._connection = connection
        self._writing = threading.Lock()

    def serve(self) -> None:
        """Answer until the judge closes the connection."""
        with contextlib.suppress(EOFError, OSError, wire.BadData):
            while True:
                request = wire.receive(self._connection)
                if request.get("op") == "call":
                    self._agent.call(request, functools.partial(self._reply, request))
                    continue
                if request.get("op") == "reset":
                    self._answer(request)  # here: the learner's processes may hold all threads
                    continue
                try:
                    threading.Thread(target=self._answer, args=(request,), daemon=True).start()
                except RuntimeError:  # no thread can be made: the learner's processes hold all
                    self._reply(request, {"broke": "pids"})

    def _answer(self, request: Request) -> None:
        try:
            if request["op"] not in OPERATIONS:
                raise ValueError("no such operation")
            reply = getattr(self._agent, request["op"])(request)
        except Exception as error:
            reply = {"fault": f"{type(error).__name__}: {error}"}
        self._reply(request, reply)

    def _reply(self, request: Request, reply: Reply) -> None:
        number = request.get("number")
        with self._writing, contextlib.suppress(OSError):
            try:
                wire.send(self._connection, {**reply, "number": number})
            except wire.BadData as error:
                reply = {"broke": "answer", "detail": str(error)}
                wire.send(self._connection, {**reply, "number": number})


def listen(path: str, key: str) -> socket.socket:
    """Wait for the connection that shows the key; nobody can make another one afterwards."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    os.chmod(path, 0o666)  # the judge has another user id
    listener.listen(8)
    while True:
        connection, _ = listener.accept()
        try:
            first = wire.receive(connection, 4096, 5)
            shown = first.get("key")
            if isinstance(shown, str) and hmac.compare_digest(
                shown.encode("utf-8", "replace"), key.encode()
            ):
                connection.settimeout(None)
                wire.send(connection, {})
                listener.close()
                os.unlink(path)
                return connection
        except (EOFError, OSError, wire.BadData):
            pass
        connection.close()


def keep_private() -> None:
    """Nobody of the same user may trace this process or read its memory (prctl(2))."""
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE


def adopt_orphans() -> None:
    """Whoever leaves the learner's processes becomes a child of this one (prctl(2))."""
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def take_settings() -> dict[str, str]:
    """What the engine told this process, wiped from where its forks could read it.

    /proc/self/environ shows the memory that a process was started with, in its forks, too.
    """
    settings = {name: value for name, value in os.environ.items() if name.startswith("GRADER_")}
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        libc = ctypes.CDLL(None)
        libc.getenv.restype = ctypes.c_void_p
        for name, value in settings.items():
            before = len(os.fsencode(name)) + 1
            place = libc.getenv(os.fsencode(name))
            if place:
                ctypes.memset(place - before, 0, before + len(os.fsencode(value)))
    return settings


def main() -> None:
    keep_private()
    settings = take_settings()
    path = settings["GRADER_SOCKET"]
    if settings.get("GRADER_SHARED"):
        adopt_orphans()
    empty(os.path.dirname(path))  # of what the sandbox before this one may have left there
    agent = Agent(settings)
    Server(agent, listen(path, settings["GRADER_KEY"])).serve()


if __name__ == "__main__":
    main()
