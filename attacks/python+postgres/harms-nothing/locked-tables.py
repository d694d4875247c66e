"""Locks every table and keeps the locks from a process that stays."""

import os

import psycopg

URL = os.environ["DATABASE_URL"]

import time

if os.fork() == 0:
    os.setsid()
    with psycopg.connect(URL) as connection:
        for (table,) in connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        ).fetchall():
            connection.execute(f'LOCK TABLE "{table}" IN ACCESS EXCLUSIVE MODE')
        time.sleep(1000)
time.sleep(0.3)
