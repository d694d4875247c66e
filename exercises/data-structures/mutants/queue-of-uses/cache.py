from collections import Counter, deque


class Cache:
    def __init__(self, capacity, ttl):
        self.capacity = capacity
        self.ttl = ttl
        self.entries = {}
        self.ends = deque()
        self.uses = deque()
        self.count = Counter()

    def use(self, key):
        self.uses.append(key)
        self.count[key] += 1

    def expire(self, now):
        while self.ends and self.ends[0][0] <= now:
            end, key = self.ends.popleft()
            if key in self.entries and self.entries[key][1] == end:
                del self.entries[key]

    def put(self, key, value, now):
        self.expire(now)
        while key not in self.entries and len(self.entries) >= self.capacity:
            oldest = self.uses.popleft()
            self.count[oldest] -= 1
            if not self.count[oldest]:
                del self.count[oldest]
                self.entries.pop(oldest, None)
        self.entries[key] = (value, now + self.ttl)
        self.ends.append((now + self.ttl, key))
        self.use(key)

    def get(self, key, now, default=None):
        self.expire(now)
        if key not in self.entries:
            return default
        self.use(key)
        return self.entries[key][0]
