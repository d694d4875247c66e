"""Fills every place where it can write."""

import os

for place in (".", "/tmp", "/dev/shm", "/slot"):
    number = 0
    try:
        while True:
            number += 1
            with open(os.path.join(place, f"left-behind-{number}"), "wb") as file:
                file.write(bytes(1_000_000))
    except OSError:
        continue
