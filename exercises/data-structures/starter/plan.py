"""The order in which jobs can run. The rules are in README.md, task 3."""


class CycleError(Exception):
    """Jobs that wait for each other: each one in `cycle` needs the next, the last the first."""

    def __init__(self, cycle):
        super().__init__(cycle)
        self.cycle = cycle


def plan(jobs):
    print("plan: not written yet, so no job is in the plan")
    return []


if __name__ == "__main__":
    print("plan:", plan({"deploy": ["test", "build"], "test": ["build"]}))
    try:
        print("plan:", plan({"hen": ["egg"], "egg": ["hen"], "breakfast": ["egg"]}))
    except CycleError as error:
        print("circle:", error.cycle)
