"""Drops all tables, and tries the database and its own account."""

import os

import psycopg

URL = os.environ["DATABASE_URL"]

with psycopg.connect(URL, autocommit=True) as connection:
    for statement in (
        "DROP SCHEMA public CASCADE", "DROP OWNED BY learner CASCADE",
        "DROP DATABASE learner", "DROP ROLE learner", "ALTER ROLE learner NOLOGIN",
        "ALTER ROLE learner PASSWORD 'x'", "ALTER DATABASE learner CONNECTION LIMIT 0",
    ):
        try:
            connection.execute(statement)
        except psycopg.Error:
            continue
