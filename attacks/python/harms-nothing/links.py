"""Puts links to files of the system where its own files were, and closes its folders."""

import os

for place in (".", "/tmp", "/dev/shm", "/slot"):
    try:
        os.symlink("/etc/passwd", os.path.join(place, "left-behind"))
        os.symlink("/proc", os.path.join(place, "left-behind-folder"))
        os.mkdir(os.path.join(place, "left-behind-closed"))
        os.chmod(os.path.join(place, "left-behind-closed"), 0)
    except OSError:
        continue
os.chmod(".", 0)
