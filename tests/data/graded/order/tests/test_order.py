"""Checks that may change places, and three that may not."""

import pytest


def check(solution):
    assert solution.call("answer:answer") == 1, "It should be 1."


@pytest.mark.check(task="answer")
def test_free_1(solution):
    """One."""
    check(solution)


@pytest.mark.check(task="answer")
def test_free_2(solution):
    """Two."""
    check(solution)


@pytest.mark.check(task="answer")
def test_free_3(solution):
    """Three."""
    check(solution)


@pytest.mark.keep
class TestKept:
    """A story: its parts follow one another."""

    @pytest.mark.check(task="answer")
    def test_kept_1(self, solution):
        """Beginning."""
        check(solution)

    @pytest.mark.check(task="answer")
    def test_kept_2(self, solution):
        """Middle."""
        check(solution)

    @pytest.mark.check(task="answer", needs=["test_free_3"])
    def test_kept_3(self, solution):
        """End."""
        check(solution)
