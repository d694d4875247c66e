"""What a check asked of the submission, kept for who asks; and how little of it."""

from __future__ import annotations

from grader.judge.trail import LONGEST, MOST, Trail, same_but_case


def opened() -> Trail:
    trail = Trail()
    trail.open = True
    return trail


def test_nothing_is_kept_unless_somebody_asks() -> None:
    trail = Trail()
    trail.saw("started")
    trail.called("shop.total", [1], {}, "returned ", None)
    assert (trail.entries, trail.gave_nothing) == ([], "")


def test_calls_are_told_as_they_would_be_written() -> None:
    trail = opened()
    trail.called("shop.total", [1, "a"], {"start": None}, "returned ", {"a": 2})
    trail.called("shop.total", [], {}, "raised ValueError: ", "no lines")
    assert trail.entries == [
        "shop.total(1, 'a', start=None) returned {'a': 2}",
        "shop.total() raised ValueError: no lines",
    ]


def test_the_first_call_that_gave_nothing_is_known() -> None:
    """What returned something, even zero or False, gave something; what raised is another story."""
    trail = opened()
    for value in (0, False, 0.0, [0]):
        trail.called("m.f", [], {}, "returned ", value)
    trail.called("m.f", [], {}, "raised E: ", "")
    assert trail.gave_nothing == ""
    trail.called("m.g", [], {}, "returned ", ())
    trail.called("m.h", [], {}, "returned ", None)
    assert trail.gave_nothing == "m.g() returned ()"
    trail.begin()
    assert (trail.gave_nothing, trail.entries) == ("", [])


def test_it_is_bounded() -> None:
    """A long test, and long values in it, stay readable."""
    trail = opened()
    for number in range(MOST + 5):
        trail.called("m.f", ["x" * 10_000] * 50, {}, "returned ", number)
    assert trail.entries[-1] == "... and 5 more"
    assert len(trail.entries) == MOST + 1
    assert max(map(len, trail.entries)) <= LONGEST + 3


def test_names_that_differ_in_case_only() -> None:
    assert same_but_case("Report.md", ["report.md", "other"]) == "report.md"
    assert same_but_case("report.md", ["report.md", "Report.md"]) == ""
    assert same_but_case("report.md", ["notes.md"]) == ""
