"""Looks for the judge's queries, sessions and accounts in PostgreSQL."""

import os

import psycopg

URL = os.environ["DATABASE_URL"]

with psycopg.connect(URL, autocommit=True) as connection:
    seen = connection.execute(
        "SELECT query FROM pg_stat_activity WHERE usename <> current_user"
        " AND query NOT IN ('', '<insufficient privilege>')"
    ).fetchall()
    if seen:
        got_through(seen)
    for one in ("pg_terminate_backend(pid)", "pg_cancel_backend(pid)"):
        try:
            ended = connection.execute(
                f"SELECT {one} FROM pg_stat_activity WHERE usename <> current_user"
            ).fetchall()
            if any(row[0] for row in ended):
                got_through(one)
        except psycopg.Error:
            continue
