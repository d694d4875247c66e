"""Does not get far."""

print("reading the settings")
raise RuntimeError("no settings")
