"""Runs of the learner's collection, each by a newman of its own that meets an API of its own."""

import json
import random
from dataclasses import dataclass, field

SIDE_BY_SIDE = 4
SECONDS = 90
"""For one run: it takes two of a processor's own, and many may share the processor."""
COLLECTION, REPORT = "collection.json", "report.json"
# Math.random gives the same numbers in every run: chance must not tell right from wrong.
NEWMAN = """
newman=$(command -v newman || echo /node_modules/newman/bin/newman.js)
exec node --random-seed="$0" "$newman" run "$@"
"""


@dataclass
class Run:
    """What one run came to. All of it is the learner's word, but for `api` and `requests`."""

    api: object
    requests: int = 0
    assertions: int = 0
    failures: list = field(default_factory=list)
    code: int = 0
    error: Exception | None = None

    @property
    def red(self):
        return self.code != 0

    def checked(self):
        """The run itself, if it came to an end; else what kept it from that is raised."""
        if self.error is not None:
            raise self.error
        return self


class Runner:
    def __init__(self, solution, world, together, seed):
        self._solution, self._world, self._together = solution, world, together
        self._rng = random.Random(f"{seed} {__name__}")
        self.key = f"{self._rng.getrandbits(80):020x}"
        self._numbers = self._rng.randrange(1 << 30)

    def api(self, kind):
        return kind(random.Random(self._rng.random()), self.key)

    def all(self, wanted):
        """One run for each (api, turned round, further), in random order, side by side."""
        order = list(range(len(wanted)))
        self._rng.shuffle(order)
        jobs = [(self._one, *wanted[number]) for number in order]
        runs = self._together(jobs, threads=SIDE_BY_SIDE)
        return [run for _, run in sorted(zip(order, runs, strict=True), key=lambda pair: pair[0])]

    def _one(self, api, turned, further=0):
        run = Run(api)
        try:
            self._meet(run, turned, further)
        except Exception as error:  # noqa: BLE001 -- raised again by the check of this run
            run.error = error
        return run

    def _meet(self, run, turned, further):
        server = self._world.serve(run.api, private=True)
        variables = {"baseUrl": server.url, "apiKey": self.key}
        words = [COLLECTION, "--reporters", "json", "--reporter-json-export", REPORT]
        for name, value in variables.items():
            words += ["--env-var", f"{name}={value}"]
        files = {}
        if turned:
            collection = self._solution.json(COLLECTION)
            collection["item"].reverse()
            files[COLLECTION] = json.dumps(collection)
        got = self._solution.run(
            ["sh", "-c", NEWMAN, str(self._numbers + further), *words],
            files=files,
            fresh=True,
            world=server,
            collect=[REPORT],
            timeout=SECONDS,
        )
        run.code, run.requests = got.code, len(server.requests)
        if REPORT in got.tree:
            read_report(run, got.json(REPORT))
        else:
            run.failures = [(got.stderr.decode("utf-8", "replace") or got.text).strip()[-400:]]


def read_report(run, report):
    """How many assertions there were, and which failed. Any shape may come."""
    said = part(part(report, "run"), "stats")
    total = part(part(said, "assertions"), "total")
    run.assertions = total if isinstance(total, int) else 0
    failures = part(part(report, "run"), "failures")
    for failure in failures if isinstance(failures, list) else []:
        error, source = part(failure, "error"), part(failure, "source")
        words = [part(source, "name"), part(error, "test"), part(error, "message")]
        run.failures.append(": ".join(str(word)[:200] for word in words if word))


def part(value, name):
    return value.get(name) if isinstance(value, dict) else None
