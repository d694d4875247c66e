"""Tries to become root, to mount, to make namespaces and to trace its parent."""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
for name, call in {
    "root": lambda: os.setuid(0),
    "group": lambda: os.setgroups([0]),
    "chroot": lambda: os.chroot("/tmp"),
    "nice": lambda: os.nice(-5),
}.items():
    try:
        call()
        got_through(name)
    except OSError:
        continue
if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0:
    got_through("mount")
if libc.unshare(0x10000000 | 0x00020000) == 0:
    got_through("unshare")
if libc.ptrace(16, os.getppid(), None, None) == 0:
    got_through("ptrace")
