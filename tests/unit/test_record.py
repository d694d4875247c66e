"""The learner's record: nothing is lost, whoever writes and whenever they die."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest

from grader.errors import RecordError
from grader.model.report import Outcome, Report, Status
from grader.progress import database
from grader.progress.database import FILE, MIGRATIONS, opened
from grader.progress.entries import Attempt, CheckOutcome, Started, attempt
from grader.progress.record import Record

DATA = Path(__file__).parent.parent / "data"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def tried(number: int = 0, **values: object) -> Attempt:
    """An attempt of minute `number`."""
    fields = {
        "exercise": "redis-caching",
        "version": 1,
        "time": NOON + timedelta(minutes=number),
        "seed": number,
        "status": Status.FAILED,
        "score": 40.0,
        "partial": False,
        "seconds": 1.5,
        "submission": "ab" * 32,
        "checks": (
            CheckOutcome(id="test_a", task="first", outcome=Outcome.FAILED, points=3, earned=0),
        ),
    }
    return Attempt(**{**fields, **values})  # type: ignore[arg-type]  # any field may be given


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(tmp_path / "data")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / FILE


def test_what_was_put_in_comes_out_oldest_first(record: Record) -> None:
    """Entries come back as they were, and one exercise's alone when asked."""
    other = Started(exercise="python-basics", version=2, time=NOON + timedelta(seconds=30))
    first, second = tried(0), tried(1)
    assert record.add(second, first) == 2
    assert record.add(other) == 1
    assert record.entries() == [first, other, second]
    assert record.entries("python-basics") == [other]
    assert record.entries("unheard-of") == []


def test_an_entry_is_put_in_once(record: Record) -> None:
    entry = tried()
    assert record.add(entry) == 1
    assert record.add(entry, tried(1)) == 1
    assert len(record.entries()) == 2


def test_times_of_other_places_are_in_order(record: Record) -> None:
    """The order is that of the moments, not of what the clocks on the wall said."""
    later = tried(time=datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=-5))))
    record.add(later, tried(0))
    assert [entry.time for entry in record.entries()] == [NOON, NOON + timedelta(hours=2)]


def test_reading_makes_no_file(record: Record, file: Path) -> None:
    assert (record.entries(), record.workspaces()) == ([], {})
    assert not file.parent.exists()


def test_the_last_folder_of_an_exercise_is_known(record: Record, tmp_path: Path) -> None:
    record.add(tried(), folder=tmp_path / "a")
    record.add(tried(), folder=tmp_path / "b")
    record.add(tried(exercise="python-basics"))
    assert record.workspaces() == {"redis-caching": tmp_path / "b"}


def test_an_attempt_is_what_the_report_says() -> None:
    path = DATA / "reports" / "three-failures-in-full-others-one-line.json"
    report = msgspec.json.decode(path.read_bytes(), type=Report)
    kept = attempt(report)
    assert (kept.exercise, kept.version) == (report.exercise, report.exercise_version)
    assert (kept.seed, kept.status, kept.score) == (report.seed, report.status, report.score)
    assert [(c.id, c.task, c.outcome, c.points, c.earned) for c in kept.checks] == [
        (c.id, c.task, c.outcome, c.points, c.earned) for c in report.checks()
    ]


def test_what_could_not_be_read_back_is_not_written(record: Record) -> None:
    """A seed that JSON cannot hold is refused, and the rest of the record stays readable."""
    record.add(tried())
    for seed in (2**53, 10**30):
        with pytest.raises(RecordError, match="does not fit"):
            record.add(tried(seed=seed))
    assert len(record.entries()) == 1


def _writes(folder: Path, number: int) -> None:
    record = Record(folder)
    for one in range(20):
        record.add(tried(100 * number + one), folder=folder)


def test_two_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    """Also when both make the file."""
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_writes, args=(tmp_path / "new", n)) for n in (1, 2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    seeds = [entry.seed for entry in Record(tmp_path / "new").entries() if type(entry) is Attempt]
    assert sorted(seeds) == [*range(100, 120), *range(200, 220)]


def _dies_writing(folder: Path) -> None:
    with opened(folder, write=True) as connection:
        assert connection is not None
        connection.execute("PRAGMA cache_spill = 1")
        connection.execute("PRAGMA cache_size = 1")
        # More than the cache holds, so that part of it is in the file by now.
        body = "x" * 100_000
        rows = [(str(n), "attempt", "x", 1, "", None, 0, body) for n in range(20)]
        connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_is_killed_leaves_what_was_there(record: Record, file: Path) -> None:
    """Half of what it wrote is in the file already; the next one takes it back."""
    record.add(tried(0))
    before = file.stat().st_size
    process = multiprocessing.get_context("spawn").Process(
        target=_dies_writing, args=(file.parent,)
    )
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert file.stat().st_size > before + 100_000
    assert record.entries() == [tried(0, id=record.entries()[0].id)]
    record.add(tried(1))
    assert len(record.entries()) == 2


def test_an_interruption_takes_back_what_was_begun(record: Record, file: Path) -> None:
    record.add(tried())

    def interrupted() -> None:
        with opened(file.parent, write=True) as connection:
            assert connection is not None
            connection.execute("DELETE FROM entries")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(record.entries()) == 1


@pytest.fixture
def version_1(file: Path) -> Iterator[sqlite3.Connection]:
    """A record as the first version of the schema left it."""
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript((DATA / "record" / "version-1.sql").read_text(encoding="utf-8"))
        yield connection


def test_a_record_of_the_first_version_is_read(version_1: sqlite3.Connection, file: Path) -> None:
    """Whatever this version is: what was recorded then is there, and can be added to."""
    record = Record(file.parent)
    started, failed, passed = record.entries("redis-caching")
    assert isinstance(started, Started)
    assert isinstance(failed, Attempt)
    assert isinstance(passed, Attempt)
    assert (failed.score, passed.status) == (57.1, Status.PASSED)
    assert record.workspaces() == {"redis-caching": Path("/home/ada/redis-caching")}
    record.add(tried())
    version = version_1.execute("PRAGMA user_version").fetchone()
    assert version == (len(MIGRATIONS),)


def test_an_upgrade_keeps_everything(
    version_1: sqlite3.Connection, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later version's step runs once, on what is there."""
    step = ("ALTER TABLE entries ADD COLUMN note TEXT", "UPDATE entries SET note = kind")
    monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS, step))
    for _ in range(2):
        with opened(file.parent, write=False) as connection:
            assert connection is not None
            notes = connection.execute("SELECT note FROM entries ORDER BY time").fetchall()
        assert notes == [("started",), ("attempt",), ("attempt",)]


def test_an_upgrade_that_fails_changes_nothing(
    version_1: sqlite3.Connection, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(database, "MIGRATIONS", (*MIGRATIONS, ("DROP TABLE entries", "NONSENSE")))
        with pytest.raises(RecordError, match="syntax error"):
            Record(file.parent).entries()
    assert len(Record(file.parent).entries()) == 3


def test_a_later_version_is_left_alone(version_1: sqlite3.Connection, file: Path) -> None:
    version_1.execute("PRAGMA user_version = 99")
    before = file.read_bytes()
    for use in (lambda: Record(file.parent).entries(), lambda: Record(file.parent).add(tried())):
        with pytest.raises(RecordError, match="later grader") as caught:
            use()
        assert caught.value.fix == "update grader"
    assert file.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database, and longer than a header " * 5, b"SQLite"])
def test_a_damaged_file_is_said_with_its_fix(record: Record, file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(RecordError, match="is damaged") as caught:
        record.add(tried())
    assert caught.value.fix == f"put it aside: mv {file} {file}.damaged"
    assert file.read_bytes() == content


def test_damage_in_the_middle_is_said(record: Record, file: Path) -> None:
    record.add(*(tried(number) for number in range(50)))
    content = bytearray(file.read_bytes())
    content[4096:8192] = os.urandom(4096)
    file.write_bytes(content)
    with pytest.raises(RecordError, match="is damaged"):
        record.entries()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    record = Record(tmp_path / "file" / "data")
    for use in (lambda: record.add(tried()), record.entries):
        with pytest.raises(RecordError, match=r"file/data.*: Not a directory") as caught:
            use()
        assert "GRADER_DATA_DIR" in caught.value.fix


def test_a_file_that_cannot_be_opened_is_said(record: Record, file: Path) -> None:
    file.mkdir(parents=True)
    with pytest.raises(RecordError, match="unable to open"):
        record.entries()


def test_a_record_that_is_read_only_can_be_read(
    record: Record, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a system whose owner made it so; file permissions would not stop who is root."""
    record.add(tried())
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda path, **how: connect(f"file:{path}?mode=ro", uri=True, **how)
    )
    assert len(record.entries()) == 1
    with pytest.raises(RecordError, match="readonly database") as caught:
        record.add(tried(1))
    assert "GRADER_DATA_DIR" in caught.value.fix


def test_who_waits_too_long_is_told_why(
    record: Record, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.05)
    record.add(tried())
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(RecordError, match="locked") as caught:
            record.add(tried(1))
    assert "another grader" in caught.value.fix
