"""Answers with lists in lists in lists."""

def deep(*args, **kwargs):
    value = []
    for _ in range(100_000):
        value = [value]
    return value


everywhere(deep)
