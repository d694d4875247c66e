"""What may be a name in a submission, and what a learner probably meant."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable

from grader.workspace.globs import is_glob, matches

LONGEST_NAME = 255
DEEPEST = 32
"""Folders inside folders, at most."""


def shown(name: str) -> str:
    """The name as it may be printed: control characters and bad bytes are written out."""
    text = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in name.encode("utf-8", "backslashreplace").decode()
    )
    return text if len(text) <= 200 else text[:197] + "..."


def escape_problem(name: str) -> str:
    """Why a name could lead out of the submission; empty when it cannot."""
    if name.startswith("/"):
        return "is an absolute name"
    if "\\" in name:
        return "has a backslash in its name"
    if name[1:2] == ":":
        return "begins with a drive letter"
    if ".." in name.split("/"):
        return "leads out of its folder with '..'"
    return ""


def spelling_problem(name: str) -> str:
    """Why a name cannot be kept as it is on every machine; empty when it can."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    if any(unicodedata.category(character) == "Cc" for character in name):
        return "has a control character in its name"
    steps = name.split("/")
    if len(steps) > DEEPEST:
        return f"lies deeper than {DEEPEST} folders"
    if any(len(step.encode()) > LONGEST_NAME for step in steps):
        return f"has a name longer than {LONGEST_NAME} bytes"
    return ""


def same_name_key(name: str) -> str:
    """Equal for names that some file systems cannot hold side by side."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def looks_like(wanted: str, present: Iterable[str]) -> str:
    """A hint when one of the names present is probably meant by `wanted`; else empty."""
    names = sorted(present)
    if is_glob(wanted):
        below = [n for n in names if matches(f"**/{wanted}", tuple(n.split("/")))]
        return f"'{shown(below[0])}' lies in another folder: move it" if below else ""
    last = wanted.rsplit("/", 1)[-1]
    for name in names:
        if same_name_key(name) == same_name_key(wanted):
            return f"'{shown(name)}' differs in upper and lower case: rename it"
    for name in names:
        if name.rsplit("/", 1)[-1] == last:
            return f"'{shown(name)}' lies in another folder: move it"
    for name in names:
        if same_name_key(name.rsplit("/", 1)[-1]) == same_name_key(last):
            return f"'{shown(name)}' has another case and folder: rename and move it"
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=0.7)
    return f"is '{shown(near[0])}' meant? rename it" if near else ""
