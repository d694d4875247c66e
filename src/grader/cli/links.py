"""`grader roadmap --check-links`: whether what the roadmap names to read is still there."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from grader.cli import output
from grader.errors import ExerciseError, InfrastructureError

if TYPE_CHECKING:
    from grader.catalog import Catalog

AT_ONCE = 8
TRIES = 3
PAUSE = 1.0
"""Seconds before the second try; twice as many before the third."""
TIMEOUT = 15.0
GONE = (404, 410)
AGENT = "Mozilla/5.0 (compatible; grader link check)"
"""Some sites turn away whoever does not look like a browser."""


class Found(StrEnum):
    """What became of a link."""

    THERE = "there"
    MOVED = "moved"
    """It leads to another address for good (RFC 9110, 301 and 308)."""
    GONE = "gone"
    """404 or 410."""
    UNREACHABLE = "unreachable"
    """Nobody can say: no answer, or one that is no answer, three times."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """One address and what became of it. `said` is the new address, or the reason."""

    url: str
    found: Found
    said: str = ""


class _Permanent(urllib.request.HTTPRedirectHandler):
    """Follows redirects, and notes where those lead that are for good."""

    def __init__(self) -> None:
        self.goal = ""
        self._only = True

    def redirect_request(self, *given: Any) -> urllib.request.Request | None:
        code, goal = given[2], given[5]
        self._only = self._only and code in (301, 308)
        if self._only:
            self.goal = goal
        return super().redirect_request(*given)


def check(urls: Sequence[str], wait: Callable[[float], None] = time.sleep) -> Iterator[Link]:
    """Each address in order, several asked at a time."""
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        yield from pool.map(lambda url: _one(url, wait), urls)


def _one(url: str, wait: Callable[[float], None]) -> Link:
    said = ""
    for attempt in range(TRIES):
        if attempt:
            wait(PAUSE * 2 ** (attempt - 1))
        permanent = _Permanent()
        request = urllib.request.Request(url, headers={"User-Agent": AGENT})  # noqa: S310 -- https
        try:
            with urllib.request.build_opener(permanent).open(request, timeout=TIMEOUT) as answer:
                answer.read(1)
        except urllib.error.HTTPError as error:
            if error.code in GONE:
                return Link(url=url, found=Found.GONE, said=f"status {error.code}")
            said = f"status {error.code}"
        except (OSError, ValueError) as error:  # urllib's own are OSErrors
            said = str(getattr(error, "reason", error)) or type(error).__name__
        else:
            if permanent.goal and permanent.goal.rstrip("/") != url.rstrip("/"):
                return Link(url=url, found=Found.MOVED, said=permanent.goal)
            return Link(url=url, found=Found.THERE)
    return Link(url=url, found=Found.UNREACHABLE, said=said)


def check_roadmap(catalog: Catalog) -> int:
    """Ask for every resource, say what is not as it should be: the exit code.

    5 when something is gone, 3 when nobody can say; what has moved is a warning.
    """
    from rich.text import Text

    from grader.model.report import Outcome
    from grader.report.details import whole_line
    from grader.report.marks import glyphs
    from grader.report.text import counted, one_line

    topics: dict[str, list[str]] = {}
    for topic in catalog.roadmap.topics():
        for resource in topic.resources:
            topics.setdefault(resource.url, []).append(topic.slug)
    screen = output.stdout()
    marks = glyphs(screen.options).marks
    shown = {
        Found.MOVED: (marks[Outcome.BROKE], "yellow"),
        Found.GONE: (marks[Outcome.FAILED], "red"),
        Found.UNREACHABLE: (marks[Outcome.ERROR], "yellow"),
    }
    seen: set[Found] = set()
    for link in check(list(topics)):
        seen.add(link.found)
        if link.found is Found.THERE:
            continue
        mark, style = shown[link.found]
        where = ", ".join(topics[link.url])
        screen.print(Text.assemble((f"{mark} {link.found}", style), f"  {where}"))
        screen.print(whole_line((f"    {one_line(link.url, 500)}", "")), crop=False)
        to = "now at " if link.found is Found.MOVED else ""
        screen.print(whole_line((f"    {to}{one_line(link.said, 500)}", "dim")), crop=False)
    screen.print(Text(f"{counted(len(topics), 'link')} asked for.", "bold"))
    if Found.GONE in seen:
        return ExerciseError.exit_code
    return InfrastructureError.exit_code if Found.UNREACHABLE in seen else 0
