"""A product catalogue on top of PostgreSQL and Redis. The tasks are in README.md."""

import os

import psycopg
import redis
from psycopg.rows import dict_row


class Catalog:
    def __init__(self):
        self._database = os.environ["DATABASE_URL"]
        self._redis = redis.Redis.from_url(os.environ["REDIS_URL"])

    def get(self, product_id):
        """The product as a dict with id, name and price, or None."""
        # Like this it answers, but every call goes to the database: Redis is not used yet.
        with psycopg.connect(self._database, row_factory=dict_row) as connection:
            select = "SELECT id, name, price FROM products WHERE id = %s"
            return connection.execute(select, (product_id,)).fetchone()

    def update_price(self, product_id, price):
        """Changes the price. True if there is such a product."""
        print("update_price: not written yet, so the price stays as it is")
        return False

    def add(self, product_id, name, price):
        """Puts a new product into the catalogue."""
        print("add: not written yet, so the product is not stored")
