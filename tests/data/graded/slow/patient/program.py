"""The same, and it takes its time: longer than two looks at the lease are apart."""

import os
import time

import psycopg
import redis


def add(a, b):
    return a + b


def work(seconds):
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    until = time.monotonic() + (14 if seconds > 1 else seconds)
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        while True:
            connection.execute("SELECT n FROM counter").fetchone()
            client.incr("rounds")
            if time.monotonic() > until:
                return int(client.get("rounds")) > 0
            time.sleep(0.01)
