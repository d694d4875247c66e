"""The slowest builds of a stream: a heap whose first item is the next one to go."""

import heapq
import itertools


class Slowest:
    def __init__(self, k):
        self._k = k
        self._heap = []  # (seconds, minus the place in the stream, build)
        self._places = itertools.count()

    def add(self, build):
        # No two places are equal, so the builds themselves are never compared.
        item = (build["seconds"], -next(self._places), build)
        if len(self._heap) < self._k:
            heapq.heappush(self._heap, item)
        else:
            heapq.heappushpop(self._heap, item)

    def top(self):
        return [build for _, _, build in sorted(self._heap, reverse=True)]
