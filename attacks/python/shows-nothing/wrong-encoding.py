"""Prints bytes that are no text, and answers with half a character."""

import os

os.write(2, b"\xff\xfe\x00\xd8\xc0\xaf")


def fail(*args, **kwargs):
    raise ValueError("\ud800 \udfff \x00")


everywhere(fail)
