"""The order in which jobs can run: take a job that waits for nothing, again and again."""

from collections import defaultdict, deque


class CycleError(Exception):
    """Jobs that wait for each other: each one in `cycle` needs the next, the last the first."""

    def __init__(self, cycle):
        super().__init__(cycle)
        self.cycle = cycle


def plan(jobs):
    missing = {}  # job -> how many of its needs are not in the order yet
    needed_by = defaultdict(list)
    for job, listed in jobs.items():
        needs = set(listed)
        missing[job] = len(needs)
        for need in needs:
            needed_by[need].append(job)
    for need in needed_by:
        missing.setdefault(need, 0)

    ready = deque(job for job, count in missing.items() if count == 0)
    order = []
    while ready:
        job = ready.popleft()
        order.append(job)
        for other in needed_by[job]:
            missing[other] -= 1
            if missing[other] == 0:
                ready.append(other)

    if len(order) < len(missing):
        raise CycleError(find_cycle(jobs, planned=set(order)))
    return order


def find_cycle(jobs, planned):
    """Every job that is not planned needs another such job: follow them until one comes again."""
    job = next(job for job in jobs if job not in planned)
    path = {}  # job -> its place on the way
    while job not in path:
        path[job] = len(path)
        job = next(need for need in jobs[job] if need not in planned)
    return list(path)[path[job] :]
