class Cache:
    def __init__(self, capacity, ttl):
        self.capacity = capacity
        self.ttl = ttl
        self.entries = {}
        self.by_use = []
        self.by_end = []

    def forget(self, key):
        del self.entries[key]
        self.by_use.remove(key)
        self.by_end.remove(key)

    def put(self, key, value, now):
        while self.by_end and self.entries[self.by_end[0]][1] <= now:
            self.forget(self.by_end[0])
        if key in self.entries:
            self.forget(key)
        elif len(self.entries) == self.capacity:
            self.forget(self.by_use[0])
        self.entries[key] = (value, now + self.ttl)
        self.by_use.append(key)
        self.by_end.append(key)

    def get(self, key, now, default=None):
        if key not in self.entries or self.entries[key][1] <= now:
            return default
        self.by_use.remove(key)
        self.by_use.append(key)
        return self.entries[key][0]
