"""Looks for files of the host and for places where it could write to its disk."""

import os

for path in ("/etc/shadow", "/root/.ssh", "/root/.bash_history", "/dev/sda", "/dev/mem", "/host"):
    if os.access(path, os.R_OK):
        got_through(path)
for path in ("/etc", "/usr/bin", "/usr/lib/python3", "/boot", "/proc/sysrq-trigger", "/sys/fs/cgroup"):
    if os.access(path, os.W_OK):
        got_through(f"{path} can be written")
