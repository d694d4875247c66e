"""Prints ten gigabytes to standard error, from a child."""

import subprocess

subprocess.run(["sh", "-c", "yes | head -c 10000000000 >&2"])
