"""Ends the process with success in the middle of the first call."""

import os

everywhere(lambda *args, **kwargs: os._exit(0))
