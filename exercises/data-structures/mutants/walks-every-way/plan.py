class CycleError(Exception):
    def __init__(self, cycle):
        super().__init__(cycle)
        self.cycle = cycle


def plan(jobs):
    order = {}
    for start in jobs:
        way = {start: None}
        stack = [(start, iter(jobs[start]))]
        while stack:
            job, needs = stack[-1]
            need = next(needs, None)
            if need is None:
                stack.pop()
                del way[job]
                order.setdefault(job)
            elif need in way:
                raise CycleError(list(way)[list(way).index(need) :])
            else:
                way[need] = None
                stack.append((need, iter(jobs.get(need, ()))))
    return list(order)
