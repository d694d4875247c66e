"""What a session is made of, and when one session can stand in for another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grader.engine.base import SessionSpec
from grader.engine.runners import Runner


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The runners and image tags a session is made of."""

    judge: Runner
    language: Runner
    services: Mapping[str, Runner]
    tags: Mapping[str, str]


def fingerprint(spec: SessionSpec, parts: Parts) -> str:
    """Equal for sessions that can stand in for each other."""
    return repr((spec, sorted(parts.tags.items())))
