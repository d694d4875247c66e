"""Hidden tests of task 3. Any order that is right is accepted, and any circle."""

import json

import pytest
from models import all_jobs, links, too_early

PLAN = "plan:plan"
KINDS = ["build", "test", "lint", "pack", "sign", "push", "deploy", "notify"]
LARGE = 100_000


def names(rng, count):
    return [f"{rng.choice(KINDS)}-{n}" for n in rng.sample(range(10 * count), count)]


def shuffled(rng, jobs):
    """The same jobs and needs, in another order."""
    items = [(job, rng.sample(needs, len(needs))) for job, needs in jobs.items()]
    rng.shuffle(items)
    return dict(items)


def tree_of_jobs(rng, chosen):
    """Jobs that are needed by one other each, or by none."""
    jobs = {job: [] for job in chosen}
    for n, job in enumerate(chosen[:-1]):
        jobs[rng.choice(chosen[n + 1 :])].append(job)
    return shuffled(rng, jobs)


def web_of_jobs(rng, chosen):
    """Jobs that need up to three of those before them in the list."""
    needs = [rng.sample(chosen[:n], rng.randint(0, min(3, n))) for n in range(len(chosen))]
    return shuffled(rng, dict(zip(chosen, needs, strict=True)))


def check_plan(got, jobs, about):
    """Fails when this is not a right order of all jobs."""
    assert isinstance(got, list), f"plan should return a list of names. {about}"
    strange = [name for name in got if not isinstance(name, str)]
    assert strange == [], f"These items of the plan are no names of jobs. {about}"
    assert sorted(got) == all_jobs(jobs), (
        "These are the jobs in the plan, sorted. Every job should be there once, also one that is "
        f"named only as a need. {about}"
    )
    assert too_early(jobs, got) == [], (
        "In each of these pairs the first job needs the second, and stands before it in the plan. "
        f"{about}"
    )


def circle_of(solution, jobs, about, timeout=5):
    """The list that CycleError was raised with."""
    got = None
    try:
        with solution.raises("CycleError") as caught:
            got = solution.call(PLAN, jobs, timeout=timeout)
    except AssertionError:
        raised = f"a plan of {len(got)} jobs" if isinstance(got, list) else got
        assert raised == "CycleError", (
            f"{about} plan should raise CycleError, and returned something instead."
        )
    cycle = caught.args[0] if caught.args else None
    told = "CycleError should be raised with a list of names: CycleError(['a', 'b'])."
    assert isinstance(cycle, list | tuple), told
    assert [name for name in cycle if not isinstance(name, str)] == [], told
    return list(cycle)


def check_circle(cycle, jobs, members):
    assert len(cycle) == len(set(cycle)), (
        f"Each job should be in the circle once, and the first not again at the end: {cycle[:20]}."
    )
    waiting = sorted(set(cycle) - set(members))
    assert waiting == [], (
        "These jobs are reported, and are not in the circle: they only wait for it, or are needed "
        "by it."
    )
    assert sorted(cycle) == sorted(members), "These are the jobs of the reported circle, sorted."
    wrong = [link for link in links(jobs, cycle) if "does not" in link][:5]
    assert wrong == [], (
        f"Each job in the list should need the one after it, and the last should need the first: "
        f"{cycle[:20]}. Is the list the wrong way round?"
    )


@pytest.mark.check(task="plan", points=2)
def test_needs_come_first(solution, rng):
    """Every job is in the plan once, after all the jobs it needs."""
    for count in (3, 6, 12, 40):
        jobs = tree_of_jobs(rng, names(rng, count))
        got = solution.call(PLAN, jobs)
        check_plan(got, jobs, f"The jobs are {jobs}." if count < 10 else f"There are {count} jobs.")


@pytest.mark.check(
    task="plan",
    points=2,
    seconds=40,
    needs=["test_needs_come_first"],
    hint="When you come to a job a second time: how do you know whether you are still on your way "
    "through its needs, or are done with it?",
)
def test_many_ways_to_one_job(solution, rng):
    """A job that many others need is no circle, and is dealt with once."""
    top, left, right, base = names(rng, 4)
    jobs = shuffled(rng, {top: [left, right, base], left: [base], right: [base, left], base: []})
    got = solution.call(PLAN, jobs)
    check_plan(got, jobs, f"The jobs are {jobs}.")
    jobs = web_of_jobs(rng, names(rng, 40))
    check_plan(solution.call(PLAN, jobs), jobs, "There are 40 jobs.")
    levels = [[f"{level}-{job}" for job in names(rng, 2)] for level in range(40)]
    jobs = {job: levels[n - 1] if n else [] for n in range(40) for job in levels[n]}
    got = solution.call(PLAN, shuffled(rng, jobs), timeout=20)
    check_plan(got, jobs, "40 levels of two jobs, each of which needs both of the level below.")


@pytest.mark.check(task="plan", points=1, needs=["test_needs_come_first"])
def test_jobs_as_people_list_them(solution, rng):
    """No jobs, jobs named only as a need, and needs listed twice are all right."""
    got = solution.call(PLAN, {})
    assert got == [], "Without jobs the plan is an empty list."
    last, middle, first, alone = names(rng, 4)
    for jobs in ({last: [middle, first], middle: [first], alone: []}, {last: [middle, first]}):
        got = solution.call(PLAN, jobs)
        check_plan(got, jobs, f"The jobs are {jobs}; one is named only as a need.")
    jobs = {last: [middle, first, middle], middle: [first, first], first: []}
    got = solution.call(PLAN, jobs)
    check_plan(got, jobs, f"The jobs are {jobs}; a need is listed twice.")


TWICE = """
import json, sys
from plan import plan

jobs = json.load(sys.stdin)
plans = [plan(jobs), plan(jobs)]
with open("plans.json", "w") as file:
    json.dump([plans, jobs], file, default=sorted)
"""


@pytest.mark.check(task="plan", points=1, needs=["test_needs_come_first"])
def test_jobs_are_left_alone(solution, rng):
    """plan does not change the jobs it is given."""
    jobs = tree_of_jobs(rng, names(rng, 8))
    jobs.popitem()
    result = solution.run(
        ["python3", "twice.py"], files={"twice.py": TWICE}, stdin=json.dumps(jobs), check=True
    )
    plans, left = result.json("plans.json")
    assert left == jobs, (
        "This is what the dictionary of jobs looks like after plan. Work on a copy."
    )
    for got in plans:
        check_plan(got, jobs, "plan was called twice with the same dictionary.")


@pytest.mark.check(
    task="plan",
    points=3,
    needs=["test_needs_come_first"],
    hint="Follow the needs from one job that cannot be planned to the next. What do you know when "
    "you come to a job for the second time?",
)
def test_circle_is_reported(solution, rng, note):
    """A circle raises CycleError with the jobs of the circle, in the order of their needs."""
    for size in (2, 3, 5, 1):
        members, others = names(rng, size), [f"x-{name}" for name in names(rng, 8)]
        jobs = {job: [members[(n + 1) % size]] for n, job in enumerate(members)}
        for n, job in enumerate(others[:4]):  # needed by the circle, or by nobody
            jobs[job] = others[n - 1 : n]
        for job in members:
            jobs[job] += rng.sample(others[:4], rng.randint(0, 2))
        jobs[others[4]] = [rng.choice(members)]
        for n in range(5, 8):  # wait for the circle
            jobs[others[n]] = [others[n - 1], rng.choice(others[:4])]
        jobs = shuffled(rng, jobs)
        for first in (others[7], members[0]):  # many begin with the first job they find
            jobs = {first: jobs[first], **jobs}
            try:
                cycle = circle_of(solution, jobs, f"There is a circle of {size} among these jobs.")
                check_circle(cycle, jobs, members)
            except AssertionError:
                note("jobs", jobs)
                raise


@pytest.mark.check(
    task="plan",
    points=2,
    seconds=40,
    needs=["test_needs_come_first"],
    hint="A function that calls itself goes 1,000 levels deep. And a step that looks at every job "
    "is done 100,000 times here.",
)
def test_long_chain(solution, rng):
    """100,000 jobs are planned within 20 seconds, also when each needs the one before."""
    chain = [f"job-{n}" for n in rng.sample(range(10 * LARGE), LARGE)]
    jobs = {job: [chain[n - 1]] if n else [] for n, job in enumerate(chain)}
    got = solution.call(PLAN, shuffled(rng, jobs), timeout=20)
    check_plan(got, jobs, "Each of 100,000 jobs needs the one before.")


@pytest.mark.check(
    task="plan",
    points=1,
    seconds=40,
    needs=["test_circle_is_reported", "test_long_chain"],
    hint="How much is copied at each step of your way through the jobs?",
)
def test_long_circle(solution, rng):
    """A circle of 50,000 jobs among 100,000 is found within 20 seconds."""
    chain = [f"job-{n}" for n in rng.sample(range(10 * LARGE), LARGE)]
    half = LARGE // 2
    jobs = {job: [chain[n - 1]] if n else [chain[half - 1]] for n, job in enumerate(chain)}
    about = "There is a circle of 50,000 among 100,000 jobs."
    cycle = circle_of(solution, shuffled(rng, jobs), about, timeout=20)
    check_circle(cycle, jobs, chain[:half])
