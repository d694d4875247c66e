"""Asks PostgreSQL for more rows than it has room for, and does not wait."""

import os

import psycopg

URL = os.environ["DATABASE_URL"]

from psycopg import pq

connections = [psycopg.connect(URL, autocommit=True) for _ in range(4)]
for connection in connections:
    connection.pgconn.send_query(
        b"SELECT count(DISTINCT a * b) FROM generate_series(1, 100000) a, generate_series(1, 100000) b"
    )
