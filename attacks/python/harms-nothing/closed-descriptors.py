"""Closes every descriptor that the process was given."""

import os

os.closerange(0, 4096)
