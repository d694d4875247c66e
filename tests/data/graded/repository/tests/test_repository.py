import pytest


@pytest.mark.check(task="all")
def test_a_commit_is_new(solution, learner):
    """main has one commit more."""
    repo = solution.git("work")
    got = [one.parents for one in repo.log("main")]
    assert got == [(learner.values["first"],), ()], "commit once on main"
    assert repo.is_ancestor("v1", "HEAD"), "the first commit is gone"
    assert repo.file("HEAD", "a.txt").startswith(b"first\n"), "a.txt began with first"


@pytest.mark.check(task="all")
def test_the_word_is_nowhere(solution, learner):
    """No object holds the word."""
    word = learner.values["word"].encode()
    found = [name for name, one in solution.git("work").objects.items() if word in one.content]
    assert found == [], "the word is still there"


@pytest.mark.check(task="all")
def test_another_learner_has_another_repository(learner, solution):
    """Workspaces differ by the seed alone."""
    values, files = learner.generate(learner.seed + 1)
    assert values["word"] != learner.values["word"], "the same word"
    assert files["run.sh"] == b"#!/bin/sh\necho hello\n", "another run.sh"
    assert learner.generate(learner.seed)[0] == learner.values, "the same seed, something else"
    assert solution.paths(), "nothing was handed in"


@pytest.mark.check(task="all")
def test_the_sandbox_is_well(solution):
    """A program runs."""
    assert solution.run(["echo", "well"]).text == "well\n", "echo does not work"
