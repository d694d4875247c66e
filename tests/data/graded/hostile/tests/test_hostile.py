"""One check for each hostile program, and behind each a check of an honest one.

tests/docker/test_limits.py says how each must end.
"""

import pytest


def returns(function, *args, timeout=5):
    """A call that would be right, had the program kept to its limits."""

    def check(solution):
        assert solution.call(f"program:{function}", *args, timeout=timeout) == 3, "it is not three"

    return check


def prints(script, expected=b"", timeout=5):
    """A program of its own, beside Python."""

    def check(solution):
        result = solution.run(["sh", "-c", script], timeout=timeout)
        assert result.stdout == expected, "it printed something else"

    return check


GROW = "python3 -c 'x = bytearray(300_000_000)'"
HOSTILE = {
    "hog": returns("hog"),
    "hog_in_a_child": returns("hog_in_a_child"),
    "hog_in_a_grandchild": returns("hog_in_a_grandchild"),
    "hog_beside": prints(f"{GROW}; echo all is well", b"grown\n"),
    "huge_answer": returns("huge_answer"),
    "fork_bomb": returns("fork_bomb", timeout=1),
    "fork_bomb_of_the_shell": prints("(bomb() { bomb | bomb & }; bomb); while :; do :; done", timeout=1),
    "fork_and_wait": returns("fork_and_wait"),
    "thread_bomb": returns("thread_bomb"),
    "daemons": returns("daemons"),
    "fill_own_folder": returns("fill", "."),
    "fill_tmp": returns("fill_with_many_files", "/tmp"),
    "fill_shared_memory": returns("fill_with_many_files", "/dev/shm"),
    "fill_slot": returns("fill_with_many_files", "/slot"),
    "fill_inodes": returns("fill_inodes", "."),
    "fill_inodes_of_tmp": returns("fill_inodes", "/tmp"),
    "fill_inodes_of_slot": returns("fill_inodes", "/slot"),
    "hide_files": returns("hide_files"),
    "ten_gigabytes": returns("ten_gigabytes", timeout=60),
    "ten_gigabytes_beside": prints("head -c 10G /dev/zero", timeout=60),
    "ten_gigabytes_of_errors": prints("head -c 10G /dev/zero >&2", timeout=60),
    "deaf": returns("deaf", timeout=1),
    "deaf_in_c": returns("deaf_in_c", timeout=1),
    "deaf_beside": prints("trap '' TERM INT HUP QUIT; while :; do :; done", timeout=1),
    "sleep": returns("sleep", timeout=30),
    "sleep_beside": prints("sleep 1000", timeout=30),
    "stop": returns("stop", timeout=1),
    "stop_all": returns("stop_all", timeout=1),
    "kill_all": returns("kill_all"),
    "kill_agent": returns("kill_agent"),
    "close_standard": returns("close_standard"),
    "close_all": returns("close_all"),
    "hold_output": returns("hold_output"),
    "hold_output_beside": prints("setsid sleep 1000 & echo done", b"done\n"),
    "many_files": returns("many_files"),
    "more_files": returns("more_files"),
    "garbage": returns("garbage"),
    "drip": returns("drip", timeout=1),
    "flood": returns("flood", timeout=1),
}


@pytest.mark.check(task="all")
@pytest.mark.parametrize("turn", ["hostile", "after"])
@pytest.mark.parametrize(
    "program",
    [
        "hog",
        "hog_in_a_child",
        "hog_in_a_grandchild",
        "hog_beside",
        "huge_answer",
        "fork_bomb",
        "fork_bomb_of_the_shell",
        "fork_and_wait",
        "thread_bomb",
        "daemons",
        "fill_own_folder",
        "fill_tmp",
        "fill_shared_memory",
        "fill_slot",
        "fill_inodes",
        "fill_inodes_of_tmp",
        "fill_inodes_of_slot",
        "hide_files",
        "ten_gigabytes",
        "ten_gigabytes_beside",
        "ten_gigabytes_of_errors",
        "deaf",
        "deaf_in_c",
        "deaf_beside",
        "sleep",
        "sleep_beside",
        "stop",
        "stop_all",
        "kill_all",
        "kill_agent",
        "close_standard",
        "close_all",
        "hold_output",
        "hold_output_beside",
        "many_files",
        "more_files",
        "garbage",
        "drip",
        "flood",
    ],
)
def test_program(solution, rng, program, turn):
    """The program {program}."""
    if turn == "hostile":
        HOSTILE[program](solution)
        return
    a, b = rng.randint(1, 10**9), rng.randint(1, 10**9)
    assert solution.call("program:add", a, b) == a + b, "the sum is wrong"
    assert solution.call("program:lying_about") == ["./program.py"], "files of the last check"
    own = 4  # process 1, the agent, its fork server, and the interpreter that looks
    assert solution.call("program:alive") == own, "processes of the last check"
    ran = solution.run(["sh", "-c", "cat > copy; sort copy; exit 7"], stdin="b\na\n")
    assert (ran.code, ran.stdout, ran.file("copy")) == (7, b"a\nb\n", b"b\na\n"), "another result"
