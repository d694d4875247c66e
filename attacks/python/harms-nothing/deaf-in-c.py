"""Waits in a C function that holds Python's lock, where no handler has its turn."""

import ctypes

ctypes.PyDLL(None).sleep(1000)
