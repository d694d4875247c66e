"""The globs of `submit`: `*`, `?` and `[...]` within one name, `**` for any number of folders."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache

Parts = tuple[str, ...]


@lru_cache(maxsize=512)
def parts(pattern: str) -> Parts:
    """The steps of a glob; `dir/**` is everything below `dir`, so its last step is a name."""
    steps = tuple(pattern.split("/"))
    return (*steps, "*") if steps[-1] == "**" else steps


def matches(pattern: str, path: Parts) -> bool:
    """Whether the glob names this path."""
    return _walk(parts(pattern), path, partial=False)


def may_contain(pattern: str, folder: Parts) -> bool:
    """Whether something below this folder could match the glob."""
    return _walk(parts(pattern), folder, partial=True)


def is_glob(pattern: str) -> bool:
    """Whether the pattern can match more than one path."""
    return any(character in pattern for character in "*?[")


def _walk(pattern: Parts, path: Parts, *, partial: bool) -> bool:
    """Match name by name, keeping every position in the pattern that is still possible."""
    places = _over_stars(pattern, {0})
    for name in path:
        following = set()
        for place in places:
            if place == len(pattern):
                continue
            if pattern[place] == "**":
                following.add(place)
            elif fnmatchcase(name, pattern[place]):
                following.add(place + 1)
        places = _over_stars(pattern, following)
        if not places:
            return False
    if partial:
        return any(place < len(pattern) for place in places)
    return len(pattern) in places


def _over_stars(pattern: Parts, places: set[int]) -> set[int]:
    """`**` also stands for no folder at all."""
    reached = set(places)
    for place in sorted(places):
        while place < len(pattern) and pattern[place] == "**":
            place += 1
            reached.add(place)
    return reached
