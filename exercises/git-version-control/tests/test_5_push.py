"""Task 5: what is in origin.git."""

import pytest
from shop import branch, with_key

pytestmark = pytest.mark.keep


@pytest.mark.check(task="push", points=2)
def test_main_is_pushed(solution, learner):
    """origin has main as you have it, with all that was there."""
    origin, repo = solution.git("origin.git"), solution.git("shop")
    tip = branch(origin, "main", "origin.git")
    assert origin.is_ancestor(learner.values["colleague"], tip), (
        "The colleague's commit is gone from origin's main: never force a push to a branch that "
        "others use."
    )
    assert tip == branch(repo, "main", "shop"), "origin's main is not the main of shop: push it."
    assert tip != learner.values["colleague"], "Nothing of yours is in origin's main yet: push it."


@pytest.mark.check(task="push", points=2)
@pytest.mark.parametrize("name", ["search", "payments"], ids=["search", "payments"])
def test_branch_is_pushed(solution, name):
    """origin has {name} as you have it."""
    origin, repo = solution.git("origin.git"), solution.git("shop")
    tip = branch(origin, name, "origin.git")
    assert tip == branch(repo, name, "shop"), (
        f"origin's {name} is another commit than that of shop: push it once more."
    )


@pytest.mark.check(task="push", points=1)
@pytest.mark.parametrize("name", ["first-bad", "demo"], ids=["first-bad", "demo"])
def test_tag_is_pushed(solution, name):
    """origin has the tag {name}."""
    origin, repo = solution.git("origin.git"), solution.git("shop")
    full = f"refs/tags/{name}"
    assert full in origin.refs, f"Push the tag, too: git push origin {name}"
    assert origin.refs[full] == repo.refs.get(full), (
        f"The tag {name} of origin is at another object than that of shop."
    )


@pytest.mark.check(task="push", points=1)
def test_nothing_of_others_is_gone(solution, learner):
    """Branches and tags that origin had are still there."""
    origin = solution.git("origin.git")
    expected = {
        "refs/heads/release": learner.values["release"],
        "refs/tags/v1.0": learner.values["v1"],
    }
    got = {name: origin.refs.get(name) for name in expected}
    assert got == expected, (
        "A push changes only what it names; --mirror and --prune remove the rest."
    )


@pytest.mark.check(task="push", points=1)
def test_commits_name_their_tickets(solution, learner):
    """Each commit that was pushed names its ticket."""
    origin = solution.git("origin.git")
    tips = [name for name in origin.refs if name.startswith("refs/heads/")]
    pushed = [one for one in origin.log(*tips) if len(one.parents) < 2]
    found = [one.subject for one in pushed if "\nTicket: SHOP-" not in one.message]
    assert found == [], (
        "The hook refuses such commits, so it was not asked: put it back, and mend the messages."
    )


@pytest.mark.check(task="push", points=3, needs=["test_branch_is_pushed[payments]"])
def test_origin_never_saw_the_key(solution, learner):
    """The key is in nothing that was ever pushed."""
    found = with_key(solution.git("origin.git"), learner.values["key"])
    assert len(found) == 0, (
        "origin.git has objects with the key in them, even if no branch leads there. Look what "
        "you pushed: a tag sends its commits along. 'git gc --prune=now' in origin.git removes "
        "what nothing leads to; in real life the key has to be replaced."
    )
