"""A program for every way that a check can end."""

import asyncio
import decimal
import os
import subprocess
import sys
import time

import psycopg
import redis


def add(a, b):
    print("adding", a, b)
    return a + b


def state():
    """What an earlier call of the same test left here."""
    left = os.path.exists("left")
    open("left", "w").close()
    open("/tmp/left", "a").close()
    return left, sorted(os.listdir("/tmp")), sorted(os.listdir("."))


def values():
    return {
        "tuple": (1, "two"),
        "decimal": decimal.Decimal("1.10"),
        "bytes": b"\x00\xff",
        "numbers": (n * n for n in range(4)),
        3: {1, 2},
    }


async def later(value):
    await asyncio.sleep(0)
    return value


class Counter:
    def __init__(self, start):
        self.value = start

    def add(self, n):
        self.value += n
        return self.value


class Unlucky(LookupError):
    pass


def unlucky():
    raise Unlucky("no luck", 13)


def count():
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        return connection.execute("SELECT n FROM counter WHERE id = 1").fetchone()[0]


def bump():
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("UPDATE counter SET n = n + 1 WHERE id = 1")


def get(key):
    return redis.Redis.from_url(os.environ["REDIS_URL"]).get(key)


def hold():
    """Keep a connection, as programs with a global one do."""
    global held
    held = psycopg.connect(os.environ["DATABASE_URL"])
    return held.execute("SELECT 1").fetchone()


def lock_out():
    """Everything a role may do to be left alone."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        for statement in (
            "ALTER ROLE CURRENT_USER PASSWORD 'mine'",
            "ALTER ROLE CURRENT_USER SET search_path = elsewhere",
            "ALTER DATABASE learner SET search_path = elsewhere",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = CURRENT_USER"
            " AND pid <> pg_backend_pid()",
        ):
            connection.execute(statement)
        return connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%secret%'"
            " AND pid <> pg_backend_pid()"
        ).fetchone()[0]


def hog():
    kept = []
    while True:
        kept.append(bytearray(4_000_000))


def hog_in_a_child():
    subprocess.run([sys.executable, "-c", "x = bytearray(200_000_000)"], check=False)
    return "survived"


def sleep(seconds):
    time.sleep(seconds)


def spin():
    while True:
        pass


def leave(code):
    os._exit(code)


def kill_everything():
    os.kill(-1, 9)


def chatter():
    for _ in range(100_000):
        print("all work and no play")


def fork_bomb():
    while True:
        os.fork()


def fill_disk():
    with open("big", "wb") as file:
        while True:
            file.write(bytes(1_000_000))


def daemon():
    subprocess.Popen(["sleep", "1000"], start_new_session=True)


def running():
    names = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            names.append(file.read().decode().replace("\0", " "))
    return names
