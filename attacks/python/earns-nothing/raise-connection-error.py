"""Raises ConnectionError, to be taken for a fault of a server."""

def fail(*args, **kwargs):
    raise ConnectionError


everywhere(fail)
