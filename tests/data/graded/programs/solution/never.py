"""Runs, prints, and listens to nothing."""

import time

print("still thinking")
time.sleep(1000)
