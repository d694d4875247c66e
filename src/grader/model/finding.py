"""What `grader doctor` says of one thing it looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

FINDINGS_FORMAT = 1
"""Grows when a key goes or changes its meaning; new keys and new findings do not change it."""


class State(StrEnum):
    """WARNS: checks run, but something is not as it should be. FAILS: no check can run."""

    WORKS = "works"
    WARNS = "warns"
    FAILS = "fails"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that grader depends on. A problem has a cause and a fix, each one line."""

    name: str
    """Its stable key: docker, disk, images, ..."""
    state: State = State.WORKS
    found: str
    cause: str = ""
    fix: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    """The same for programs: numbers in bytes, names in lists."""


def ready(findings: list[Finding]) -> bool:
    """Whether checks can run."""
    return all(finding.state is not State.FAILS for finding in findings)
