"""The record as a file: nothing is lost on the way, and nothing strange gets in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.model.report import Outcome, Status
from grader.progress.entries import Attempt, CheckOutcome, Entry, GaveUp, Hint, Started
from grader.progress.exchange import LONGEST, read_lines, to_lines
from grader.progress.record import Record

ENTRIES: tuple[Entry, ...] = (
    Started(exercise="one", version=1),
    Hint(exercise="one", version=1, task="first", step=1),
    GaveUp(exercise="one", version=1),
    Attempt(
        exercise="two",
        version=2,
        seed=2**53 - 1,
        status=Status.FAILED,
        score=33.3,
        partial=False,
        seconds=0.5,
        submission="ab",
        checks=(
            CheckOutcome(id="test_ü[a b]", task="t", outcome=Outcome.BROKE, points=3, earned=0.5),
        ),
    ),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "record.jsonl"
    path.write_bytes(to_lines(ENTRIES))
    return path


def test_every_kind_goes_there_and_back(file: Path) -> None:
    """One entry a line."""
    assert len(file.read_bytes().splitlines()) == len(ENTRIES)
    assert read_lines(file) == list(ENTRIES)


def test_files_are_put_together_line_by_line(file: Path, tmp_path: Path) -> None:
    """In any order, with lines that are there twice, empty ones, and those of Windows."""
    lines = file.read_bytes().splitlines()
    file.write_bytes(b"\xef\xbb\xbf" + b"\r\n\r\n".join([*reversed(lines), *lines]))
    record = Record(tmp_path / "data")
    assert record.add(*read_lines(file)) == len(ENTRIES)
    assert sorted(record.entries(), key=lambda one: one.id) == sorted(ENTRIES, key=lambda o: o.id)
    assert record.add(*read_lines(file)) == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"kind":"hint"', '"kind":"song"', "song"),
        ('"step":1', '"step":-1', ">= 0"),
        ('"step":1', '"step":"1"', "str"),
        ('"step":1', '"step":1e99', "step"),
        ('"exercise":"one"', '"exercise":"../one"', "exercise"),
        ('"exercise":"one"', '"exercise":"\\u001b[2J"', "exercise"),
        ('"version":1', '"version":9007199254740992', "version"),
        ('"kind"', "<<<<<<< mine", "malformed"),
    ],
)
def test_the_line_that_is_no_entry_is_named(file: Path, old: str, new: str, said: str) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    lines[1] = lines[1].replace(old, new, 1)
    file.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_lines(file)
    assert caught.value.message.startswith(f"{file}:2: is no entry of a record: ")
    assert said in caught.value.message
    assert "nothing was imported" in caught.value.message


@pytest.mark.parametrize("year", [1, 9999])
def test_a_time_that_no_clock_said_is_refused(file: Path, year: int) -> None:
    """Other places' local time of it does not exist."""
    begun = Started(exercise="one", version=1, time=datetime(year, 1, 1, tzinfo=UTC))
    file.write_bytes(to_lines([begun]))
    with pytest.raises(UsageError, match=f"the year is {year}"):
        read_lines(file)


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":"' + b"x" * LONGEST, b"\xff\n", b"{}"])
def test_hostile_lines_are_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(UsageError, match=":1: is no entry"):
        read_lines(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            read_lines(path)
