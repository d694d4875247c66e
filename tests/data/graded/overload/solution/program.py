"""What the hostile program should have been: every answer is right, and no server minds."""

import os

import psycopg
import redis


def perform(_attack):
    return 3


def count():
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        return connection.execute("SELECT n FROM counter WHERE id = 1").fetchone()[0]


def remember(key, value):
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    client.set(key, value)
    return client.get(key)
