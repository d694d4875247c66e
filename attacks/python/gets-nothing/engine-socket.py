"""Looks for the socket of a container engine, which would give away the machine."""

import glob
import os

PLACES = ["/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock"]
for path in PLACES + glob.glob("/*/*.sock") + glob.glob("/*/*/*.sock"):
    if os.path.exists(path) and not path.startswith("/session/"):  # those are its own servers
        got_through(path)
