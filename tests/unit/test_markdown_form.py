"""Markdown, read by a parser of the standard (CommonMark) with GitHub's tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from grader.model.report import Report, Status
from grader.report.forms import Form
from grader.report.markdown import to_markdown
from tests.unit.reports import CONTEXT, ERROR, FAILED, HOSTILE, PASSED, poisoned, stored, text_of

OURS = {
    *("heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "text"),
    *("table_open", "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close"),
    *("tr_open", "tr_close", "th_open", "th_close", "td_open", "td_close", "fence"),
    *("strong_open", "strong_close", "em_open", "em_close", "text_special"),
}


def tokens(text: str) -> list[Token]:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return list(_flat(parser.parse(text)))


def _flat(found: Sequence[Token]) -> Iterator[Token]:
    for token in found:
        yield token
        yield from _flat(token.children or [])


def shape(report: Report) -> list[str]:
    """The structure that a reader sees, without the words."""
    found = [token.type for token in tokens(text_of(Form.MARKDOWN, report))]
    return [kind for kind in found if kind not in ("text", "text_special", "html_inline")]


def test_the_page_of_a_failure() -> None:
    text = text_of(Form.MARKDOWN, stored(FAILED))
    lines = text.splitlines()
    assert lines[0] == "## ✗ Cache a slow product catalogue: Not passed yet: 18.7 of 100"
    assert "| ✗ | A second read of the same product is served from Redis. | 0 of 3 |" in lines
    assert "grader grade work --exercise redis-caching --seed 481516" in lines
    assert {token.type for token in tokens(text)} <= OURS


def test_a_pass_lists_its_checks_and_no_failure() -> None:
    text = text_of(Form.MARKDOWN, stored(PASSED))
    assert text.startswith("## ✓ ")
    assert "###" not in text


def test_a_fault_of_ours_has_no_score() -> None:
    text = text_of(Form.MARKDOWN, stored(ERROR))
    assert text.startswith("## ? Cache a slow product catalogue: Not graded\n")
    assert "not a zero" in text
    cells = [line.rsplit("|", 2)[1] for line in text.splitlines() if line.startswith("|")]
    assert [cell.strip() for cell in cells] == ["Points", "---", "7", "2", "3", "2"]


@pytest.mark.parametrize("status", [Status.FAILED, Status.ERROR])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_changes_no_structure(name: str, status: Status) -> None:
    """No heading, link, image, row or tag more than with a harmless text."""
    report = poisoned(HOSTILE[name], status)
    assert shape(report) == shape(poisoned("harmless", status))
    tags = [t.content for t in tokens(text_of(Form.MARKDOWN, report)) if "html" in t.type]
    assert set(tags) <= {"<!-- -->"}


def test_nobody_is_mentioned() -> None:
    """GitHub looks for names behind an @ in whatever is no code."""
    text = text_of(Form.MARKDOWN, poisoned("@everyone"))
    outside = [token.content for token in tokens(text) if token.type == "inline"]
    assert outside
    assert not [line for line in outside if "@everyone" in line]


@pytest.mark.parametrize("limit", [0, 10, 60, 300, 1000, 2000])
def test_it_fits_where_it_has_to(limit: int) -> None:
    """Cut at a part's end, and it says so; a block is never left open."""
    text = to_markdown(stored(FAILED), CONTEXT, limit)
    assert len(text.encode()) <= limit
    assert {token.type for token in tokens(text)} <= OURS
    if limit >= 60:
        assert text.endswith("*The rest is left out: it would be too long.*\n")


def test_thousands_of_checks_stay_below_what_github_shows() -> None:
    report = poisoned("w" * 300)
    report = replace(report, tasks=report.tasks * 400)
    assert 900_000 < len(text_of(Form.MARKDOWN, report).encode()) <= 1024 * 1024
