"""A dictionary into a doubly linked list that is in the order of use, and a heap of ends."""

import heapq


class Entry:
    __slots__ = ("after", "before", "end", "key", "value")

    def __init__(self, key=None):
        self.key = key
        self.before = self.after = self


class Cache:
    def __init__(self, capacity, ttl):
        self.capacity, self.ttl = capacity, ttl
        self.index = {}
        self.ring = Entry()  # its neighbours: the entry used last, and the one used longest ago
        self.ends = []  # (end, key) of every put; those of replaced entries are passed over

    def put(self, key, value, now):
        self.clear_out(now)
        if key in self.index:
            self.unlink(self.index[key])
        elif len(self.index) == self.capacity:
            oldest = self.ring.after
            self.unlink(oldest)
            del self.index[oldest.key]
        entry = self.index[key] = Entry(key)
        entry.value, entry.end = value, now + self.ttl
        self.link(entry)
        heapq.heappush(self.ends, (entry.end, key))
        if len(self.ends) > 2 * self.capacity + 8:
            self.ends = [(each.end, each.key) for each in self.index.values()]
            heapq.heapify(self.ends)

    def get(self, key, now, default=None):
        self.clear_out(now)
        entry = self.index.get(key)
        if entry is None:
            return default
        self.unlink(entry)
        self.link(entry)
        return entry.value

    def clear_out(self, now):
        while self.ends and self.ends[0][0] <= now:
            _, key = heapq.heappop(self.ends)
            entry = self.index.get(key)
            if entry is not None and entry.end <= now:
                self.unlink(entry)
                del self.index[key]

    def link(self, entry):
        entry.before, entry.after = self.ring.before, self.ring
        entry.before.after = entry.after.before = entry

    def unlink(self, entry):
        entry.before.after, entry.after.before = entry.after, entry.before
