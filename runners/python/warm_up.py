"""Imported once by the process that forks the learner's interpreters.

A client's first use costs several times what every later one does. Here nobody answers, and the
price is paid before there is a learner's interpreter.
"""

import contextlib

import psycopg
import pymongo  # noqa: F401 -- only imported: its client starts threads, and a fork ends them
import redis

NOBODY = 1
"""A port on which nobody listens."""

with contextlib.suppress(psycopg.OperationalError):
    psycopg.connect(host="127.0.0.1", port=NOBODY)
with contextlib.suppress(redis.ConnectionError):
    redis.Redis(port=NOBODY, retry=None).ping()
