"""One lock per product, from the redis library, for loads and for changes alike."""

import contextlib
import os
import pickle
import random
import threading
import time

import psycopg
import redis
from redis.exceptions import LockError, RedisError

DATABASE = os.environ["DATABASE_URL"]
MISSING = "missing"


def query(statement, *values):
    with psycopg.connect(DATABASE, autocommit=True) as connection:
        cursor = connection.execute(statement, values)
        return cursor.fetchone() if cursor.description else None


def load(product_id):
    row = query("SELECT * FROM products WHERE id = %s", product_id)
    return dict(zip(("id", "name", "price"), row, strict=True)) if row else None


class Entry:
    """The copy of one product in Redis, and the lock around it."""

    def __init__(self, client, product_id):
        self.client = client
        self.product_id = product_id
        self.key = f"catalog/{product_id}"

    def read(self):
        stored = self.client.get(self.key)
        return stored and pickle.loads(stored)

    def write(self, product):
        life = random.uniform(54.5, 65.5) if product else random.uniform(4, 9)
        self.client.set(self.key, pickle.dumps(product or MISSING), px=int(life * 1000))

    def drop(self):
        self.client.delete(self.key)

    def lock(self):
        return self.client.lock(f"{self.key}/lock", timeout=2.8, thread_local=False)


class Catalog:
    def __init__(self):
        # No retries by the client, whatever its version does on its own.
        pool = redis.ConnectionPool.from_url(
            os.environ["REDIS_URL"], socket_timeout=0.9, socket_connect_timeout=0.9, retry=None
        )
        self.client = redis.Redis(connection_pool=pool, retry=None)
        self.unsure = set()
        self.guard = threading.Lock()

    def entry(self, product_id):
        return Entry(self.client, product_id)

    def get(self, product_id):
        try:
            self.settle()
            entry = self.entry(product_id)
            product = entry.read() or self.read_or_load(entry)
        except RedisError:
            return load(product_id)
        return None if product == MISSING else product

    def read_or_load(self, entry):
        lock, deadline = entry.lock(), time.monotonic() + 4
        while not lock.acquire(blocking=False):
            time.sleep(random.uniform(0.05, 0.15))
            if product := entry.read():
                return product
            if time.monotonic() > deadline:
                return load(entry.product_id)
        try:
            product = entry.read()
            if not product:
                product = load(entry.product_id)
                if lock.owned():
                    entry.write(product)
            return product
        finally:
            release(lock)

    def update_price(self, product_id, price):
        statement = "UPDATE products SET price = %s WHERE id = %s RETURNING id"
        return self.change(product_id, statement, price, product_id) is not None

    def add(self, product_id, name, price):
        self.change(product_id, "INSERT INTO products VALUES (%s, %s, %s)", product_id, name, price)

    def change(self, product_id, statement, *values):
        entry = self.entry(product_id)
        lock = entry.lock()
        try:
            locked = lock.acquire(blocking_timeout=2.9)
        except RedisError:
            locked = False
        try:
            return query(statement, *values)
        finally:
            try:
                entry.drop()
            except RedisError:
                with self.guard:
                    self.unsure.add(product_id)
            if locked:
                release(lock)

    def settle(self):
        """Drops what could not be dropped while Redis was away."""
        with self.guard:
            while self.unsure:
                self.entry(next(iter(self.unsure))).drop()
                self.unsure.pop()


def release(lock):
    with contextlib.suppress(LockError, RedisError):
        lock.release()
