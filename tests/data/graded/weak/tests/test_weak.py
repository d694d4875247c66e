"""Tests that believe what the submission's own process says of itself. `grader attack` finds them."""

import pytest

TEST = """
import program
assert program.double({number}) == {twice}
print("passed")
"""


def run(solution, rng):
    number = rng.randrange(1000)
    test = TEST.format(number=number, twice=2 * number)
    return number, solution.run(["python3", "-c", test])


@pytest.mark.check(task="all")
def test_by_exit_code(solution, rng):
    """The process that compares ends with success."""
    _, result = run(solution, rng)
    assert result.code == 0, "double is wrong"


@pytest.mark.check(task="all")
def test_by_what_it_prints(solution, rng):
    """The process that compares says that all is well."""
    _, result = run(solution, rng)
    assert b"passed" in result.stdout, "double is wrong"


@pytest.mark.check(task="all")
def test_from_outside(solution, rng):
    """The answer is compared here."""
    number = rng.randrange(1000)
    assert solution.call("program:double", number) == 2 * number, "double is wrong"
