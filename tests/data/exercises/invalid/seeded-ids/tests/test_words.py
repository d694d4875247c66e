import pytest

TEXTS = [("", {}), ("a b a", {"a": 2, "b": 1})]


@pytest.mark.parametrize(("text", "expected"), make_texts(3))
@pytest.mark.check(task="count", points=2)
def test_counts(solution, text, expected):
    """Words are counted ({id})."""
    got = solution.call("words:count", text)
    assert got == expected, "the numbers differ"


class TestTop:
    @pytest.mark.check(task="count", needs=["test_counts[some]"], show="message", hint="lower()")
    def test_case_is_ignored(self, solution):
        """Upper and lower case are the same word."""
        got = solution.call("words:count", "A a")
        assert got == {"a": 2}, "case matters"

    @pytest.mark.check(task="top", points=3, needs=["test_counts"], seconds=2.5)
    def test_ties_go_by_word(self, solution, rng):
        """Words that are equally frequent come in order.

        More about it.
        """
        got = solution.call("words:top", "b a", 2)
        assert got == ["a", "b"], "ties are in another order"


    @pytest.mark.check(task="top")
    @pytest.mark.parametrize("number", [1, random.randint(2, 9)])
    @pytest.mark.parametrize("word", ["a", "b"], ids=lambda word: word)
    @pytest.mark.parametrize("ok", [pytest.param(make(), id="one"), pytest.param(2, marks=pytest.mark.check(points=-1, task="tip"))])
    def test_computed(self, solution, number, word, ok):
        """Never the same."""
