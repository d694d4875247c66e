"""One plain dictionary in the order of use, and a queue of ends with the number of each put."""

from collections import deque
from itertools import count


class Cache:
    def __init__(self, capacity, ttl):
        self.capacity = capacity
        self.ttl = ttl
        self.entries = {}
        self.ends = deque()
        self.number = count()

    def expire(self, now):
        while self.ends and (self.ends[0][0] <= now or self.replaced(*self.ends[0][1:])):
            _, key, number = self.ends.popleft()
            if not self.replaced(key, number):
                del self.entries[key]

    def replaced(self, key, number):
        return key not in self.entries or self.entries[key][1] != number

    def put(self, key, value, now):
        self.expire(now)
        self.entries.pop(key, None)
        while len(self.entries) >= self.capacity:
            del self.entries[next(iter(self.entries))]
        number = next(self.number)
        self.entries[key] = value, number
        self.ends.append((now + self.ttl, key, number))
        if len(self.ends) > 2 * self.capacity:
            self.ends = deque(item for item in self.ends if not self.replaced(*item[1:]))

    def get(self, key, now, default=None):
        self.expire(now)
        try:
            entry = self.entries.pop(key)
        except KeyError:
            return default
        self.entries[key] = entry
        return entry[0]
