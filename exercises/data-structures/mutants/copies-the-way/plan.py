class CycleError(Exception):
    def __init__(self, cycle):
        super().__init__(cycle)
        self.cycle = cycle


def plan(jobs):
    order, done = [], set()
    for start in jobs:
        stack = [(start, [])]
        while stack:
            job, way = stack.pop()
            if job in done:
                continue
            if job in way and job != way[-1]:
                raise CycleError(way[way.index(job) :])
            if way and way[-1] == job:
                done.add(job)
                order.append(job)
                continue
            way = [*way, job]
            stack.append((job, way))
            stack += [(need, way) for need in jobs.get(job, []) if need not in done]
            if job in jobs.get(job, []):
                raise CycleError([job])
    return order
