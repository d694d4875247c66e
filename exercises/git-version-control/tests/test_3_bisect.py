"""Task 3: the tag first-bad."""

import pytest

pytestmark = pytest.mark.keep


@pytest.mark.check(task="bisect", points=4, show="message")
def test_first_bad(solution, learner):
    """The tag first-bad is at the commit that broke shipping."""
    repo = solution.git("shop")
    assert "refs/tags/first-bad" in repo.refs, "There is no tag 'first-bad' in shop."
    got = repo.rev("first-bad")
    before = repo.commit(learner.values["bad"]).parents[0]
    near = "It is the last good one, the one before: " if got == before else ""
    assert got == learner.values["bad"], (
        f"{near}'sh test.sh' must end with 0 at the commit before the tag, but not at the tag."
    )
