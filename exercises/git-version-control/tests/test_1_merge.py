"""Task 1: main has the colleague's commit, and discounts behind a merge commit."""

import pytest
from shop import branch, files

pytestmark = pytest.mark.keep  # nothing is run: the repositories are only looked at


def merges(repo, learner):
    """The merge commits of main that bring discounts."""
    tip = branch(repo, "main", "shop")
    wanted = learner.values["discounts"]
    return [one for one in repo.log(tip) if len(one.parents) > 1 and wanted in one.parents]


@pytest.mark.check(task="merge", points=1)
def test_main_is_up_to_date(solution, learner):
    """main has what the colleague pushed."""
    repo = solution.git("shop")
    has = {one.id for one in repo.log(branch(repo, "main", "shop"))}
    wanted = {"List the carriers": "colleague", "Raise packaging, offer express": "main"}
    missing = [subject for subject, name in wanted.items() if learner.values[name] not in has]
    assert missing == [], (
        "main lacks commits: what a colleague pushed comes with 'git pull', and what main had "
        "before is in 'git reflog main'."
    )


@pytest.mark.check(task="merge", points=2)
def test_discounts_is_merged(solution, learner):
    """A merge commit joins main and discounts."""
    repo = solution.git("shop")
    has = {one.id for one in repo.log(branch(repo, "main", "shop"))}
    missing = [] if learner.values["discounts"] in has else ["Give a discount"]
    assert missing == [], (
        "main lacks this commit of discounts as it was: 'git merge discounts' brings it, a squash "
        "or a cherry-pick makes another one."
    )
    found = len(merges(repo, learner))
    assert found == 1, "Exactly one merge commit should have the tip of discounts as its parent."


@pytest.mark.check(task="merge", points=3)
def test_fees_of_both_sides(solution, learner):
    """fees.txt has the changes of both sides, each fee once."""
    repo = solution.git("shop")
    tip = files(repo, branch(repo, "main", "shop"))
    assert "fees.txt" in tip, "main has no fees.txt any more."
    lines = tip["fees.txt"].splitlines()
    marks = [
        line for line in lines if line.startswith(("<<<<<<<", "|||||||", "=======", ">>>>>>>"))
    ]
    assert marks == [], "git's conflict marks are still in fees.txt."
    got = sorted(line.split() for line in lines if line.strip())
    expected = sorted([name, value] for name, value in learner.values["fees"].items())
    assert got == expected, (
        "Take each value from the side that changed it: compare ':1:fees.txt', which both "
        "began with, with ':2:fees.txt' and ':3:fees.txt' during the merge."
    )


@pytest.mark.check(task="merge", points=1, needs=["test_discounts_is_merged"])
def test_the_merge_changes_nothing_else(solution, learner):
    """Everything but fees.txt is as the side had it that it comes from."""
    repo = solution.git("shop")
    got = files(repo, branch(repo, "main", "shop"))
    expected = dict(learner.values["main_files"])
    expected["coupons.txt"] = learner.values["coupons"]
    expected["carriers.txt"] = learner.values["carriers"]
    got.pop("fees.txt", None)
    expected.pop("fees.txt")
    assert sorted(got) == sorted(expected), "A merge brings all files of both sides, and no other."
    different = [path for path in expected if got[path] != expected[path]]
    assert different == [], "These files should not have changed in the merge."
