"""What `submit: {git: dir}` takes of a repository: its data, nothing that git executes or obeys.

Left behind are config, hooks, attributes, alternates, the index, and what git computes from the
data (pack indexes, bitmaps, commit graphs): it is computed anew from what was handed in. The names
are those of gitrepository-layout(5).
"""

from __future__ import annotations

from grader.model.exercise import SubmitRule

_HEX = "[0-9a-f]"
_OBJECTS = (f"objects/{_HEX}{_HEX}/{_HEX * 38}", "objects/pack/*.pack")
_OTHERS = ("packed-refs", "refs/**", "logs/**")


def git_directory(folder: str) -> str:
    """The folder that holds a repository's data: a bare one is named like `origin.git`."""
    return folder if folder.endswith(".git") else f"{folder}/.git"


def git_rules(folder: str) -> list[SubmitRule]:
    """The rules that take what describes commits, trees, contents and refs."""
    root = git_directory(folder)
    return [
        SubmitRule(path=f"{root}/HEAD"),
        *(SubmitRule(path=f"{root}/{name}", optional=True) for name in _OTHERS),
        *(SubmitRule(path=f"{root}/{name}", optional=True, shared=True) for name in _OBJECTS),
    ]
