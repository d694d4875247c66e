"""What `record()` gives to a test: the learner's requests to one service."""

from __future__ import annotations

import re
from collections.abc import Iterable

from grader.judge.traffic import Request

MOST_REQUESTS = 20_000
"""Requests that one recording keeps."""
_CHANGES = r"\b(insert|update|delete|merge|returning|into)\b"
_READ = {
    "postgres": rf"(select|table|values|fetch|with\b(?!.*{_CHANGES}))\b",
    "redis": (
        r"(get|mget|hget|hmget|hgetall|exists|ttl|pttl|keys|scan|type|strlen|getrange|lrange|llen|"
        r"smembers|sismember|scard|zscore|zcard|zrange\w*|hkeys|hvals|hlen)\b"
    ),
    # What ends in dots was cut: it may write at its end.
    "mongodb": (
        r"((find|count|distinct|getMore|explain|listCollections|listIndexes|dbStats|collStats)\b|"
        r"aggregate\b(?!.*(\$out\b|\$merge\b|\.\.\.$)))"
    ),
}
_WRITE = {
    "postgres": r"(insert|update|delete|merge|truncate|create|alter|drop)\b(?!.*\breturning\b)",
    "redis": (
        r"(set|setex|psetex|setnx|mset|del|unlink|p?expire(at)?|persist|hset|hmset|hdel|lpush|"
        r"rpush|sadd|srem|zadd|zrem|publish|xadd|flushdb|flushall|exec|watch|unwatch|discard)\b"
        r"(?!.*\bget\b)"
    ),
    "mongodb": (
        r"(insert|update|delete|create|createIndexes|drop|dropIndexes|dropDatabase|collMod|"
        r"renameCollection|commitTransaction)\b"
    ),
}


class Seen:
    """The learner's requests to one service while `record()` was open, in order of arrival.

    `statements` holds all of them: only that it is empty proves that nothing was asked. What is
    certainly no read is not in `reads`, what is certainly no write is not in `writes`; a request
    whose kind cannot be told is in both.
    """

    def __init__(self, service: str) -> None:
        self._read = re.compile(_READ[service], re.IGNORECASE)
        self._write = re.compile(_WRITE[service], re.IGNORECASE)
        self._numbers: set[int] = set()
        self.statements: list[str] = []

    def add(self, requests: Iterable[Request]) -> None:
        """Each request once, however many messages it consists of."""
        for request in requests:
            if request.number not in self._numbers and len(self._numbers) < MOST_REQUESTS:
                self._numbers.add(request.number)
                self.statements.append(request.text)

    @property
    def commands(self) -> list[str]:
        """The same as `statements`: what Redis and MongoDB call them."""
        return self.statements

    @property
    def reads(self) -> list[str]:
        """Those that may read something."""
        return [text for text in self.statements if not self._write.match(text)]

    @property
    def writes(self) -> list[str]:
        """Those that may change something."""
        return [text for text in self.statements if not self._read.match(text)]

    def count(self, pattern: str) -> int:
        """How many requests contain the regular expression, whatever the case."""
        return sum(1 for text in self.statements if re.search(pattern, text, re.IGNORECASE))
