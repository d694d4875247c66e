"""Writes a length of four gigabytes to the channel to the judge, and then rubbish."""

import os

for number in range(3, 20):
    try:
        os.write(number, b"\xff\xff\xff\xff" + b"{" * 5000)
    except OSError:
        continue
