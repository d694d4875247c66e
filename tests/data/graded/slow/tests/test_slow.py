"""A quick check, one that takes four seconds, and one behind it."""

import pytest


@pytest.mark.check(task="all")
def test_quick(solution, rng):
    """A sum."""
    a, b = rng.randint(1, 10**9), rng.randint(1, 10**9)
    assert solution.call("program:add", a, b) == a + b, "the sum is wrong"


@pytest.mark.check(task="all", seconds=25)
def test_long(solution):
    """Four seconds of work with both servers."""
    assert solution.call("program:work", 4, timeout=20) is True, "no round was made"


@pytest.mark.check(task="all")
def test_behind(solution, postgres, redis):
    """Both servers are as new."""
    assert postgres.value("SELECT n FROM counter") == 10, "another number"
    assert redis.dbsize() == 0, "a key is left"
    assert solution.call("program:work", 0.1, timeout=20) is True, "no round was made"
