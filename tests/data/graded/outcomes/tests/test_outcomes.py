"""Each check's name says how it must end; tests/docker/test_outcomes.py compares."""

from decimal import Decimal

import pytest
from helper import compare


@pytest.mark.check(task="all", points=2)
def test_first(solution, rng):
    """A right answer passes."""
    a, b = rng.random(), rng.random()
    assert solution.call("program:add", a, b) == a + b, "the sum is wrong"


@pytest.mark.check(task="all")
def test_passed_values(solution):
    """Plain values of many kinds arrive as they were returned."""
    wanted = {
        "tuple": (1, "two"),
        "decimal": Decimal("1.10"),
        "bytes": b"\x00\xff",
        "numbers": [0, 1, 4, 9],
        3: {1, 2},
    }
    assert solution.call("program:values") == wanted, "another value arrived"
    assert solution.call("program:later", "x") == "x", "a coroutine is awaited"


@pytest.mark.check(task="all")
def test_passed_objects(solution, together):
    """An object stays in the interpreter; methods, attributes and parallel calls work."""
    counter = solution.new("program:Counter", 5)
    assert counter.add(2) == 7, "the method returned something else"
    assert counter.value == 7, "the attribute is something else"
    together([(counter.add, 1)] * 8)
    assert counter.value == 15, "eight additions"


@pytest.mark.check(task="all")
def test_passed_raises(solution):
    """What the learner's code raises is known by its name and its base's."""
    for name in ("Unlucky", "LookupError"):
        with solution.raises(name) as caught:
            solution.call("program:unlucky")
        assert (caught.type, caught.args) == ("Unlucky", ("no luck", 13)), "another exception"


@pytest.mark.check(task="all")
def test_passed_run(solution):
    """A program's exit code, streams and files come back."""
    result = solution.run(
        ["sh", "-c", "cat given; cat; echo oops >&2; echo made > made; exit 3"],
        stdin="from stdin\n",
        files={"given": "from a file\n"},
    )
    assert result.code == 3, "another exit code"
    assert result.stdout == b"from a file\nfrom stdin\n", "another stdout"
    assert result.stderr == b"oops\n", "another stderr"
    assert result.file("made") == b"made\n", "another file"
    assert solution.exists("program.py"), "the file was handed in"
    assert "def add" in solution.text("program.py"), "its text can be read"


@pytest.mark.check(task="all")
def test_passed_state_1(solution):
    """Files of one test stay in it (1)."""
    expected = [(False, ["left"], ["left", "program.py"]), (True, ["left"], ["left", "program.py"])]
    assert [solution.call("program:state") for _ in range(2)] == expected, "another state"
    solution.call("program:daemon")


@pytest.mark.check(task="all")
def test_passed_state_2(solution):
    """Files of one test stay in it (2), and its processes, too."""
    running = solution.call("program:running")
    assert solution.call("program:state") == (False, ["left"], ["left", "program.py"]), "state"
    assert not [name for name in running if "sleep" in name], "a daemon survived"


@pytest.mark.check(task="all")
def test_passed_database(solution, postgres, redis):
    """The learner's database and the test's are the same, and new for each test."""
    for number in (11, 12):
        solution.call("program:bump")
        assert solution.call("program:count") == number, "another number"
        assert postgres.value("SELECT n FROM counter") == number, "another number"
    redis.set("key", "value")
    assert solution.call("program:get", "key") == b"value", "another value"


@pytest.mark.check(task="all")
def test_passed_database_again(solution, postgres, redis):
    """What the last test wrote is gone."""
    assert solution.call("program:count") == 10, "another number"
    assert redis.dbsize() == 0, "a key is left"
    postgres.load("counter", [{"id": 2, "n": 20}, {"id": 3, "n": 30}])
    rows = postgres.rows("SELECT * FROM counter WHERE id > 1 ORDER BY id")
    assert rows == [{"id": 2, "n": 20}, {"id": 3, "n": 30}], "other rows"


@pytest.mark.check(task="all")
def test_passed_links(solution, postgres, redis, eventually):
    """Outages and recordings do what they say, and end."""
    with postgres.link.record() as seen:
        solution.call("program:count")
        solution.call("program:bump")
    assert (len(seen.reads), len(seen.writes), seen.count("from counter")) == (1, 1, 1), "seen"
    with redis.link.refuse():
        with solution.raises("ConnectionError") as caught:
            solution.call("program:get", "key")
        assert "refused" in caught.message, "it was not refused"
    with redis.link.record() as seen:
        assert solution.call("program:get", "key") is None, "the outage is over"
    assert seen.commands == ["GET key"], "other commands"
    redis.link.cut()
    with postgres.link.delay(0.2):
        late = solution.process()
        result = late.call("program:count")
    assert result == 11, "late, but right"


@pytest.mark.check(task="all")
def test_passed_held_connection_1(solution):
    """A program may keep a connection open beyond the check (1)."""
    assert solution.call("program:hold") == (1,), "no connection"


@pytest.mark.check(task="all")
def test_passed_held_connection_2(solution):
    """A program may keep a connection open beyond the check (2): the port is there again."""
    assert solution.call("program:hold") == (1,), "no connection"
    assert solution.call("program:count") == 10, "another number"


@pytest.mark.check(task="all")
def test_passed_many_calls_1(solution, together):
    """Many parallel calls (1)."""
    got = together([(solution.call, "program:add", n, 1) for n in range(120)])
    assert got == [n + 1 for n in range(120)], "other sums"


@pytest.mark.check(task="all")
def test_passed_many_calls_2(solution, together):
    """Many parallel calls (2): those of the check before left nothing behind."""
    got = together([(solution.call, "program:add", n, 1) for n in range(120)])
    assert got == [n + 1 for n in range(120)], "other sums"


@pytest.mark.check(task="all")
def test_passed_locked_out(solution, postgres):
    """The judge's own connection is not the learner's to end, to change or to read."""
    assert postgres.value("SELECT 'secret'") == "secret", "the judge is connected"
    assert solution.call("program:lock_out") == 0, "the judge's query can be seen"
    assert postgres.value("SELECT n FROM counter") == 10, "still connected"
    assert postgres.connect().execute("SELECT n FROM counter").fetchone() == {"n": 10}, "again"


@pytest.mark.check(task="all")
def test_passed_reference(solution, reference, postgres):
    """The reference runs apart, with a database of its own."""
    postgres.execute("UPDATE counter SET n = 77")
    assert (solution.call("program:count"), reference.call("program:count")) == (77, 10), "apart"


@pytest.mark.check(task="all", hint="Mind the order.")
def test_failed_comparison(solution, note):
    """A wrong answer fails with both sides."""
    got = [solution.call("program:add", note("a", 1), 1), {"name": "x" * 60, "value": [1, 2, 3]}]
    assert got == [3, {"name": "x" * 60, "value": [1, 2, 4]}], "the list is wrong"


@pytest.mark.check(task="all")
def test_failed_in_a_helper(solution):
    """An assert in a module beside the tests shows both sides, too."""
    compare(solution.call("program:add", 1, 1), 3)


@pytest.mark.check(task="all", points=4)
def test_failed_with_credit(solution, award):
    """Partial credit is kept."""
    award(3, of=4, message="three of four are right")


@pytest.mark.check(task="all")
def test_failed_shape(solution):
    """An answer of another shape is the learner's failure only if the reference has it not."""
    assert solution.call("program:add", 1, 1) == 3, "it is not three"


@pytest.mark.check(task="all", show="title")
def test_failed_shown_as_title(solution):
    """A secret check."""
    assert solution.call("program:add", 1, 1) == 3, "the secret is 3"


@pytest.mark.check(task="all", needs=["test_failed_shape"])
def test_skipped(solution):
    """Waits for a check that fails."""


@pytest.mark.check(task="all")
def test_failed_endless_table(postgres):
    """More rows than a test can want are not read."""
    postgres.execute("CREATE VIEW endless AS SELECT generate_series(1, 1000000000) AS n")
    postgres.rows("SELECT n FROM endless")


@pytest.mark.check(task="all")
def test_broke_crash(solution):
    """An exception breaks, with the learner's own traceback."""
    solution.call("program:unlucky")


@pytest.mark.check(task="all")
def test_broke_exit(solution):
    """Leaving the process breaks."""
    solution.call("program:leave", 0)


@pytest.mark.check(task="all")
def test_broke_memory(solution):
    """Too much memory breaks."""
    solution.call("program:hog")


@pytest.mark.check(task="all")
def test_broke_timeout_of_a_call(solution):
    """A call that takes too long breaks."""
    solution.call("program:spin", timeout=0.3)


@pytest.mark.check(task="all", seconds=0.5)
def test_broke_timeout_of_a_check(solution):
    """A check that takes too long breaks."""
    solution.call("program:sleep", 30)


@pytest.mark.check(task="all")
def test_broke_timeout_behind_an_outage(solution, postgres):
    """A program that waits for a hanging server breaks."""
    with postgres.link.hang():
        solution.call("program:count", timeout=0.3)


@pytest.mark.check(task="all")
def test_broke_output(solution):
    """Too much output breaks."""
    solution.call("program:chatter")


@pytest.mark.check(task="all")
def test_broke_sandbox(solution):
    """Ending the whole sandbox breaks this check only."""
    solution.call("program:kill_everything")


@pytest.mark.check(task="all")
def test_broke_crash_disk(solution):
    """A full disk is the learner's exception."""
    solution.call("program:fill_disk")


@pytest.mark.check(task="all")
def test_passed_at_last(solution):
    """After all of that the next check is as good as the first."""
    assert solution.call("program:add", 2, 3) == 5, "the sum is wrong"


@pytest.mark.check(task="all", needs=["test_failed_shape"])
def test_skipped_at_the_end(solution):
    """The last check of a module is skipped, and another module follows."""
