"""Reads the variables, the memory and the open files of every other process."""

import os

for pid in filter(str.isdigit, os.listdir("/proc")):
    if int(pid) == os.getpid():
        continue
    for name in ("environ", "mem", "maps"):
        try:
            with open(f"/proc/{pid}/{name}", "rb") as file:
                if name == "mem" or file.read(1):
                    got_through(f"/proc/{pid}/{name}")
        except OSError:
            continue
    try:
        if os.listdir(f"/proc/{pid}/fd"):
            got_through(f"/proc/{pid}/fd")
    except OSError:
        continue
