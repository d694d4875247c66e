"""One service for all checks of a module or class that is marked `keep`."""

import pytest


@pytest.fixture(scope="module")
def shop(solution):
    return solution.serve("orders")
