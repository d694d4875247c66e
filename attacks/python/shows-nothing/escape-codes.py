"""Prints codes that clear the screen, rewrite lines, set the title and fill the clipboard."""

import os

TEXT = "\x1b[2J\x1b[H\x1b[32mPassed: 100 of 100\x1b[0m\x1b]0;title\x07\x1b]52;c;cm0=\x07\x9b2J"
os.write(2, TEXT.encode())


def fail(*args, **kwargs):
    raise ValueError(TEXT)


everywhere(fail)
