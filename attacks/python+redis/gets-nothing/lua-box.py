"""Tries to leave the box in which Redis runs scripts."""

import os

import redis

client = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=2)

for code in (
    "io.open('/etc/passwd'):read()", "os.execute('id')", "loadfile('/etc/passwd')()",
    "package.loadlib('libc.so.6', 'system')", "require('os')", "debug.getregistry()",
    "redis.call('CONFIG', 'GET', '*')", "redis.call('ACL', 'LIST')",
):
    try:
        client.eval(f"return {code}", 0)
        got_through(code)
    except redis.RedisError:
        continue
