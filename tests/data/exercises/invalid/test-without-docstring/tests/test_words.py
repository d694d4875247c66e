import pytest

TEXTS = [("", {}), ("a b a", {"a": 2, "b": 1})]


@pytest.mark.parametrize(("text", "expected"), TEXTS, ids=["empty", "some"])
@pytest.mark.check(task="count", points=2)
def test_counts(solution, text, expected):
    """Words are counted ({id})."""
    got = solution.call("words:count", text)
    assert got == expected, "the numbers differ"


class TestTop:
    @pytest.mark.check(task="count", needs=["test_counts[some]"], show="message", hint="lower()")
    def test_case_is_ignored(self, solution):
        
        got = solution.call("words:count", "A a")
        assert got == {"a": 2}, "case matters"

    @pytest.mark.check(task="top", points=3, needs=["test_counts"], seconds=2.5)
    def test_ties_go_by_word(self, solution, rng):
        """Words that are equally frequent come in order.

        More about it.
        """
        got = solution.call("words:top", "b a", 2)
        assert got == ["a", "b"], "ties are in another order"
