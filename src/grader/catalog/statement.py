"""The statement's headings equal the tasks of `exercise.yaml`, in number and title."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from grader.errors import Problem

_NUMBERED = re.compile(r"##\s+(\d+)\.\s+(\S.*)")
LONGEST = 500
"""Characters of a heading, at most; problems quote it."""
_FENCE = re.compile(r"^\s{0,3}(```+|~~~+)")


def statement_problems(text: str, titles: Sequence[str], file: str) -> list[Problem]:
    """Compare headings like `## 1. Read the file` with the tasks' titles."""
    problems = []
    headings = list(_headings(text))
    for number, (line, written, title) in enumerate(headings, start=1):
        if number > len(titles):
            message = f"the heading '{written}. {title}' has no task in exercise.yaml"
            problems.append(Problem(file=file, line=line, message=message))
            continue
        expected = f"## {number}. {titles[number - 1]}"
        if (written, title) != (str(number), titles[number - 1]):
            message = f"the heading '## {written}. {title}' differs from the task"
            fix = f"write '{expected}', or change the task's title"
            problems.append(Problem(file=file, line=line, message=message, fix=fix))
    for number, title in enumerate(titles[len(headings) :], start=len(headings) + 1):
        message = f"the heading '## {number}. {title}' is missing"
        problems.append(Problem(file=file, message=message, fix="every task has its heading"))
    return problems


def _headings(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, number and title of every numbered heading outside code blocks."""
    fence = ""
    for line, content in enumerate(text.splitlines(), start=1):
        mark = _FENCE.match(content)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and not content.strip().strip("`~"):
            fence = ""
        elif not fence and (heading := _NUMBERED.match(content[:LONGEST])):
            yield line, heading[1], heading[2].rstrip().rstrip("#").rstrip()
