"""One check for each attack on a server, and behind each a check that both servers are as new.

tests/docker/test_limits.py says how each must end.
"""

import pytest


@pytest.mark.check(task="all", seconds=25)
@pytest.mark.parametrize("turn", ["hostile", "after"])
@pytest.mark.parametrize(
    "program",
    [
        "postgres_memory",
        "postgres_work_memory",
        "postgres_disk",
        "postgres_many_small_writes",
        "postgres_temporary_files",
        "postgres_connections",
        "postgres_locks",
        "postgres_long_query",
        "redis_memory",
        "redis_huge_value",
        "redis_many_huge_values",
        "redis_unread_answers",
        "redis_connections",
        "redis_endless_script",
        "redis_endless_script_that_wrote",
        "redis_memory_of_a_script",
        "redis_functions",
    ],
)
def test_program(solution, postgres, redis, rng, program, turn):
    """The program {program}."""
    if turn == "hostile":
        patience = 20 if program.endswith("memory") else 5
        assert solution.call("program:perform", program, timeout=patience) == 3, "it is not three"
        assert redis.set("key", "value"), "Redis does not answer"
        assert postgres.value("SELECT n FROM counter WHERE id = 1") == 10, "another number"
        return
    assert solution.call("program:count") == 10, "another number"
    postgres.load("counter", [{"id": 2, "n": rng.randint(1, 10**9)}])
    assert redis.dbsize() == 0, "a key is left"
    assert redis.function_list() == [], "a function is left"
    value = str(rng.randint(1, 10**9)).encode()
    assert solution.call("program:remember", "key", value) == value, "another value"
