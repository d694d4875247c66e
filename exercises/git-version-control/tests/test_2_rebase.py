"""Task 2: three commits of search on top of main."""

import pytest
from shop import branch, changes, people, wanted_people

pytestmark = pytest.mark.keep


def mine(repo):
    """The commits of search that main does not have, the oldest first."""
    without = [branch(repo, "main", "shop")]
    return repo.log(branch(repo, "search", "shop"), without=without)[::-1]


@pytest.mark.check(task="rebase", points=2, needs=["test_discounts_is_merged"])
def test_search_begins_at_main(solution, learner):
    """search continues main after the merge, in one line."""
    repo = solution.git("shop")
    tip = branch(repo, "search", "shop")
    assert repo.is_ancestor(learner.values["discounts"], tip), (
        "search does not have the merge of discounts: rebase it onto main as it is after task 1."
    )
    merges = [one.subject for one in mine(repo) if len(one.parents) > 1]
    assert merges == [], "There should be no merge commit between main and the end of search."


@pytest.mark.check(task="rebase", points=2)
def test_three_commits(solution, learner):
    """The fixup is part of the commit that it mends; the other commits are there in their order."""
    repo = solution.git("shop")
    got = [one.subject for one in mine(repo)]
    expected = [one["subject"] for one in learner.values["search"]]
    assert got == expected, "'git rebase -i --autosquash' puts a fixup where it belongs."


@pytest.mark.check(task="rebase", points=2, needs=["test_three_commits"])
def test_each_commit_changes_what_it_did(solution, learner):
    """Each commit has its own changes."""
    repo = solution.git("shop")
    got = [changes(repo, one) for one in mine(repo)]
    expected = [
        {
            path: [sorted(added), sorted(removed)]
            for path, (added, removed) in one["changes"].items()
        }
        for one in learner.values["search"]
    ]
    assert got == expected, (
        "Per file: the lines that each commit adds, and those that it takes out. The fixup's "
        "change belongs into the first commit, and nothing may get lost."
    )


@pytest.mark.check(task="rebase", points=1, needs=["test_three_commits"])
def test_authors_stay(solution, learner):
    """Each commit keeps its author and the author's date."""
    got = people(mine(solution.git("shop")))
    expected = wanted_people(learner.values["search"])
    assert got == expected, (
        "A rebase keeps the author; a new commit, or --reset-author, makes you the author."
    )


@pytest.mark.check(task="rebase", points=1, needs=["test_three_commits"])
def test_each_commit_names_its_ticket(solution, learner):
    """Each message ends with the line that names the ticket."""
    got = [
        [line for line in one.message.splitlines() if line.startswith("Ticket:")]
        for one in mine(solution.git("shop"))
    ]
    expected = [[f"Ticket: SHOP-{learner.values['search_ticket']}"]] * 3
    assert got == expected, "'reword' in the list of a 'git rebase -i' changes a message."
