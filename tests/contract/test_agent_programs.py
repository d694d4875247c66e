"""Background programs as the agent runs them: started, looked at, signalled and ended for real."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.agent import programs
from grader.agent.programs import Program

Start = Callable[..., Program]
ENV = {"PATH": os.environ["PATH"]}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts Python programs, and ends them."""
    made: list[Program] = []

    def begin(source: str, output: int = 10_000) -> Program:
        made.append(Program([sys.executable, "-u", "-c", source], str(tmp_path), ENV, output))
        return made[-1]

    yield begin
    for one in made:
        one.kill()


def _printed(one: Program, wanted: bytes) -> bytes:
    deadline = time.monotonic() + 20
    while (printed := one.look(10_000)[1]) != wanted and time.monotonic() < deadline:
        time.sleep(0.01)
    return printed


def test_a_program_runs_on(start: Start) -> None:
    """It has no exit code yet; what it prints on both streams comes in order."""
    one = start("import sys,time; print(1); print(2, file=sys.stderr); print(3); time.sleep(100)")
    assert _printed(one, b"1\n2\n3\n") == b"1\n2\n3\n"
    assert one.look(2)[1] == b"3\n"
    assert one.look(10)[0] == {"code": None, "overflowed": False}
    assert one.wait(0.05) is None
    assert one.memory() > 1_000_000


@pytest.mark.parametrize(("source", "code"), [("raise SystemExit(3)", 3), ("", 0)])
def test_the_end_of_a_program(start: Start, source: str, code: int) -> None:
    """Its exit code, and the last of its output."""
    one = start(f"print('last'); {source}")
    assert one.wait(20) == code
    assert one.look(100) == ({"code": code, "overflowed": False}, b"last\n")
    assert one.memory() == 0
    one.signal(signal.SIGTERM)  # to nobody: the number may be somebody else's by now


def test_a_signal_reaches_the_program(start: Start) -> None:
    """SIGTERM lets it end in its own way, SIGKILL is told as a negative number."""
    source = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print('up')
time.sleep(100)
"""
    one, other = start(source), start(source)
    assert _printed(one, b"up\n") == _printed(other, b"up\n") == b"up\n"
    one.signal(signal.SIGTERM)
    other.signal(signal.SIGKILL)
    assert (one.wait(20), other.wait(20)) == (7, -9)


def test_a_kill_takes_the_children_along(start: Start) -> None:
    """What a program started ends with it, and is gone when the kill returns."""
    one = start("import subprocess; print(subprocess.Popen(['sleep', '100']).pid); input()")
    two = start(
        "import subprocess,time; c=subprocess.Popen(['sleep','100']);print(c.pid); time.sleep(100)"
    )
    deadline = time.monotonic() + 20
    while not two.look(100)[1].strip() and time.monotonic() < deadline:
        time.sleep(0.01)
    child = int(two.look(100)[1])
    two.kill()
    assert two.look(1)[0]["code"] == -9
    deadline = time.monotonic() + 20
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        if "Z" in Path(f"/proc/{child}/stat").read_text().rpartition(") ")[2][:1]:
            break
        time.sleep(0.01)
    else:
        assert not Path(f"/proc/{child}").exists()
    one.kill()


def test_too_much_output_ends_a_program(start: Start) -> None:
    """Past the cap it is killed; the first bytes are kept."""
    one = start("while True: print('y' * 100)", output=1000)
    assert one.wait(20) == -9
    state, printed = one.look(10_000)
    assert (state["overflowed"], len(printed)) == (True, 1000)


def test_what_cannot_be_started_is_told(tmp_path: Path) -> None:
    """A missing folder is said in words; a missing command ends as in a shell."""
    told = programs.start(["true"], str(tmp_path / "none"), ENV, 1000)
    assert isinstance(told, str)
    assert "none" in told
    one = programs.start(["no-such-program"], str(tmp_path), ENV, 1000)
    assert isinstance(one, Program)
    assert one.wait(20) == 127
    assert b"no-such-program" in one.look(1000)[1]


def test_a_free_port() -> None:
    """Nobody listens on it, and no outgoing connection gets it."""
    first_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = {programs.free_port() for _ in range(20)}
    assert max(ports) < first_outgoing
    port = ports.pop()
    assert not programs.listening(port)
    with socket.create_server(("127.0.0.1", port)):
        assert programs.listening(port)


def test_where_programs_listen() -> None:
    """Every address of both families, but for ports of ours."""
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("0.0.0.0", 0)) as two,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as three,
    ):
        ports = [sock.getsockname()[1] for sock in (one, two, three)]
        found = programs.listeners(set())
        assert f"127.0.0.1:{ports[0]}" in found
        assert f"0.0.0.0:{ports[1]}" in found
        assert f"[::1]:{ports[2]}" in found
        assert f"0.0.0.0:{ports[1]}" not in programs.listeners({ports[1]})
