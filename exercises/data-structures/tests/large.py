"""Programs that use a submission on large data, beside it in the sandbox, under hard limits.

Growth is not measured: what is counted or timed inside a sandbox can be forged there. Each program
does so many calls that a solution whose cost per call grows with the data cannot come to the end,
by a factor of eight and more, while a right one needs a fraction of the limits; the judge looks at
the answers of all calls, which it knows. What is kept in memory is limited by the kernel, before
anything of the submission is imported.

That a program looks at its own processor time, and stops when it has had enough, is for a better
message and for busy machines. Whoever keeps it from stopping meets the time limit of the judge.
"""

import json

SECONDS = 6  # of processor time, so that a busy machine does not make anybody slow
WITHIN = 45
MEGABYTES = 24
"""What a program may keep; the ones with much data get four times as much."""

START = """
import json, resource, sys, time
import bisect, collections, dataclasses, functools, heapq, itertools, operator, typing

job = json.load(sys.stdin)
with open("/proc/self/status") as status:
    (used,) = [int(line.split()[1]) * 1024 for line in status if line.startswith("VmData:")]
resource.setrlimit(resource.RLIMIT_DATA, (used + job["room"], used + job["room"]))

def numbers():
    for n in range(job["count"]):
        if n % 64 == 0 and time.process_time() > job["seconds"]:
            return
        yield n

def report(done, answer, full=False):
    with open("report.json", "w") as file:
        json.dump({"done": done, "answer": answer, "full": full}, file)
"""

LARGE_CACHE = """
from cache import Cache

cache, total, done = Cache(job["capacity"], job["ttl"]), 0, 0
for n in numbers():
    now, done = n // 4, n + 1
    if n % 2 == 0:
        cache.put(f"build-{n // 2}", n, now)
    else:
        reach = job["capacity"] * 2 if n % 15 == 0 else job["capacity"] // 4
        key = n // 2 - (n * job["a"] + job["b"]) % 99991 % reach
        total = (total * 31 + cache.get(f"build-{key}", now, -1) + 2) % 1000003
report(done, total)
"""

# Every key is a new text of a thousand characters, so that whatever is kept of a call shows. One
# entry stays for ever, so that whoever throws away from the front of a queue finds it there.
MANY_CALLS = """
from cache import Cache

cache, total, done, full = Cache(10, 10**9), 0, 0, False
cache.put("first", job["a"], 0)
try:
    for n in numbers():
        done = n + 1
        cache.put(f"{n % 50:01000}", n * job["a"] + job["b"], n)
        total += cache.get(f"{(n - n % 7) % 50:01000}", n, -1)
        total = (total * 31 + cache.get("first", n, -1)) % 1000003
except MemoryError:
    cache, full = None, True
report(done, total, full)
"""

MANY_BUILDS = """
from slowest import Slowest

slowest, seen, done, full = Slowest(job["k"]), [], 0, False
try:
    for n in numbers():
        done = n + 1
        seconds = n * job["step"] // 3 if job["step"] else (n * job["a"] + job["b"]) % 99991
        slowest.add({"id": f"{n:0{job['digits']}}", "seconds": seconds})
        if n % job["every"] == job["every"] - 1:
            seen.append([[int(each["id"]), each["seconds"]] for each in slowest.top()])
except MemoryError:
    slowest, full = None, True
report(done, seen, full)
"""


def drive(solution, name, program, much=False, **job):
    """Run a program under the limits; how many calls it did, their answer, whether memory ended."""
    room = MEGABYTES * 1024 * 1024 * (4 if much else 1)
    job.update(seconds=SECONDS, room=room)
    result = solution.run(
        ["python3", name],
        files={name: START + program},
        stdin=json.dumps(job),
        timeout=WITHIN,
        check=True,
    )
    report = result.json("report.json")
    return report["done"], report["answer"], report["full"]
