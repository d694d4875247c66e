"""The learner's server, started anew for each check."""

import pytest


@pytest.fixture
def server(solution):
    return solution.serve("bookshelf")
