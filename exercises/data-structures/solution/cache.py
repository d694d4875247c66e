"""Results of recent builds: two orders of the same keys, so that nothing has to be searched."""

from collections import OrderedDict


class Cache:
    def __init__(self, capacity, ttl):
        self._capacity = capacity
        self._ttl = ttl
        self._values = OrderedDict()  # key -> value, the one used longest ago first
        # key -> when it ends. Every entry lives equally long, so the one put first ends first.
        self._ends = OrderedDict()

    def put(self, key, value, now):
        self._drop_expired(now)
        self._values[key] = value
        self._values.move_to_end(key)
        self._ends[key] = now + self._ttl
        self._ends.move_to_end(key)
        if len(self._values) > self._capacity:
            oldest, _ = self._values.popitem(last=False)
            del self._ends[oldest]

    def get(self, key, now, default=None):
        self._drop_expired(now)
        if key not in self._values:
            return default
        self._values.move_to_end(key)
        return self._values[key]

    def _drop_expired(self, now):
        while self._ends:
            key, end = next(iter(self._ends.items()))
            if end > now:
                break
            del self._ends[key]
            del self._values[key]
