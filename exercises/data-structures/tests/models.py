"""What right answers are: slow models for small data, quick ones for large data."""

from collections import OrderedDict, deque


class SlowCache:
    """The rules of the statement, word for word, in one list of [key, value, end]."""

    def __init__(self, capacity, ttl):
        self.capacity, self.ttl = capacity, ttl
        self.entries = []  # the one used longest ago first

    def _take(self, key, now):
        """Remove and return the living entry of this key; None when there is none."""
        self.entries = [entry for entry in self.entries if entry[2] > now]
        found = [entry for entry in self.entries if entry[0] == key]
        self.entries = [entry for entry in self.entries if entry[0] != key]
        return found[0] if found else None

    def put(self, key, value, now):
        self._take(key, now)
        self.entries.append([key, value, now + self.ttl])
        self.entries = self.entries[-self.capacity :]

    def get(self, key, now, default=None):
        entry = self._take(key, now)
        if entry is None:
            return default
        self.entries.append(entry)
        return entry[1]


def quick_answers(job):
    """What a right cache answers to the operations of LARGE_CACHE, as one number."""
    entries, ends, total = OrderedDict(), deque(), 0
    for n in range(job["count"]):
        now = n // 4
        while ends and ends[0][1] <= now:
            entries.pop(ends.popleft()[0], None)  # each key is put once
        key, is_put = operation(job, n)
        if is_put:
            entries[key] = n
            ends.append((key, now + job["ttl"]))
            if len(entries) > job["capacity"]:
                entries.popitem(last=False)
        else:
            if key in entries:
                entries.move_to_end(key)
            total = (total * 31 + entries.get(key, -1) + 2) % 1_000_003
    return total


def operation(job, n):
    """The number of the key of operation n, and whether it is a put. LARGE_CACHE counts alike."""
    if n % 2 == 0:
        return n // 2, True
    reach = job["capacity"] * 2 if n % 15 == 0 else job["capacity"] // 4
    return n // 2 - (n * job["a"] + job["b"]) % 99_991 % reach, False


def top(builds, k):
    """The k slowest of all builds; sorted() leaves equal ones in the order of the stream."""
    return sorted(builds, key=lambda build: -build["seconds"])[:k]


def all_jobs(jobs):
    """Every job, also those that are only needed by others."""
    return sorted(set(jobs).union(*jobs.values()))


def too_early(jobs, order):
    """The pairs (job, need) in which the job comes before its need, at most five of them."""
    place = {job: n for n, job in enumerate(order)}
    pairs = ((job, need) for job, needs in jobs.items() for need in needs)
    wrong = [(job, need) for job, need in pairs if place[job] < place[need]]
    return wrong[:5]


def links(jobs, cycle):
    """`a needs b` or `a does not need b` for each step of a circle."""
    steps = zip(cycle, [*cycle[1:], cycle[0]], strict=True)
    return [
        f"{job} {'needs' if need in jobs.get(job, []) else 'does not need'} {need}"
        for job, need in steps
    ]
