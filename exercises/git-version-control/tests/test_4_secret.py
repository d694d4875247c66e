"""Task 4: payments without the key."""

import pytest
from shop import branch, files, leads_to, people, wanted_people, with_key

pytestmark = pytest.mark.keep


def mine(repo, learner):
    """The commits of payments behind the one of main that it begins at, the oldest first."""
    tip = branch(repo, "payments", "shop")
    return repo.log(tip, without=[learner.values["payments_start"]])[::-1]


@pytest.mark.check(task="secret", points=3)
def test_no_commit_of_payments_has_the_key(solution, learner):
    """The key is in no commit of payments."""
    repo = solution.git("shop")
    found = leads_to(repo, branch(repo, "payments", "shop"), with_key(repo, learner.values["key"]))
    assert found == [], (
        "These commits still have the key in a file: it has to go from the commit that brings it, "
        "and from all behind it. 'git log -p -S sk_live_ payments' shows where it is."
    )


@pytest.mark.check(task="secret", points=2, needs=["test_no_commit_of_payments_has_the_key"])
def test_payments_keeps_its_commits(solution, learner):
    """payments has its five commits, with their authors and dates."""
    got = people(mine(solution.git("shop"), learner))
    expected = wanted_people(learner.values["payments"])
    assert got == expected, (
        "Only lines with the key should be gone. The branch begins at the same commit of main as "
        "before, and no commit is missing, joined or new."
    )


@pytest.mark.check(task="secret", points=3, needs=["test_payments_keeps_its_commits"])
def test_all_other_lines_stay(solution, learner):
    """All else in these commits is as it was."""
    repo = solution.git("shop")
    for got, expected in zip(mine(repo, learner), learner.values["payments"], strict=True):
        found = files(repo, got.id)
        assert sorted(found) == sorted(expected["files"]), (
            f"'{got.subject}' should have these files: only one that had just the key is gone."
        )
        different = {path for path in found if found[path] != expected["files"][path]}
        assert different == set(), (
            f"In '{got.subject}', these files should be as before, but for the line with the key."
        )


@pytest.mark.check(task="secret", points=2, needs=["test_payments_keeps_its_commits"])
def test_demo_moves_along(solution, learner):
    """The tag demo is at the same commit of payments as before."""
    repo = solution.git("shop")
    assert "refs/tags/demo" in repo.refs, "There is no tag 'demo' in shop any more."
    wanted = learner.values["demo"]["subject"]
    (expected,) = [one.id for one in mine(repo, learner) if one.subject == wanted]
    assert repo.rev("demo") == expected, (
        f"The commit '{wanted}' is another one now, and 'demo' should be at that one: a tag does "
        "not move by itself. 'git tag -f demo COMMIT' moves it."
    )


@pytest.mark.check(task="secret", points=1)
def test_nothing_else_leads_to_the_key(solution, learner):
    """No branch and no tag of shop leads to the key."""
    repo = solution.git("shop")
    keys = with_key(repo, learner.values["key"])
    names = [name for name in repo.refs if name.startswith(("refs/heads/", "refs/tags/"))]
    found = [name for name in names if leads_to(repo, name, keys)]
    assert found == [], "These branches and tags still lead to commits with the key."
