"""The same with graphlib."""

import graphlib


class CycleError(Exception):
    def __init__(self, cycle):
        super().__init__(cycle)
        self.cycle = cycle


def plan(jobs):
    try:
        return list(graphlib.TopologicalSorter(jobs).static_order())
    except graphlib.CycleError as error:
        # There, each job is needed by the next one, and the first is there again at the end.
        raise CycleError(error.args[1][:0:-1]) from None
