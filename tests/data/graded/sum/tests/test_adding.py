import pytest


@pytest.mark.check(task="add", points=3)
def test_adds(solution, rng, note):
    """Two numbers are added."""
    a, b = note("a", rng.randint(10, 99)), note("b", rng.randint(10, 99))
    assert solution.call("adding:add", a, b) == a + b, "the sum is wrong"


@pytest.mark.check(task="add", needs=["test_adds"])
def test_adds_nothing(solution):
    """Zero changes nothing."""
    assert solution.call("adding:add", 7, 0) == 7, "adding zero changed the number"
