"""Takes jobs from a list in Redis until it meets one that it cannot do."""

import os
import sys

import redis

jobs = redis.Redis.from_url(os.environ["REDIS_URL"])
print("worker is ready")
while True:
    job = jobs.blpop("jobs")[1].decode()
    print("doing", job)
    if job == "fatal":
        sys.exit(7)
    if job == "signal":
        os.kill(os.getpid(), 11)
    if job == "memory":
        kept = bytearray(200_000_000)
    jobs.rpush("done", job.upper())
