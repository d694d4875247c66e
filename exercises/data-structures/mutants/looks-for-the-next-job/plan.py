class CycleError(Exception):
    def __init__(self, cycle):
        super().__init__(cycle)
        self.cycle = cycle


def plan(jobs):
    waiting = {job: set(needs) for job, needs in jobs.items()}
    for needs in jobs.values():
        for need in needs:
            waiting.setdefault(need, set())
    order, done = [], set()
    while waiting:
        ready = [job for job, needs in waiting.items() if needs <= done]
        if not ready:
            raise CycleError(circle(waiting, done))
        for job in ready:
            del waiting[job]
            done.add(job)
            order.append(job)
    return order


def circle(waiting, done):
    way = [next(iter(waiting))]
    while True:
        need = next(iter(waiting[way[-1]] - done))
        if need in way:
            return way[way.index(need) :]
        way.append(need)
