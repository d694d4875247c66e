"""Raises GeneratorExit, which many an `except Exception` lets through."""

def fail(*args, **kwargs):
    raise GeneratorExit


everywhere(fail)
