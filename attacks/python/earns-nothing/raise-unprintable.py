"""Raises an exception whose text, arguments and class raise again."""

class Worst(Exception):
    def __str__(self):
        raise Worst

    __repr__ = __str__

    @property
    def args(self):
        raise Worst


def fail(*args, **kwargs):
    raise Worst


everywhere(fail)
