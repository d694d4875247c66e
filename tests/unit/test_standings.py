"""How far the learner is, and what to do next: from entries to one answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from grader.model.report import Status
from grader.progress.entries import Attempt, Hint, Started
from grader.progress.record import Record
from grader.progress.standings import Standing, standings, what_next

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)


def tried(minute: int, score: float | None, **values: object) -> Attempt:
    fields = {
        "exercise": "one",
        "version": 1,
        "time": at(minute),
        "seed": 1,
        "status": Status.ERROR if score is None else Status.FAILED,
        "score": score,
        "partial": False,
        "seconds": 1.0,
        "submission": "",
        "checks": (),
    }
    return Attempt(**{**fields, **values})  # type: ignore[arg-type]  # any field may be given


def test_only_whole_graded_runs_count(tmp_path: Path) -> None:
    """The best score stays, whatever came later; runs of some checks and faults of ours do not."""
    Record(tmp_path).add(
        Started(exercise="one", version=1, time=at(0)),
        tried(1, 60.0),
        tried(2, 40.0),
        tried(3, 100.0, partial=True, status=Status.PASSED),
        tried(4, None),
        Hint(exercise="one", version=1, task="first", step=1, time=at(5)),
    )
    assert standings(tmp_path) == {
        "one": Standing(
            exercise="one",
            best=60.0,
            tries=2,
            passed_version=None,
            hints=1,
            gave_up=False,
            last="2026-03-01T12:05:00.000000+00:00",
        )
    }


def test_a_pass_stays_and_says_of_which_version(tmp_path: Path) -> None:
    """An exercise with a score below 100 can be passed; a later failure takes nothing away."""
    record = Record(tmp_path)
    record.add(tried(1, 80.0, status=Status.PASSED), tried(2, 30.0, version=2))
    one = standings(tmp_path)["one"]
    assert (one.passed, one.state, one.passed_version, one.best) == (True, "passed", 1, 80.0)
    record.add(tried(3, 100.0, version=2, status=Status.PASSED))
    assert standings(tmp_path)["one"].passed_version == 2


def test_what_was_touched_last_comes_first(tmp_path: Path) -> None:
    begun = [Started(exercise=name, version=1, time=at(n)) for n, name in enumerate("abc")]
    Record(tmp_path).add(*begun, tried(9, 1.0, exercise="a"))
    assert list(standings(tmp_path)) == ["a", "c", "b"]


def test_no_record_is_nothing_begun(tmp_path: Path) -> None:
    assert standings(tmp_path / "none") == {}
    assert not (tmp_path / "none").exists()


def standing(name: str, *, passed: bool = False, gave_up: bool = False) -> Standing:
    return Standing(
        exercise=name,
        best=None,
        tries=0,
        passed_version=1 if passed else None,
        hints=0,
        gave_up=gave_up,
        last="",
    )


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ([], "a"),
        ([standing("a", passed=True)], "b"),
        ([standing("c")], "c"),
        ([standing("b"), standing("c")], "b"),
        ([standing("a", passed=True), standing("b", gave_up=True)], "c"),
        ([standing("b", gave_up=True), standing("c"), standing("a")], "c"),
        ([standing(n, passed=n != "b", gave_up=True) for n in "abc"], "b"),
        ([standing(n, passed=True) for n in "abc"], None),
        ([standing("elsewhere")], "a"),
    ],
)
def test_what_is_begun_goes_before_what_is_new(known: list[Standing], expected: str | None) -> None:
    """What was given up comes last, and an exercise of another catalog not at all."""
    assert what_next(["a", "b", "c"], {one.exercise: one for one in known}) == expected
