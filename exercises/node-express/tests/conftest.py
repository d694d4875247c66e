"""The learner's server: one for all checks of a class, or one that a check may ruin."""

import pytest
from api import CHEAP, Api, key_hash


def start(solution, seed, cost=CHEAP, **env):
    key = f"key-of-{seed}"
    return Api(solution.serve("api", env={"KEY_HASH": key_hash(key, cost), **env}), key)


@pytest.fixture(scope="class")
def shared(solution, seed, world):
    """For checks of a class marked `keep`: after an end that one caused, the next has a new one."""
    started = []
    hook = world.serve(lambda _: (204, None))

    def running():
        if not started or not started[-1].server.alive:
            started.append(start(solution, seed, HOOK_URL=f"http://127.0.0.1:{hook.port}/done"))
        return started[-1]

    return running


@pytest.fixture
def api(shared):
    return shared()


@pytest.fixture
def own(solution, seed):
    """A server of the check's own."""
    return start(solution, seed)
