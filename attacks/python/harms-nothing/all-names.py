"""Makes files until no place takes another one."""

import os

for place in (".", "/tmp", "/dev/shm", "/slot"):
    number = 0
    try:
        while True:
            number += 1
            os.mkdir(os.path.join(place, f"left-behind-{number}"))
    except OSError:
        continue
