"""Keeps the copies in a dictionary of the process."""

import os
import time

import psycopg
from psycopg.rows import dict_row


class Catalog:
    entries = {}

    def get(self, product_id):
        entry = self.entries.get(product_id)
        if entry and entry[0] > time.monotonic():
            return entry[1]
        with psycopg.connect(os.environ["DATABASE_URL"], row_factory=dict_row) as connection:
            select = "SELECT id, name, price FROM products WHERE id = %s"
            product = connection.execute(select, (product_id,)).fetchone()
        self.entries[product_id] = time.monotonic() + 60, product
        return product

    def update_price(self, product_id, price):
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            update = "UPDATE products SET price = %s WHERE id = %s"
            changed = connection.execute(update, (price, product_id)).rowcount == 1
        self.entries.pop(product_id, None)
        return changed

    def add(self, product_id, name, price):
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            insert = "INSERT INTO products (id, name, price) VALUES (%s, %s, %s)"
            connection.execute(insert, (product_id, name, price))
        self.entries.pop(product_id, None)
