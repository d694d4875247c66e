"""`grader up`, `run` and `shell` as a learner types them, on both engines."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Grader = Callable[..., subprocess.CompletedProcess[str]]
DOCKER = pytest.param("docker", marks=pytest.mark.docker)


@pytest.fixture(scope="module", params=["local", DOCKER])
def env(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    if request.param == "docker":
        request.getfixturevalue("docker_engine")  # with every image built
    folder = tmp_path_factory.mktemp("hands")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GRADER_")}
    return {
        **kept,
        "GRADER_STATE_DIR": str(folder / "state"),
        "GRADER_DATA_DIR": str(folder / "data"),
        "GRADER_ENGINE": request.param,
        "COLUMNS": "80",
        "WORK": str(folder / "redis-caching"),
    }


@pytest.fixture(scope="module")
def grader(env: dict[str, str]) -> Iterator[Grader]:
    """Runs grader in one workspace, whose session stays warm from test to test."""
    work = Path(env["WORK"])

    def run(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "grader", *arguments],
            cwd=work if work.exists() else work.parent,
            env=env,
            input=typed,
            capture_output=True,
            text=True,
            timeout=300,
        )

    assert run("start", "redis-caching").returncode == 0
    (work / "my_own.py").write_text("print('mine')\n")
    yield run
    run("stop")


def test_up_says_what_there_is_and_leaves_it_warm(grader: Grader) -> None:
    first = grader("up")
    assert first.returncode == 0, first.stderr
    assert first.stdout.splitlines() == [
        "Ready: postgres, redis, the judge, a sandbox.",
        *(f"  grader shell {name}" for name in ("postgres", "redis", "solution")),
    ]
    assert "Starting" not in grader("up").stderr


def test_a_command_runs_as_the_tests_would_run_it(grader: Grader) -> None:
    """Its own streams and exit code, the learner's files, real servers behind their variables."""
    code = (
        "import os, sys, redis, psycopg\n"
        "print(redis.Redis.from_url(os.environ['REDIS_URL']).ping(), sys.stdin.read())\n"
        "with psycopg.connect(os.environ['DATABASE_URL']) as database:\n"
        "    print(database.execute('SELECT count(*) FROM products').fetchone())\n"
        "print('oops', file=sys.stderr); sys.exit(7)"
    )
    done = grader("run", "--", "python3", "-c", code, typed="hello")
    assert (done.returncode, done.stdout) == (7, "True hello\n(0,)\n"), done.stderr
    assert "oops\n" in done.stderr
    assert grader("run", "--", "python3", "my_own.py").stdout == "mine\n"
    assert grader("run", "no-such-program").returncode == 127


def test_what_is_left_is_gone(grader: Grader) -> None:
    """Files, tables and keys; and the session is as warm as before."""
    grader("run", "--", "touch", "left", "/tmp/left")
    grader("shell", "postgres", typed="CREATE TABLE left_behind (id int); DROP TABLE products;")
    seen = grader("run", "--", "sh", "-c", "ls . /tmp")
    assert "left" not in seen.stdout
    assert "Starting" not in seen.stderr
    counted = grader(
        "shell", "postgres", typed="\\pset tuples_only\nSELECT count(*) FROM products;"
    )
    assert (counted.stdout.split()[-1], counted.stderr.count("ERROR")) == ("0", 0)
    gone = grader("shell", "postgres", typed="SELECT * FROM left_behind;")
    assert 'relation "left_behind" does not exist' in gone.stderr


def test_it_is_the_learners_account_and_no_more(grader: Grader, env: dict[str, str]) -> None:
    """No hidden test, no variable of the agent's, no admin's password, not even in the client."""
    passwords = [
        word
        for file in Path(env["GRADER_STATE_DIR"]).rglob("sessions/*.json")
        for word in file.read_text().split('"')
    ]
    admin = {passwords[at + 2] for at, word in enumerate(passwords) if word == "admin"}
    assert len(admin) >= 2
    look = "env; cat /proc/[0-9]*/environ 2>/dev/null; find / -name 'test_catalog*'"
    for arguments in (("run", "--", "sh", "-c", look), ("shell",)):
        shown = grader(*arguments, typed=f"{look}\n").stdout
        assert "DATABASE_URL=postgresql://learner:" in shown
        assert "GRADER_" not in shown.replace("GRADER_STATE_DIR", "")
        assert "/test_catalog" not in shown
        assert not [one for one in admin if one in shown]
    query = "SELECT usename, usesuper FROM pg_user WHERE usename = current_user;"
    assert " learner | f" in grader("shell", "postgres", typed=query).stdout


def test_a_check_behind_it_finds_nothing_of_it(grader: Grader) -> None:
    grader("shell", "postgres", typed="DROP TABLE products;")
    done = grader("check", "--only", "test_reads_from_the_database")
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_there_is_not_is_named(grader: Grader) -> None:
    done = grader("shell", "mysql")
    assert done.returncode == 2
    assert done.stderr == (
        "error: 'redis-caching' has no 'mysql'\nfix: there are: postgres, redis, solution\n"
    )


def test_at_a_terminal_keys_go_to_the_program(grader: Grader, env: dict[str, str]) -> None:
    """Ctrl-C reaches what runs there, it sees the size, and the terminal is as it was."""
    assert grader("up").returncode == 0
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
    before = termios.tcgetattr(slave)
    process = subprocess.Popen(
        [sys.executable, "-m", "grader", "shell"],
        cwd=env["WORK"],
        env=env,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    shown = ""

    def until(text: str) -> None:
        nonlocal shown
        deadline = time.monotonic() + 60
        while text not in shown:
            assert time.monotonic() < deadline, shown
            if select.select([master], [], [], 0.1)[0]:
                shown += os.read(master, 65536).decode()
        shown = shown.partition(text)[2]

    try:
        until("$ ")
        os.write(master, b"stty size; echo ready; sleep 100; echo code $?\n")
        until("33 77")
        until("ready\r\n")
        time.sleep(0.5)
        os.write(master, b"\x03")
        until("$ ")
        os.write(master, b"exit 3\n")
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if select.select([master], [], [], 0.1)[0]:
                with contextlib.suppress(OSError):
                    os.read(master, 65536)
        assert process.returncode == 3
        assert termios.tcgetattr(slave) == before
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(master)
        os.close(slave)
