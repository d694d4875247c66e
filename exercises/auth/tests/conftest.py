"""One service for all checks of a module, with a signing key of this run."""

import pytest
from forge import Key


@pytest.fixture(scope="session")
def key(seed):
    return Key(f"{seed}")


@pytest.fixture(scope="module")
def service(solution, key):
    return solution.serve("accounts", env={"SIGNING_KEY": key.private_pem})
