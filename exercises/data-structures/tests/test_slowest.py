"""Hidden tests of task 2. A build has an id that shows its place in the stream."""

import pytest
from large import MANY_BUILDS, MEGABYTES, SECONDS, drive
from models import top

SLOWEST = "slowest:Slowest"


def stream(rng, count, seconds):
    """Builds that took one of these numbers of seconds each."""
    prefix = rng.choice(["web", "api", "app"])
    return [{"id": f"{prefix}-{n}", "seconds": rng.choice(seconds)} for n in range(1, count + 1)]


def ids(builds):
    """The ids in a list of builds, whatever else it holds."""
    if not isinstance(builds, list | tuple):
        return builds
    return [each.get("id") if isinstance(each, dict) else each for each in builds]


@pytest.mark.check(task="slowest", points=2)
def test_the_slowest_first(solution, rng):
    """top returns the k slowest builds so far, the slowest first."""
    k = rng.randrange(3, 6)
    builds = stream(rng, 30, range(1, 900))
    for build, seconds in zip(builds, rng.sample(range(1, 900), len(builds)), strict=True):
        build["seconds"] = seconds
    slowest = solution.new(SLOWEST, k)
    assert slowest.top() == [], "Before the first build the list should be empty."
    for n, build in enumerate(builds, start=1):
        slowest.add(build)
        if n in (1, k - 1, k, k + 1, 15, 30):
            expected = top(builds[:n], k)
            assert slowest.top() == expected, (
                f"Slowest({k}) has taken {n} builds of different lengths. These are the slowest."
            )
            assert slowest.top() == expected, (
                "top was asked twice, with no build in between, and the second list is another. "
                "Asking should change nothing: work on a copy."
            )


@pytest.mark.check(
    task="slowest",
    points=2,
    needs=["test_the_slowest_first"],
    hint="What does your code compare when the seconds of two builds are equal?",
)
def test_equally_slow_builds(solution, rng):
    """Of two builds that took equally long, the one that came first counts as slower."""
    for k in (1, 2, 3, 5):
        builds = stream(rng, 12, [10, 20, 20, 30])
        slowest = solution.new(SLOWEST, k)
        for n, build in enumerate(builds, start=1):
            slowest.add(build)
            got, expected = slowest.top(), top(builds[:n], k)
            told = ", ".join(f"{each['id']}: {each['seconds']}" for each in builds[:n])
            assert ids(got) == ids(expected), (
                f"Slowest({k}) has taken {told}. These are the ids in its list. Builds that took "
                "equally long stay in the order in which they came, and the first of them stays."
            )


@pytest.mark.check(
    task="slowest",
    points=1,
    needs=["test_the_slowest_first"],
    hint="When two pairs are compared and their first items are equal, Python compares the second.",
)
def test_builds_are_not_compared(solution, rng):
    """Builds can hold anything: only their seconds are compared, and they come back whole."""
    seconds = rng.randrange(1, 900)
    builds = [
        {"id": f"web-{n}", "seconds": seconds, "tags": rng.choice([["slow"], {"by": 7}, None, 3])}
        for n in rng.sample(range(100), 6)
    ]
    slowest = solution.new(SLOWEST, 4)
    for build in builds:
        slowest.add(build)
    got = slowest.top()
    assert got == builds[:4], (
        f"Six builds took {seconds} seconds each. These are the four that came first, and each "
        "should be the dictionary that was added."
    )


@pytest.mark.check(
    task="slowest",
    points=3,
    seconds=60,
    needs=["test_equally_slow_builds"],
    hint="heapq keeps the smallest item of a list at its front, and needs only a few steps to put "
    "a new one in.",
)
def test_large_list_is_as_quick_as_a_small_one(solution, rng):
    """A list of the 5,000 slowest takes 300,000 builds within 6 seconds."""
    k, count, every = 5000, 300_000, 75_000
    job = {"k": k, "count": count, "every": every, "step": rng.randrange(1, 4), "digits": 1}
    done, seen, _ = drive(solution, "many_builds.py", MANY_BUILDS, much=True, **job)
    assert done == count, (
        f"Slowest({k}) got builds that become slower and slower. So many of {count} were taken "
        f"when the {SECONDS} seconds were over. Does add look at all {k} builds in the list?"
    )
    builds = [{"id": n, "seconds": n * job["step"] // 3} for n in range(count)]
    for n, got in enumerate(seen, start=1):
        expected = [
            [each["id"], each["seconds"]] for each in top(builds[n * every - k - 3 : n * every], k)
        ]
        assert got == expected, f"The list after {n * every} builds is wrong (id and seconds)."


@pytest.mark.check(
    task="slowest",
    points=1,
    seconds=60,
    needs=["test_equally_slow_builds"],
    hint="Which builds can still come into the list, after a thousand slower ones have come?",
)
def test_stream_leaves_nothing_behind(solution, rng):
    """However long the stream is, only the slowest builds are kept in memory."""
    count, k = 50_000, 100
    job = {"k": k, "count": count, "every": count, "step": 0, "digits": 800}
    job.update(a=rng.randrange(1, 99_991), b=rng.randrange(99_991))
    done, seen, full = drive(solution, "long_stream.py", MANY_BUILDS, **job)
    assert not full, (
        f"After {done} of {count} builds the {MEGABYTES} MB of memory were full, though "
        f"Slowest({k}) has to remember {k} builds only."
    )
    assert done == count, f"So many builds were taken when the {SECONDS} seconds were over."
    builds = [{"id": n, "seconds": (n * job["a"] + job["b"]) % 99_991} for n in range(count)]
    expected = [[each["id"], each["seconds"]] for each in top(builds, k)]
    assert seen == [expected], "The list after a long stream is wrong (id and seconds)."
