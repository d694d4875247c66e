"""However a program reads a row, the recording has a request that explains it."""

import pytest

WAYS = [
    "blanks", "constraints", "commit", "parse", "taken", "copied", "served", "setting", "login",
]


def some_product(postgres, rng):
    number, name = rng.randrange(1, 10**6), f"lamp {rng.randrange(10**6)}"
    postgres.load("products", [{"id": number, "name": name}])
    return number, name


@pytest.mark.check(task="all")
def test_a_plain_statement(solution, postgres, rng):
    """One statement counts once, prepared or not."""
    number, name = some_product(postgres, rng)
    solution.call("program:prepare", "plain")
    for _ in range(7):
        with postgres.link.record() as seen:
            assert solution.call("program:read", "plain", number) == name, "the row came back"
        assert len(seen.statements) == 1, "once"


@pytest.mark.check(task="all")
@pytest.mark.parametrize("way", WAYS)
def test_another_way(solution, postgres, rng, way):
    """By way of {way}."""
    number, name = some_product(postgres, rng)
    solution.call("program:prepare", way)
    with postgres.link.record() as seen:
        assert solution.call("program:read", way, number) == name, "the row came back"
    assert seen.statements != [], "nothing was recorded"
