"""Turns whatever exit code the process would have into success."""

import atexit
import os

atexit.register(os._exit, 0)
