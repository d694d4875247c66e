class CycleError(Exception):
    def __init__(self, cycle):
        super().__init__(cycle)
        self.cycle = cycle


def plan(jobs):
    order, seen = [], {}
    for start in jobs:
        if start in order:
            continue
        stack = [(start, iter(jobs[start]))]
        seen[start] = None
        while stack:
            job, needs = stack[-1]
            need = next((one for one in needs if one not in order or one in seen), None)
            if need is None:
                stack.pop()
                order.append(job)
            elif need in seen:
                raise CycleError(list(seen)[list(seen).index(need) :])
            else:
                seen[need] = None
                stack.append((need, iter(jobs.get(need, ()))))
        seen.clear()
    return order
