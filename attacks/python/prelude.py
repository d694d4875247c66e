"""Stands before each attack in Python: what they share. All of it is appended to the starter."""


def got_through(what):
    """Whoever runs the attacks looks for this in the report."""
    import os

    os.write(2, f"\nGOT THROUGH: {what}\n".encode())


def everywhere(answer):
    """Every function and class of the submission gives `answer(*args, **kwargs)` from now on."""

    class Thing:
        def __init__(self, *args, **kwargs):
            pass

        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return answer

    for name, value in list(globals().items()):
        ours = name in ("got_through", "everywhere") or name.startswith("_")
        if ours or getattr(value, "__module__", None) != __name__:
            continue
        if isinstance(value, type):
            globals()[name] = Thing
        elif callable(value):
            globals()[name] = answer
