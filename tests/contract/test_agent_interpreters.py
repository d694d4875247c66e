"""Interpreters of the learner's code, started and called for real, without a sandbox around them.

Python and JavaScript keep the same promises.
"""

from __future__ import annotations

import os
import queue
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from grader import shipped
from grader.agent import wire
from grader.agent.interpreters import Interpreter, Zygote

pytestmark = pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")

LEARNERS = """
import asyncio, os, sqlite3, sys, threading, time

connection = sqlite3.connect(":memory:")
barrier = threading.Barrier(3)
state = []

def add(a, b): return a + b
def remember(item): state.append(item); return state
def where(): return os.getcwd(), sorted(os.environ), sys.argv[0]
def fail(): raise KeyError("no such thing")
def leave(): sys.exit(3)
def vanish(): os._exit(3)
def crash(): os.kill(os.getpid(), 9)
def sleep(): time.sleep(100)
def meet(): return barrier.wait(5) >= 0
def shout(): os.write(1, b"x" * 100_000); time.sleep(100)
def say(): os.write(1, b"said\\n"); return 1
def query(): return connection.execute("SELECT 1").fetchone()
def forge(): os.write(3, b"\\xff\\xff\\xff\\xff")
def scribble(): os.write(3, b'\\0\\0\\0\\x09{"id":[]}'); return 5
def count(): yield from range(3)
async def later(): await asyncio.sleep(0); return "later"
def modules(): return [name for name in sys.modules if name.startswith("grader")]
class Counter:
    def __init__(self, start): self.value = start
    def up(self, by=1): self.value += by; return self.value
"""


IN_JAVASCRIPT = """
import fs from "node:fs";

const [state, waiting] = [[], []];

export const add = (a, b) => a + b;
export const remember = (item) => { state.push(item); return state; };
export const where = () => [process.cwd(), Object.keys(process.env), process.argv[1]];
class LookupError extends Error {}
class KeyError extends LookupError {}
export function fail() { throw new KeyError("no such thing"); }
export const vanish = () => process.exit(3);
export const crash = () => process.kill(process.pid, "SIGKILL");
export function sleep() { for (;;); }
export const meet = () => new Promise((go) => {
  if (waiting.push(go) === 3) waiting.forEach((one) => one(true));
});
export function shout() { fs.writeSync(1, "x".repeat(100_000)); sleep(); }
export const say = () => { console.log("said"); return 1; };
export const forge = () => fs.writeSync(3, Buffer.alloc(4, 255));
export const scribble = () => fs.writeSync(3, '\\0\\0\\0\\x09{"id":[]}') && 5;
export function* count() { yield* [0, 1, 2]; }
export const later = async () => "later";
export const modules = () =>
  [...process.argv, ...process.execArgv, ...Object.keys({ ...process.env, ...globalThis })]
    .filter((name) => /grader|worker/i.test(name));
export class Counter {
  constructor(start) { this.value = start; }
  up({ by = 1 }) { this.value += by; return this.value; }
}
"""
NODE = shutil.which("node")
WORKER = shipped.runners() / "node" / "worker.mjs"


@pytest.fixture(
    scope="module",
    params=[
        "python",
        pytest.param("js", marks=pytest.mark.skipif(not NODE, reason="no node on this machine")),
    ],
)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def zygote(language: str) -> Iterator[Zygote]:
    made = Zygote([], [str(NODE), str(WORKER)] if language == "js" else [])
    yield made
    os.kill(made.pid, signal.SIGKILL)
    os.waitpid(made.pid, 0)
    made._sock.close()


@pytest.fixture
def interpreter(
    zygote: Zygote, language: str, tmp_path: Path
) -> Iterator[Callable[[], Interpreter]]:
    """Starts interpreters over the learner's module, and ends them."""
    if language == "js":
        (tmp_path / "answer.mjs").write_text(IN_JAVASCRIPT)
    else:
        (tmp_path / "answer.py").write_text(LEARNERS)
    started: list[Interpreter] = []

    def start() -> Interpreter:
        started.append(Interpreter(zygote, str(tmp_path), {"ONLY": "this"}, 10_000))
        started[-1].wait_ready()
        return started[-1]

    yield start
    for one in started:
        one.kill()
        call(one, "add", 1, 1)
        for item in vars(one).values():
            if isinstance(item, socket.socket):
                item.close()


Start = Callable[[], Interpreter]


def ask(one: Interpreter, request: dict[str, Any], timeout: float) -> dict[str, Any]:
    answer: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    one.request(request, timeout, answer.put)
    return answer.get(timeout=timeout + 5)


def call(one: Interpreter, name: str, *args: Any, timeout: float = 10) -> dict[str, Any]:
    request = {"op": "call", "target": f"answer:{name}", "args": list(args), "kwargs": {}}
    return {key: value for key, value in ask(one, request, timeout).items() if key != "id"}


def test_calls_are_answered(interpreter: Start, tmp_path: Path) -> None:
    """Values come back; coroutines are awaited, generators drained; state stays between calls."""
    one = interpreter()
    assert call(one, "add", 1, 2) == {"value": 3}
    assert call(one, "later") == {"value": "later"}
    assert call(one, "count") == {"value": [0, 1, 2]}
    call(one, "remember", "a")
    assert call(one, "remember", "b") == {"value": ["a", "b"]}
    folder, variables, program = wire.decode(call(one, "where")["value"])
    assert (folder, program) == (str(tmp_path), str(tmp_path))
    assert "ONLY" in variables
    assert not [name for name in variables if name.startswith("GRADER_")]


@pytest.mark.parametrize("language", ["python"], indirect=True)
def test_a_call_alone_uses_the_main_thread(interpreter: Start) -> None:
    """What is bound to the thread that imported the module (SQLite) works."""
    assert call(interpreter(), "query") == {"value": {"$": "tuple", "v": [1]}}


def test_the_learners_code_finds_nothing_of_graders(interpreter: Start) -> None:
    """The modules of the agent are not lying about in the learner's interpreter."""
    assert call(interpreter(), "modules") == {"value": []}


def test_each_interpreter_is_its_own(interpreter: Start) -> None:
    """What one remembers another does not know."""
    first, second = interpreter(), interpreter()
    call(first, "remember", 1)
    assert call(second, "remember", 2) == {"value": [2]}
    assert first.pid != second.pid


def test_objects_stay_in_the_interpreter(interpreter: Start) -> None:
    """An object is known by its number: methods are called on it, attributes read."""
    one = interpreter()
    request = {"op": "new", "target": "answer:Counter", "args": [5], "kwargs": {}}
    number = ask(one, request, 5)["value"]["v"]
    method = {"op": "method", "handle": number, "name": "up", "args": [], "kwargs": {"by": 2}}
    assert ask(one, method, 5)["value"] == 7
    attribute = {"op": "attribute", "handle": number, "name": "value", "args": [], "kwargs": {}}
    assert ask(one, attribute, 5)["value"] == 7


def test_what_is_raised_is_told(interpreter: Start, language: str) -> None:
    """Class, bases, message and the learner's own lines; the interpreter lives on."""
    one = interpreter()
    raised = call(one, "fail")["raised"]
    assert raised["type"] == "KeyError"
    assert "LookupError" in raised["bases"]
    assert raised["args"] == ["no such thing"]
    assert {"python": 'File "answer.py"', "js": "answer.mjs:"}[language] in raised["traceback"]
    assert "grader" not in raised["traceback"]
    unknown = {"python": "AttributeError", "js": "TypeError"}[language]
    assert call(one, "nothing_like_that")["raised"]["type"] == unknown
    if language == "python":
        assert call(one, "leave")["raised"]["type"] == "SystemExit"
    assert call(one, "add", 1, 2) == {"value": 3}


def test_calls_run_in_parallel_in_one_interpreter(interpreter: Start) -> None:
    """Three calls that wait for each other all come back."""
    one = interpreter()
    replies: list[Any] = []
    threads = [threading.Thread(target=lambda: replies.append(call(one, "meet"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)
    assert replies == [{"value": True}] * 3


def test_a_call_without_end_ends_the_interpreter(interpreter: Start) -> None:
    """The time is enforced from outside; later calls hear of it, and so do those beside it."""
    one = interpreter()
    beside: list[Any] = []
    thread = threading.Thread(target=lambda: beside.append(call(one, "sleep", timeout=20)))
    thread.start()
    assert call(one, "sleep", timeout=0.5) == {"broke": "timeout"}
    thread.join(10)
    assert beside == [{"broke": "timeout"}]
    assert call(one, "add", 1, 2) == {"broke": "timeout"}


@pytest.mark.parametrize(("name", "code"), [("vanish", 3), ("crash", -9)])
def test_a_process_that_ends_is_no_answer(interpreter: Start, name: str, code: int) -> None:
    """Exit code or signal are told, at once and to every later call."""
    one = interpreter()
    assert call(one, name) == {"broke": "ended", "code": code}
    assert call(one, "add", 1, 2) == {"broke": "ended", "code": code}


def test_a_worker_that_cannot_start_keeps_nobody_waiting(tmp_path: Path) -> None:
    """Its end is known at once, and told to whoever calls."""
    made = Zygote([], ["/no/such/program"])
    try:
        one = Interpreter(made, str(tmp_path), {}, 10_000)
        began = time.monotonic()
        one.wait_ready()
        assert time.monotonic() - began < 4
        assert call(one, "add", 1, 2) == {"broke": "ended", "code": 1}
    finally:
        os.kill(made.pid, signal.SIGKILL)
        os.waitpid(made.pid, 0)
        made._sock.close()


def test_printing_without_end_ends_the_interpreter(interpreter: Start) -> None:
    """Past the limit of its output it is killed, and that is said."""
    one = interpreter()
    assert call(one, "shout") == {"broke": "output"}
    assert len(one.output()) == 10_000


def test_what_is_printed_is_kept(interpreter: Start) -> None:
    """The learner's own output of this test can be shown."""
    one = interpreter()
    call(one, "say")
    assert one.output() == b"said\n"


def test_bytes_written_past_the_protocol_are_no_answer(interpreter: Start) -> None:
    """Who writes into the agent's connection breaks that interpreter and nothing else."""
    one, other = interpreter(), interpreter()
    assert call(one, "forge")["broke"] == "answer"
    assert call(other, "add", 1, 2) == {"value": 3}


def test_a_forged_reply_to_nobody_is_passed_over(interpreter: Start) -> None:
    """A reply with a number that was never given, or that is none, reaches nobody."""
    assert call(interpreter(), "scribble", timeout=3) == {"value": 5}


def test_arguments_bigger_than_a_pipe_cross(interpreter: Start) -> None:
    """Megabytes go in and come back."""
    text = "x" * 3_000_000
    assert call(interpreter(), "add", text, "y") == {"value": text + "y"}


def test_a_stopped_process_does_not_hold_a_big_request(interpreter: Start) -> None:
    """Also while its arguments are still being sent, a call ends in its time."""
    one = interpreter()
    assert call(one, "add", 1, 2) == {"value": 3}
    os.kill(one.pid, signal.SIGSTOP)
    timer = threading.Timer(6, one.kill)
    timer.start()
    began = time.monotonic()
    assert call(one, "add", "x" * 3_000_000, "y", timeout=0.5) == {"broke": "timeout"}
    assert time.monotonic() - began < 4
    timer.cancel()
