"""Tries to lift the limits that were set for it."""

import os
import resource

for name in ("RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_CORE"):
    kind = getattr(resource, name)
    hard = resource.getrlimit(kind)[1]
    if hard == resource.RLIM_INFINITY:
        continue
    try:
        resource.setrlimit(kind, (hard + 1, hard + 1))
        got_through(name)
    except (ValueError, OSError):
        continue
for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
    try:
        with open(path, "w") as file:
            file.write("max")
        got_through(path)
    except OSError:
        continue
