"""Raises MemoryError, to be taken for a fault of the grader's own."""

def fail(*args, **kwargs):
    raise MemoryError


everywhere(fail)
