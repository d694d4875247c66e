"""Prints carriage returns and backspaces, to write over what stands there."""

import os

TEXT = "not passed\rPassed: 100 of 100\b\b\b\x0b\x0c\x85\u2028\u2029"
os.write(2, TEXT.encode())


def fail(*args, **kwargs):
    raise ValueError(TEXT)


everywhere(fail)
