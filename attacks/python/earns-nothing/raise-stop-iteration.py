"""Raises StopIteration, so that a loop over the checks comes to its end."""

def fail(*args, **kwargs):
    raise StopIteration


everywhere(fail)
