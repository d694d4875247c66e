"""Hidden tests of task 1. Time is a number that the tests choose, and passes when they say so."""

import pytest
from large import LARGE_CACHE, MANY_CALLS, MEGABYTES, SECONDS, drive
from models import SlowCache, quick_answers

CACHE = "cache:Cache"
NONE = "(not there)"


def names(rng, count):
    """So many different keys."""
    return [f"{rng.choice(['web', 'api', 'app'])}-{n}" for n in rng.sample(range(100), count)]


@pytest.mark.check(task="cache", points=2)
def test_finds_what_was_stored(solution, rng):
    """get returns what put has stored, whatever it is, or else the default."""
    first, second, other = names(rng, 3)
    now, value = rng.randrange(1000), rng.randrange(1, 1000)
    cache, another = solution.new(CACHE, 9, 60), solution.new(CACHE, 9, 60)
    cache.put(first, value, now)
    cache.put(second, [first, value], now + 1)
    got = [cache.get(first, now + 1), cache.get(second, now + 2)]
    assert got == [value, [first, value]], "These are the values of two keys, right after put."
    got = [cache.get(other, now + 2), cache.get(other, now + 2, NONE)]
    assert got == [None, NONE], (
        "A key that was never stored: without a default, get returns None, else the default."
    )
    empty = rng.sample([None, 0, "", [], False], 5)
    keys = names(rng, len(empty))
    for key, value in zip(keys, empty, strict=True):
        another.put(key, value, now)
    got = [another.get(key, now, NONE) for key in keys]
    assert got == empty, (
        "These values were stored, and get takes some of them for nothing. Ask whether the key "
        "is there (`key in ...`), not whether the value is true."
    )
    third = solution.new(CACHE, 9, 60)
    got = third.get(keys[-1], now, NONE)
    assert got == NONE, (
        "A new Cache finds what was put into another one. Make the dictionary in __init__: one "
        "that is made in the class body belongs to all caches together."
    )


@pytest.mark.check(task="cache", points=2, needs=["test_finds_what_was_stored"])
def test_the_one_used_longest_ago_goes(solution, rng):
    """When room is needed, the entry goes that was used longest ago; get is a use."""
    first, second, third, fourth = keys = names(rng, 4)
    cache, now = solution.new(CACHE, 3, 1000), rng.randrange(1000)
    for key in (first, second, third):
        cache.put(key, key.upper(), now)
    got = [key for key in (third, second, first) if cache.get(key, now) == key.upper()]
    assert got == [third, second, first], (
        "A cache for three entries got three. These are found; nothing has to go yet."
    )
    cache.get(fourth, now)  # finds nothing, and so uses nothing
    cache.put(fourth, fourth.upper(), now + 1)
    found = [key for key in keys if cache.get(key, now + 1) == key.upper()]
    assert found == [first, second, fourth], (
        f"A cache for three entries. put({first}), put({second}), put({third}), then "
        f"get({third}), get({second}), get({first}), then put({fourth}). These are found "
        f"now; {third} was used longest ago, by its get."
    )


@pytest.mark.check(task="cache", points=2, needs=["test_finds_what_was_stored"])
def test_put_of_a_key_that_is_there(solution, rng):
    """put of a key that is there replaces the value, needs no room, and is a use."""
    first, second, third = keys = names(rng, 3)
    cache, now = solution.new(CACHE, 2, 1000), rng.randrange(1000)
    cache.put(first, 1, now)
    cache.put(second, 2, now)
    cache.put(second, 3, now + 1)
    got = [cache.get(first, now + 1), cache.get(second, now + 1)]
    assert got == [1, 3], (
        f"A cache for two entries. put({first}, 1), put({second}, 2), put({second}, 3): these are "
        "the two values. A key that is there already needs no room, so nothing has to go."
    )
    cache.put(first, 4, now + 2)
    cache.put(third, 5, now + 2)
    found = [key for key in keys if cache.get(key, now + 2) is not None]
    assert found == [first, third], (
        f"A cache for two entries. get({first}), get({second}), put({first}), put({third}). These "
        f"are found; {second} was used longest ago, because a put is a use, too."
    )


@pytest.mark.check(task="cache", points=2, needs=["test_finds_what_was_stored"])
def test_entries_expire(solution, rng):
    """An entry is there for ttl seconds after its put, and not a second longer."""
    key, other = names(rng, 2)
    ttl, now = rng.randrange(20, 90), rng.randrange(1000)
    cache = solution.new(CACHE, 9, ttl)
    cache.put(key, 1, now)
    got = cache.get(key, now + ttl - 1, NONE)
    assert got == 1, (
        f"put at second {now} with a ttl of {ttl}: at second {now + ttl - 1} the entry should "
        "still be there."
    )
    got = cache.get(key, now + ttl, NONE)
    assert got == NONE, (
        f"put at second {now} with a ttl of {ttl}, and a get one second before the end. At second "
        f"{now + ttl} the entry should be gone: a get does not make it live longer."
    )
    now += 200
    cache.put(key, 2, now)
    cache.put(other, 3, now + ttl - 1)
    cache.put(key, 4, now + ttl - 1)
    got = [cache.get(key, now + 2 * ttl - 2, NONE), cache.get(key, now + 2 * ttl - 1, NONE)]
    assert got == [4, NONE], (
        f"put at {now}, and again at {now + ttl - 1}, with a ttl of {ttl}. Its life starts again "
        f"with the second put: it is there at {now + 2 * ttl - 2} and gone at {now + 2 * ttl - 1}."
    )


@pytest.mark.check(
    task="cache",
    points=2,
    needs=["test_entries_expire", "test_the_one_used_longest_ago_goes"],
    hint="Every entry lives equally long. So in which order do they end, and where can put see "
    "whether the next one has?",
)
def test_expired_entries_take_no_room(solution, rng):
    """While there is an expired entry, no living one has to go."""
    old, young, new = names(rng, 3)
    ttl, now = rng.randrange(20, 90), rng.randrange(1000)
    cache = solution.new(CACHE, 2, ttl)
    cache.put(old, 1, now)
    cache.put(young, 2, now + 9)
    cache.get(old, now + ttl - 1)  # used last, and yet the first to end
    cache.put(new, 3, now + ttl)
    got = [cache.get(key, now + ttl, NONE) for key in (old, young, new)]
    assert got == [NONE, 2, 3], (
        f"A cache for two entries with a ttl of {ttl}: put({old}) at {now}, put({young}) at "
        f"{now + 9}, get({old}) at {now + ttl - 1}, put({new}) at {now + ttl}. These are the "
        f"values of {old}, {young} and {new} then. {old} is expired, so there is room for {new}."
    )


def play(cache, model, steps):
    """Do the steps until an answer is wrong: (what was done, answer, right answer), or None."""
    told = []
    for name, key, value, now in steps:
        if name == "put":
            told.append(f"put({key!r}, {value}, {now})")
            cache.put(key, value, now)
            model.put(key, value, now)
            continue
        told.append(f"get({key!r}, {now})")
        got, expected = cache.get(key, now, NONE), model.get(key, now, NONE)
        if got != expected:
            return told, got, expected
    return None


def random_steps(rng, count):
    now, keys = rng.randrange(100), "abcd"
    for n in range(count):
        now += rng.choice([0, 1, 1, 2, 3])
        yield rng.choice(["put", "get"]), rng.choice(keys), n, now


@pytest.mark.check(
    task="cache",
    points=2,
    seconds=60,
    needs=["test_put_of_a_key_that_is_there", "test_expired_entries_take_no_room"],
)
def test_random_calls(solution, rng, note):
    """Random calls of put and get are answered as the rules say."""
    shortest = None
    for _ in range(40):
        capacity, ttl = rng.choice([1, 2, 3, 3, 4]), rng.choice([5, 8, 12])
        steps = list(random_steps(rng, 36))
        if shortest is not None:
            steps = steps[: len(shortest[1]) - 1]
        cache = solution.new(CACHE, capacity, ttl)
        wrong = play(cache, SlowCache(capacity, ttl), steps)
        if wrong is not None:
            shortest = [f"Cache({capacity}, {ttl})", *wrong]
    if shortest is not None:
        made, told, got, expected = shortest
        note("calls", [made, *told])
        assert got == expected, "The last of these calls is answered wrongly."


@pytest.mark.check(
    task="cache",
    points=3,
    seconds=60,
    needs=["test_random_calls"],
    hint="Which lines of your cache look at all entries: a loop, min(), sorted(), or a list that "
    "has to be searched?",
)
def test_large_cache_is_as_quick_as_a_small_one(solution, rng):
    """A cache for 30,000 entries answers 360,000 calls within 6 seconds."""
    job = {"count": 360_000, "capacity": 30_000, "ttl": 20_000}
    job.update(a=rng.randrange(1, 99_991), b=rng.randrange(99_991))
    done, answer, _ = drive(solution, "large_cache.py", LARGE_CACHE, much=True, **job)
    assert done == job["count"], (
        f"So many calls of a cache for 30,000 entries were done when the {SECONDS} seconds were "
        "over. A call should cost the same, however many entries there are."
    )
    assert answer == quick_answers(job), (
        "All calls were in time, but answers are wrong. (This is a checksum of all of them.) Is "
        "there something that only a large cache does?"
    )


@pytest.mark.check(
    task="cache",
    points=1,
    seconds=60,
    needs=["test_random_calls"],
    hint="What does your cache write down at every call, and who throws it away again?",
)
def test_calls_leave_nothing_behind(solution, rng):
    """However many calls there are, the memory holds the entries alone."""
    count, a, b = 40_000, rng.randrange(1, 99_991), rng.randrange(99_991)
    done, answer, full = drive(solution, "many_calls.py", MANY_CALLS, count=count, a=a, b=b)
    assert not full, (
        f"After {done} of {count} calls to a cache for 10 entries its {MEGABYTES} MB of memory "
        "were full. Something grows with every call."
    )
    assert done == count, f"So many calls were done when the {SECONDS} seconds were over."
    total = 0
    for n in range(count):  # each asks for what was used a moment before
        total = ((total + (n - n % 7) * a + b) * 31 + a) % 1_000_003
    assert answer == total, (
        "Answers are wrong: each get asked for a key that was used a moment before. (This is a "
        "checksum of all of them.)"
    )
