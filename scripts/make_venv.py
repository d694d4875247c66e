"""Make a virtual environment, or say what is missing for it: `make_venv.py FOLDER`."""

from __future__ import annotations

import subprocess
import sys

OLDEST = (3, 11)


def main() -> int:
    if sys.version_info < OLDEST:
        have = ".".join(map(str, sys.version_info[:2]))
        print(f"grader needs Python 3.11 or newer, and {sys.executable} is {have}.")
        print("fix: make PYTHON=/path/to/python3.11 ...")
        return 1
    made = subprocess.run([sys.executable, "-m", "venv", sys.argv[1]], check=False)
    if made.returncode != 0:
        print("fix: install Python's venv, on Debian: sudo apt-get install python3-venv")
    return made.returncode


if __name__ == "__main__":
    sys.exit(main())
