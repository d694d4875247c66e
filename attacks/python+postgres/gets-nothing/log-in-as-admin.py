"""Logs in to PostgreSQL as everybody else, with no password and with its own."""

import os

import psycopg

URL = os.environ["DATABASE_URL"]

from urllib.parse import urlsplit

own = urlsplit(URL)
for user in ("postgres", "checker", "root", "admin"):
    for password in (own.password, "", "postgres", user):
        for database in ("learner", "postgres", "template1"):
            try:
                psycopg.connect(
                    host=own.hostname, port=own.port, user=user, password=password,
                    dbname=database, connect_timeout=2,
                )
                got_through(f"{user} in {database}")
            except psycopg.Error:
                continue
