"""Prints the commands by which a program steers the pipeline it runs in."""

import os

LINES = [
    "::set-output name=score::100",
    "::error file=a.py::x",
    "::add-mask::x",
    "  ::stop-commands::x",
    "##[set-env name=X]y",
    "##vso[task.complete result=Succeeded]",
    "##teamcity[buildStatus status='SUCCESS']",
    "section_start:0:x",
]
os.write(2, "\n".join(["", *LINES, ""]).encode())


def fail(*args, **kwargs):
    raise ValueError("\n".join(LINES))


everywhere(fail)
