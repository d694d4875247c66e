"""Grades of a class: what counts, what is late, and what nobody may take for a zero."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from grader.batch.classpage import page_name, to_page, write_pages
from grader.batch.course import Counted, Course, read_course
from grader.batch.gradebook import Gradebook, gradebook
from grader.batch.gradecsv import Csv, to_csv
from grader.batch.store import Result, Verdict
from grader.errors import UsageError
from grader.model.report import Outcome, Report
from grader.report.forms import Audience
from grader.report.jsonform import to_json
from tests.unit.reports import FAILED, changed, stored

DEADLINE = datetime(2026, 3, 1, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)


def result(learner: str, score: float | None = 100.0, **values: Any) -> Result:
    """A result; `late` is how long after the deadline the submission came."""
    late = values.pop("late", -HOUR)
    usual: dict[str, Any] = {
        "learner": learner,
        "exercise": "sample",
        "exercise_version": 1,
        "exercise_digest": "d",
        "images": "i",
        "submission": f"{learner} {score} {late}",
        "path": "p",
        "handed_in": (DEADLINE + late).isoformat() if late is not None else None,
        "graded": "2026-03-02T10:00:00+00:00",
        "status": Verdict.PASSED if score == 100 else Verdict.FAILED,
        "score": score,
    }
    return Result(**{**usual, **values})


def course(**values: Any) -> Course:
    counted = Counted(exercise="sample", **{"deadline": DEADLINE, "per_day": 10, **values})
    return Course(title="C", exercises=(counted,))


def score(book: Gradebook, learner: str = "ann") -> float | None:
    return next(line.grades["sample"].score for line in book.lines if line.learner == learner)


@pytest.mark.parametrize(
    ("late", "rules", "counts"),
    [
        (timedelta(0), {}, 100.0),
        (timedelta(seconds=1), {}, 90.0),
        (timedelta(days=1), {}, 90.0),
        (timedelta(days=1, seconds=1), {}, 80.0),
        (timedelta(days=9), {"most": 50}, 50.0),
        (timedelta(seconds=1), {"per_day": None}, 0.0),
        (timedelta(days=400), {"deadline": None}, 100.0),
        (None, {"per_day": None}, 100.0),
    ],
)
def test_late(late: timedelta | None, rules: dict[str, Any], counts: float) -> None:
    """Each begun day costs; without a rule what is late does not count; unknown is not late."""
    assert score(gradebook([result("ann", late=late)], course(**rules))) == counts


def test_best_and_last() -> None:
    """The best is the best after lateness; a regrade of the same files replaces their result."""
    results = [
        result("ann", 60.0, late=-3 * HOUR, id=1),
        result("ann", 100.0, late=timedelta(days=5), id=2),
        result("ann", 40.0, late=-2 * HOUR, id=3),
    ]
    assert score(gradebook(results, course())) == 60
    assert score(gradebook(results, course(per_day=2))) == 90
    assert score(gradebook(results, course(best=False))) == 50
    assert score(gradebook(results[::-1], course(best=False))) == 50
    assert score(gradebook(results, course(attempts=2))) == 60
    assert score(gradebook(results, course(attempts=1, best=False))) == 60
    again = replace(results[0], score=95.0, images="j", id=9)
    assert score(gradebook([*results, again], course())) == 95
    (line,) = gradebook(results, course(best=False)).lines
    grade = line.grades["sample"]
    assert (grade.submissions, grade.passed_after, grade.days_late) == (3, 3, 5)


def test_a_fault_of_ours_is_no_zero() -> None:
    """Until it is graded there is neither a grade nor a total, unless nothing could be better."""
    lost = result("ann", None, status=Verdict.ERROR, submission="x", late=-HOUR / 2)
    two = Course(title="", exercises=(Counted(exercise="sample"), Counted(exercise="other")))
    for others, wanted in (
        ([], None),
        ([result("ann", 60.0)], None),
        ([result("ann", 100.0)], 100.0),
    ):
        book = gradebook([*others, lost], two)
        assert score(book) == wanted
        assert book.lines[0].total == (None if wanted is None else wanted / 2)
    (summary, _) = gradebook([lost], two).summaries
    assert (summary.pending, summary.mean) == (1, None)
    assert to_csv(gradebook([lost], course()), Csv.CANVAS).splitlines()[-1] == ",ann,,,,"


def test_refused_and_missing() -> None:
    """What cannot be graded and what was not handed in are zeros, and told apart."""
    refused = result("ann", None, status=Verdict.REFUSED, submission="", message="no file")
    listed = replace(course(), learners={"ann": "Ann", "zoe": "Zoe"})
    book = gradebook([refused, result("eve")], listed)
    assert [(line.learner, line.name, line.total) for line in book.lines] == [
        ("ann", "Ann", 0.0),
        ("zoe", "Zoe", 0.0),
    ]
    (summary,) = book.summaries
    assert (summary.handed_in, summary.refused, summary.passed) == (1, 1, 0)


def test_weights() -> None:
    """The total is the weighted mean."""
    rules = Course(
        title="",
        exercises=(Counted(exercise="sample", weight=3), Counted(exercise="other", weight=1)),
    )
    results = [result("ann", 80.0), result("ann", 40.0, exercise="other")]
    assert gradebook(results, rules).lines[0].total == 70
    assert gradebook(results).lines[0].total == 60


def _report(**outcomes: Outcome) -> Report:
    return changed(
        stored(FAILED), lambda one: replace(one, outcome=outcomes.get(one.id, Outcome.PASSED))
    )


def test_most_failed() -> None:
    """Checks in the order of how many did not pass; a skipped one is another's doing."""
    ids = [check.id for check in stored(FAILED).checks()][:3]
    reports = [
        _report(**{ids[0]: Outcome.FAILED, ids[1]: Outcome.SKIPPED}),
        _report(**{ids[0]: Outcome.BROKE, ids[2]: Outcome.FAILED}),
        _report(),
    ]
    results = [
        result(f"learner{n}", 50.0, report=to_json(one).decode(), id=n)
        for n, one in enumerate(reports)
    ]
    (summary,) = gradebook(results).summaries
    assert [(one.id, one.failed, one.of) for one in summary.most_failed] == [
        (ids[0], 2, 3),
        (ids[2], 1, 3),
    ]
    assert summary.bands[5] == 3


# -- forms ----------------------------------------------------------------------------------------


def test_csv() -> None:
    """Read back by a CSV reader, also names that try to be formulas or columns."""
    results = [
        result("=cmd()", 33.333333, name='Roe, "Bob"\n', late=timedelta(hours=1)),
        result("ann", 100.0, name="Ann"),
    ]
    rows = list(csv.DictReader(io.StringIO(to_csv(gradebook(results, course()), Csv.PLAIN))))
    assert rows[0] == {
        "learner": "'=cmd()",
        "name": 'Roe, "Bob"\n',
        "sample": "30",
        "sample days late": "1",
        "sample submissions": "1",
        "total": "30",
    }
    canvas = list(csv.reader(io.StringIO(to_csv(gradebook(results), Csv.CANVAS))))
    assert canvas[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "sample"]
    assert canvas[1] == ["Points Possible", "", "", "", "", "100"]
    assert canvas[3] == ["Ann", "ann", "", "", "", "100"]
    moodle = list(csv.reader(io.StringIO(to_csv(gradebook(results), Csv.MOODLE))))
    assert moodle[2] == ["Participant ann", "Ann", "100"]


class Checker(HTMLParser):
    """Every element that is opened is closed; nothing runs and nothing is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag != "script"
        for name, value in attrs:
            assert not name.startswith("on")
            if name in ("href", "src"):
                self.links.append(value or "")
        if tag not in ("meta", "br", "line", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("line", "rect"):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_pages(tmp_path: Path) -> None:
    """A page for the class, one for each graded learner, and links that lead to them."""
    evil = "../<script>alert(1)</script>\u202e"
    results = {
        1: result(evil, 50.0, report=to_json(stored(FAILED)).decode(), id=1, name="<b>"),
        2: result("ann", None, status=Verdict.REFUSED, message="no <file>", submission="", id=2),
    }
    book = gradebook(results.values(), course())
    assert write_pages(book, tmp_path / "pages", results.get, Audience.LEARNER) == 2
    files = sorted(path.name for path in (tmp_path / "pages").iterdir())
    assert files == sorted(["index.html", page_name(results[1])])
    page = Checker()
    page.feed((tmp_path / "pages" / "index.html").read_text(encoding="utf-8"))
    assert page.open == []
    assert page.links == [page_name(results[1])]
    assert "<script>alert(1)</script>" in page.text
    assert "\u202e" not in page.text
    assert "no <file>" in page.text


def test_page_names_differ() -> None:
    """Learners whose names look alike as files have files of their own."""
    names = {page_name(result(one)) for one in ("a b", "a/b", "a-b", "", "..", "ä")}
    assert len(names) == 6
    assert all("/" not in name and not name.startswith(".") for name in names)


def test_a_class_without_results_of_one_exercise() -> None:
    """Empty plots are left out."""
    rules = Course(title="T", exercises=(Counted(exercise="none-yet"),), learners={"ann": ""})
    assert "<svg" not in to_page(gradebook([], rules))


# -- course.yaml ----------------------------------------------------------------------------------

WHOLE = """\
format: 1
title: Backend
late: {per_day: 10, most: 50}
counts: last
exercises:
  - {exercise: a, weight: 2, deadline: 2026-03-01T18:00:00+01:00}
  - {exercise: b, late: {per_day: 5}, attempts: 3, counts: best}
learners:
  - {id: ann, name: Ann Lee}
  - id: "007"
"""


def test_a_course(tmp_path: Path) -> None:
    """What an exercise does not say is said for all."""
    file = tmp_path / "course.yaml"
    file.write_text(WHOLE)
    assert read_course(file) == Course(
        title="Backend",
        exercises=(
            Counted(exercise="a", weight=2, deadline=DEADLINE, per_day=10, most=50, best=False),
            Counted(exercise="b", per_day=5, most=100, attempts=3, best=True),
        ),
        learners={"ann": "Ann Lee", "007": ""},
    )


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("format: 1", "format: 2", 1, "format"),
        ("weight: 2", "wieght: 2", 6, "unknown key 'wieght'"),
        ("2026-03-01T18:00:00+01:00", "2026-03-01T18:00:00", 6, "is no time with an offset"),
        ("2026-03-01T18:00:00+01:00", "soon", 6, "'soon' is no time"),
        ("per_day: 10", "per_day: 110", 3, "per_day"),
        ("exercise: b", "exercise: a", 7, "'a' is listed twice"),
        ('"007"', "ann", 10, "'ann' is listed twice"),
        ("counts: last", "counts: mean", 4, "counts"),
        ("title: Backend", "title: [", 2, "YAML"),
    ],
)
def test_a_wrong_course(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    """Each problem is named with its line."""
    assert old in WHOLE
    file = tmp_path / "course.yaml"
    file.write_text(WHOLE.replace(old, new))
    with pytest.raises(UsageError) as raised:
        read_course(file)
    assert f"course.yaml:{line}: " in raised.value.message or said == "YAML"
    assert said in raised.value.message


def test_no_course(tmp_path: Path) -> None:
    """Nothing, a folder and bytes that are no text are told, not raised."""
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    for path in (tmp_path / "gone.yaml", tmp_path, tmp_path / "bytes.yaml"):
        with pytest.raises(UsageError):
            read_course(path)
