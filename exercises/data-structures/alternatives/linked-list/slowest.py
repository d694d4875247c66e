"""A list that is always sorted: the place of a new build is found by halving."""

from bisect import bisect_right


class Slowest:
    def __init__(self, k):
        self.room = k
        self.builds = []
        self.speeds = []  # minus the seconds, so that the slowest stand first

    def add(self, build):
        place = bisect_right(self.speeds, -build["seconds"])
        if place < self.room:
            self.speeds.insert(place, -build["seconds"])
            self.builds.insert(place, build)
            del self.speeds[self.room :], self.builds[self.room :]

    def top(self):
        return self.builds[:]
