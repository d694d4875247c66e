class CycleError(Exception):
    def __init__(self, cycle):
        super().__init__(cycle)
        self.cycle = cycle


def plan(jobs):
    order, done, way = [], set(), []

    def visit(job):
        if job in done:
            return
        if job in way:
            raise CycleError(way[way.index(job) :])
        way.append(job)
        for need in jobs.get(job, []):
            visit(need)
        way.pop()
        done.add(job)
        order.append(job)

    for job in jobs:
        visit(job)
    return order
