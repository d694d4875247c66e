"""The HTML page, read by a parser: its structure is ours alone, and it asks for nothing."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

import pytest

from grader.model.report import Report, Status
from grader.report.forms import Form
from tests.unit.reports import ERROR, FAILED, HOSTILE, PASSED, poisoned, stored, text_of

VOID = {"meta"}


class Page(HTMLParser):
    """Counts elements, checks that they close in order, and keeps text and attributes."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.text = ""
        self.classes: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(text_of(Form.HTML, report))
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if self._open[-1:] != ["pre"] or tag != "span":  # a diff has as many as it has lines
            self.elements[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)
            self.classes.append((tag, values.get("class") or ""))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.text += data


def test_it_shows_what_failed_and_how_to_repeat_it() -> None:
    page = Page(stored(FAILED))
    assert "Not passed yet: 18.7 of 100" in page.text
    assert "The second read asked the database again." in page.text
    assert "grader check --only test_second_read --seed 481516" in page.text
    assert "grader grade work --exercise redis-caching --seed 481516" in page.text
    assert ("pre", "value-expected") in page.classes
    assert "2026-03-04 05:06 UTC" in page.text


def test_a_pass_has_nothing_to_unfold() -> None:
    page = Page(stored(PASSED))
    assert "Passed: 100 of 100" in page.text
    assert page.elements["details"] == 0


def test_a_fault_of_ours_has_no_score_and_no_bar() -> None:
    page = Page(stored(ERROR))
    assert "Not graded" in page.text
    assert "not a zero" in page.text
    assert not re.search(r"\d of \d", page.text)
    assert "bar" not in [name.partition(" ")[0] for _, name in page.classes]


@pytest.mark.parametrize("report", [stored(FAILED), stored(ERROR), poisoned(HOSTILE["markup"])])
def test_it_needs_no_network_and_no_script(report: Report) -> None:
    page = Page(report)
    assert not page.elements.keys() & {"script", "link", "img", "iframe", "object", "base", "form"}
    names = {name for _, name, _ in page.attributes}
    assert names <= {
        *("lang", "charset", "name", "content", "http-equiv", "class", "style", "role", "open"),
        "aria-label",
    }
    assert "url(" not in text_of(Form.HTML, report)
    assert ("meta", "content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes


@pytest.mark.parametrize("status", [Status.FAILED, Status.ERROR])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_adds_no_element(name: str, status: Status) -> None:
    harmless, page = Page(poisoned("harmless", status)), Page(poisoned(HOSTILE[name], status))
    assert page.elements == harmless.elements
    assert len({name for _, name, _ in page.attributes}) == len(
        {name for _, name, _ in harmless.attributes}
    )


def test_hostile_text_is_shown_as_it_is() -> None:
    assert HOSTILE["markup"].strip() in Page(poisoned(HOSTILE["markup"])).text
    assert "{{ 7 * 7 }}" in Page(poisoned(HOSTILE["template"])).text
