"""Another module: the one before is torn down when its last check did not run."""

import pytest


@pytest.mark.check(task="all")
def test_passed_in_another_module(solution):
    """A check of the next module runs."""
    assert solution.call("program:add", 2, 3) == 5, "the sum is wrong"
