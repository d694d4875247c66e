"""Tells what an earlier run left, and leaves files itself."""

import os
import sys

print(sorted(name for name in os.listdir("/tmp") + os.listdir(".") if "left" in name))
for name in ("left.txt", "/tmp/left", "out/left.json"):
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    with open(name, "w") as file:
        file.write("[1, 2]")
sys.exit(int(os.environ.get("CODE", "0")))
