"""What holds for every form: hostile text is inert, and a run that failed on us has no score."""

from __future__ import annotations

import unicodedata

import pytest

from grader.model.report import Status
from grader.report.forms import Form
from tests.unit.reports import ERROR, FAILED, HOSTILE, PASSED, poisoned, stored, text_of

FORMS = tuple(Form)


@pytest.mark.parametrize("status", [Status.FAILED, Status.ERROR])
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("form", FORMS)
def test_hostile_text_steers_nothing(form: Form, name: str, status: Status) -> None:
    """UTF-8 without a control or an invisible character, whatever a program printed."""
    shown = text_of(form, poisoned(HOSTILE[name], status))
    bad = {
        character
        for character in shown
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    }
    assert bad <= {"\n"}


@pytest.mark.parametrize("form", [form for form in FORMS if form is not Form.JSON])
@pytest.mark.parametrize("name", ["long", "many"])
def test_floods_are_cut(form: Form, name: str) -> None:
    """JSON alone keeps all of it: it is for programs."""
    assert len(text_of(form, poisoned(HOSTILE[name]))) < 100_000


@pytest.mark.parametrize("form", FORMS)
def test_texts_that_must_be_found(form: Form) -> None:
    """Each form tells what failed, in the author's words."""
    shown = text_of(form, stored(FAILED))
    assert "A second read of the same product is served from Redis." in shown
    assert "The second read asked the database again." in shown


@pytest.mark.parametrize("form", FORMS)
def test_each_status_can_be_told_apart(form: Form) -> None:
    assert len({text_of(form, stored(name)) for name in (FAILED, PASSED, ERROR)}) == 3
