"""Versions instead of leases.

Every change of a product gives it a new version, and an entry is stored under WATCH of the version,
so that an entry which was read too early is dropped. In each process one thread at a time deals
with a product; between the processes a lock in Redis decides who loads. Entries are hashes.
After an outage everything in Redis is thrown away.
"""

import contextlib
import os
import random
import threading
import time
from collections import defaultdict
from decimal import Decimal

import psycopg
from redis import Redis, RedisError, WatchError
from redis.backoff import NoBackoff
from redis.retry import Retry


class Database:
    """One connection for all threads, opened again when it is broken."""

    def __init__(self, url):
        self.url = url
        self.lock = threading.Lock()
        self.connection = None

    def run(self, statement, *values):
        with self.lock:
            if self.connection is None or self.connection.closed:
                self.connection = psycopg.connect(self.url, autocommit=True)
            connection = self.connection
        return connection.execute(statement, values)


class Catalog:
    def __init__(self):
        self.database = Database(os.environ["DATABASE_URL"])
        timeout = float(os.environ["REDIS_TIMEOUT"])
        self.redis = Redis.from_url(
            os.environ["REDIS_URL"],
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
        )
        self.one_at_a_time = defaultdict(threading.Lock)
        self.outage = False

    def get(self, product_id):
        try:
            self.clean_up_after_outage()
            found, product = self.read_entry(product_id)
            if found:
                return product
            with self.one_at_a_time[product_id]:
                return self.wait_or_load(product_id)
        except RedisError:
            return self.load(product_id)

    def wait_or_load(self, product_id):
        loading = f"loading:{product_id}"
        deadline = time.monotonic() + 3
        while True:
            found, product = self.read_entry(product_id)
            if found:
                return product
            if self.redis.set(loading, 1, nx=True, px=2500) or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        try:
            found, product = self.read_entry(product_id)
            return product if found else self.load_and_store(product_id)
        finally:
            self.redis.delete(loading)

    def read_entry(self, product_id):
        entry = self.redis.hgetall(f"entry:{product_id}")
        if not entry or b"missing" in entry:
            return bool(entry), None
        name, price = entry[b"name"].decode(), Decimal(entry[b"price"].decode())
        return True, {"id": product_id, "name": name, "price": price}

    def load_and_store(self, product_id):
        with self.redis.pipeline() as pipe:
            pipe.watch(f"version:{product_id}")
            product = self.load(product_id)
            fields, life = {"missing": 1}, random.randint(5000, 9000)
            if product:
                fields = {"name": product["name"], "price": str(product["price"])}
                life = random.randint(55_000, 65_000)
            pipe.multi()
            pipe.hset(f"entry:{product_id}", mapping=fields)
            pipe.pexpire(f"entry:{product_id}", life)
            with contextlib.suppress(WatchError):
                pipe.execute()
        return product

    def load(self, product_id):
        found = self.database.run("SELECT name, price FROM products WHERE id = %s", product_id)
        row = found.fetchone()
        return row and {"id": product_id, "name": row[0], "price": row[1]}

    def update_price(self, product_id, price):
        update = "UPDATE products SET price = %s WHERE id = %s RETURNING id"
        changed = self.database.run(update, price, product_id).fetchone() is not None
        self.new_version(product_id)
        return changed

    def add(self, product_id, name, price):
        self.database.run("INSERT INTO products VALUES (%s, %s, %s)", product_id, name, price)
        self.new_version(product_id)

    def new_version(self, product_id):
        try:
            self.clean_up_after_outage()
            with self.redis.pipeline() as pipe:
                pipe.incr(f"version:{product_id}")
                pipe.expire(f"version:{product_id}", 60)
                pipe.delete(f"entry:{product_id}")
                pipe.execute()
        except RedisError:
            self.outage = True

    def clean_up_after_outage(self):
        if self.outage:
            for key in self.redis.scan_iter("entry:*", count=1000):
                self.redis.delete(key)
            self.outage = False
