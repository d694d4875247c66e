"""Stops every process that it may send a signal to, the agent too."""

import os
import signal

os.kill(-1, signal.SIGSTOP)
