class Cache:
    def __init__(self, capacity, ttl):
        self.capacity = capacity
        self.ttl = ttl
        self.entries = {}
        self.clock = 0

    def put(self, key, value, now):
        self.clock += 1
        if key not in self.entries and len(self.entries) >= self.capacity:
            self.entries = {k: entry for k, entry in self.entries.items() if entry[1] > now}
            if len(self.entries) >= self.capacity:
                del self.entries[min(self.entries, key=lambda k: self.entries[k][2])]
        self.entries[key] = [value, now + self.ttl, self.clock]

    def get(self, key, now, default=None):
        self.clock += 1
        entry = self.entries.get(key)
        if entry is None or entry[1] <= now:
            return default
        entry[2] = self.clock
        return entry[0]
