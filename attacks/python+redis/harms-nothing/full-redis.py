"""Fills Redis, and leaves functions and scripts in it."""

import os

import redis

client = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=2)

try:
    client.function_load("#!lua name=left\nredis.register_function('left', function() return 1 end)")
    for number in range(2000):
        client.set(f"left-behind-{number}", bytes(200_000))
except redis.RedisError:
    pass
