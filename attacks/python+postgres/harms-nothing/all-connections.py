"""Takes every connection that PostgreSQL gives."""

import os

import psycopg

URL = os.environ["DATABASE_URL"]

kept = []
while True:
    try:
        kept.append(psycopg.connect(URL, connect_timeout=2))
    except psycopg.Error:
        break
