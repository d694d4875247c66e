import pytest


@pytest.mark.check(task="top")
def test_counts(solution):
    """Again."""
