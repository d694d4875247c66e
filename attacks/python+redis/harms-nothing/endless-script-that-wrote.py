"""Runs a script in Redis that never ends and, having written, cannot be ended."""

import os

import redis

client = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=2)

try:
    client.eval("redis.call('SET', 'a', 'b') while true do end", 0)
except redis.RedisError:
    pass
