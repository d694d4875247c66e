"""Prints ten gigabytes."""

import os

line = b"x" * 1_000_000
for _ in range(10_000):
    os.write(1, line)
