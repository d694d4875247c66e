"""A product catalogue: PostgreSQL holds the truth, Redis holds copies of it for about a minute."""

import contextlib
import itertools
import json
import os
import random
import threading
import time
import uuid
from decimal import Decimal

import psycopg
import redis
from psycopg.rows import dict_row
from redis.backoff import NoBackoff
from redis.retry import Retry

ENTRY_SECONDS = 60  # give or take a tenth
MISSING_SECONDS = 8
LEASE_SECONDS = 2  # the time in which one reader may load a product while the others wait
WAIT_SECONDS = 4

# Stores what was loaded, but only while the lease is still ours: whoever changes the product takes
# the lease away, because what we have read may be old by then.
STORE = """
if redis.call("GET", KEYS[2]) == ARGV[1] then
    redis.call("SET", KEYS[1], ARGV[2], "PX", ARGV[3])
    redis.call("DEL", KEYS[2])
end
"""


def entry_key(product_id):
    return f"product:{product_id}"


def lease_key(product_id):
    return f"product:{product_id}:lease"


def encode(product):
    return json.dumps(product and {**product, "price": str(product["price"])})


def decode(text):
    product = json.loads(text)
    return product and {**product, "price": Decimal(product["price"])}


class Catalog:
    def __init__(self):
        self._database = os.environ["DATABASE_URL"]
        patience = float(os.environ["REDIS_TIMEOUT"])
        self._thread = threading.local()  # a connection for each thread: connecting is slow
        self._redis = redis.Redis.from_url(
            os.environ["REDIS_URL"],
            decode_responses=True,
            socket_timeout=patience,
            socket_connect_timeout=patience,
            retry=Retry(NoBackoff(), 0),  # the database is the better second try
        )
        self._changed = set()  # (product id, ticket) of changes that Redis does not know of yet
        self._tickets = itertools.count()

    def get(self, product_id):
        try:
            return self._get_cached(product_id)
        except redis.RedisError:
            return self._load(product_id)

    def update_price(self, product_id, price):
        with self._transaction() as connection:
            update = "UPDATE products SET price = %s WHERE id = %s"
            changed = connection.execute(update, (price, product_id)).rowcount == 1
        self._forget(product_id)  # not before the commit: until then others read the old price
        return changed

    def add(self, product_id, name, price):
        with self._transaction() as connection:
            insert = "INSERT INTO products (id, name, price) VALUES (%s, %s, %s)"
            connection.execute(insert, (product_id, name, price))
        self._forget(product_id)  # somebody may have asked for it already and found nothing

    @contextlib.contextmanager
    def _transaction(self):
        connection = getattr(self._thread, "connection", None)
        if connection is None or connection.closed:
            connection = psycopg.connect(self._database, autocommit=True, row_factory=dict_row)
            self._thread.connection = connection
        with connection.transaction():
            yield connection

    def _load(self, product_id):
        with self._transaction() as connection:
            select = "SELECT id, name, price FROM products WHERE id = %s"
            return connection.execute(select, (product_id,)).fetchone()

    def _get_cached(self, product_id):
        self._forget_changed()
        entry = self._redis.get(entry_key(product_id))
        ticket = uuid.uuid4().hex
        give_up = time.monotonic() + WAIT_SECONDS
        while entry is None and time.monotonic() < give_up:
            # In one transaction: the entry may have come since we looked.
            with self._redis.pipeline(transaction=True) as both:
                both.set(lease_key(product_id), ticket, nx=True, ex=LEASE_SECONDS)
                both.get(entry_key(product_id))
                leased, entry = both.execute()
            if leased and entry is None:
                return self._load_and_store(product_id, ticket)
            if entry is None:
                time.sleep(random.uniform(0.05, 0.15))
        return self._load(product_id) if entry is None else decode(entry)

    def _load_and_store(self, product_id, ticket):
        try:
            product = self._load(product_id)
        except psycopg.Error:
            self._redis.delete(lease_key(product_id))
            raise
        seconds = ENTRY_SECONDS * random.uniform(0.9, 1.1) if product else MISSING_SECONDS
        keys = entry_key(product_id), lease_key(product_id)
        self._redis.eval(STORE, 2, *keys, ticket, encode(product), int(seconds * 1000))
        return product

    def _forget(self, product_id):
        self._changed.add((product_id, next(self._tickets)))
        with contextlib.suppress(redis.RedisError):  # the next call tries again before it reads
            self._forget_changed()

    def _forget_changed(self):
        for change in self._changed.copy():
            self._redis.delete(entry_key(change[0]), lease_key(change[0]))
            self._changed.discard(change)
