"""Uses both servers for a while, so that there is time to disturb it."""

import os
import time

import psycopg
import redis


def add(a, b):
    return a + b


def work(seconds):
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    until = time.monotonic() + seconds
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        while True:
            connection.execute("SELECT n FROM counter").fetchone()
            client.incr("rounds")
            if time.monotonic() > until:
                return int(client.get("rounds")) > 0
            time.sleep(0.01)
