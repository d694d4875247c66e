"""Goes down to the needs of a job before the job itself, with a stack instead of recursion."""


class CycleError(Exception):
    def __init__(self, cycle):
        super().__init__(cycle)
        self.cycle = cycle


def plan(jobs):
    order = []
    done, on_the_way = set(), {}  # the second one keeps the order in which they were entered
    for start in jobs:
        if start in done:
            continue
        on_the_way[start] = None
        stack = [(start, iter(jobs[start]))]
        while stack:
            job, needs = stack[-1]
            need = next((one for one in needs if one not in done), None)
            if need is None:
                stack.pop()
                del on_the_way[job]
                done.add(job)
                order.append(job)
            elif need in on_the_way:
                way = list(on_the_way)
                raise CycleError(way[way.index(need) :])
            else:
                on_the_way[need] = None
                stack.append((need, iter(jobs.get(need, ()))))
    return order
