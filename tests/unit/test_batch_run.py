"""Many submissions: none lost, none twice, whatever happens. The engine is the fake one."""

from __future__ import annotations

import gc
import sqlite3
import threading
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.batch.handed import Handed
from grader.batch.run import Batch, BatchOptions, Begun, Ended, News
from grader.batch.store import Result, Store, Verdict
from grader.engine.base import SessionSpec
from grader.engine.fake import FakeEngine
from grader.errors import EngineUnavailable, RecordError, UsageError
from grader.model.exercise import Exercise
from grader.model.progress import Listener
from tests.unit.samples import check, exercise

CHECKS = (check("test_a"), check("test_b"))
FAILED = {"test_b": {"outcome": "failed", "message": "wrong", "ratio": 0.0}}


class Forgetful(FakeEngine):
    """The fake engine, for many runs: its sessions do not keep what they were sent."""

    def session(self, spec: SessionSpec, listener: Listener, *, fresh: bool = False) -> Any:
        for one in self.sessions:
            one.sent.clear()
            one.sandboxes.clear()
            one.discarded.clear()
        self.sessions = [one for one in self.sessions if not one.ended]
        return super().session(spec, listener, fresh=fresh)


@pytest.fixture
def sample(tmp_path: Path) -> Exercise:
    root = tmp_path / "exercise"
    root.mkdir()
    return exercise(root, *CHECKS)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(str(tmp_path / "results.db"))
    yield opened
    opened.close()


def hand_in(folder: Path, *names: str) -> list[Handed]:
    handed = []
    for name in names:
        path = folder / "class" / name
        path.mkdir(parents=True)
        (path / "answer.py").write_text(f"answer = {name!r}\n")
        handed.append(Handed(learner=name, path=path))
    return handed


def run(
    sample: Exercise,
    store: Store,
    handed: list[Handed],
    engine: FakeEngine | None = None,
    **options: Any,
) -> list[Ended]:
    engine = engine or FakeEngine(checks=CHECKS)
    news: list[News] = []
    batch = Batch(sample, lambda: engine, store, BatchOptions(**{"jobs": 1, **options}))
    batch.run(handed, news.append)
    assert Counter(type(one) for one in news)[Begun] >= len(handed)
    return [one for one in news if isinstance(one, Ended)]


def test_each_is_graded_once(sample: Exercise, store: Store, tmp_path: Path) -> None:
    """A second batch finds every result; a changed submission is graded anew."""
    handed = hand_in(tmp_path, "ann", "bob", "cyd")
    first = run(sample, store, handed, jobs=3)
    assert {one.result.learner: one.result.status for one in first} == {
        "ann": Verdict.PASSED,
        "bob": Verdict.PASSED,
        "cyd": Verdict.PASSED,
    }
    again = FakeEngine(checks=CHECKS)
    assert all(one.known for one in run(sample, store, handed, again))
    assert again.sessions == []
    (handed[0].path / "answer.py").write_text("answer = 'changed'\n")
    assert [one.known for one in run(sample, store, handed)] == [False, True, True]
    rows = list(store.results())
    assert Counter(one.learner for one in rows) == {"ann": 2, "bob": 1, "cyd": 1}
    assert len({one.submission for one in rows}) == 4
    assert all('"score":100' in one.report.replace(" ", "") for one in rows)


def test_equal_files_of_two_learners(sample: Exercise, store: Store, tmp_path: Path) -> None:
    """Each has a result: it is the learner that is graded, not the files."""
    ann, bob = hand_in(tmp_path, "ann", "bob")
    bob = replace(bob, path=ann.path)
    assert [one.known for one in run(sample, store, [ann, bob])] == [False, False]


def test_refused(sample: Exercise, store: Store, tmp_path: Path) -> None:
    """What cannot be graded has a result without a score, and is looked at again each time."""
    (handed,) = hand_in(tmp_path, "ann")
    (handed.path / "answer.py").unlink()
    for _ in range(2):
        (ended,) = run(sample, store, [handed])
        assert (ended.result.status, ended.result.score) == (Verdict.REFUSED, None)
        assert "answer.py" in ended.result.message
    assert len(list(store.results())) == 1
    (handed.path / "answer.py").write_text("x = 1\n")
    (ended,) = run(sample, store, [handed])
    assert ended.result.status is Verdict.PASSED


def test_a_fault_of_ours_is_tried_again(sample: Exercise, store: Store, tmp_path: Path) -> None:
    """At the end of the same batch, and by the next one; until then there is no score."""
    handed = hand_in(tmp_path, "ann", "bob")
    # An attempt, its repetition, and the look at whose fault it was.
    engine = FakeEngine(checks=CHECKS, lose_session=3)
    assert {one.result.status for one in run(sample, store, handed, engine)} == {Verdict.PASSED}

    (fresh,) = hand_in(tmp_path / "more", "cyd")
    engine = FakeEngine(checks=CHECKS, lose_session=10_000)
    (ended,) = run(sample, store, [fresh], engine)
    assert (ended.result.status, ended.result.score) == (Verdict.ERROR, None)
    assert "told to end" in ended.result.message
    (ended,) = run(sample, store, [fresh])
    assert (ended.result.status, ended.known) == (Verdict.PASSED, False)
    assert [one.status for one in store.results() if one.learner == "cyd"] == [Verdict.PASSED]


def test_servers_are_never_handed_on(sample: Exercise, store: Store, tmp_path: Path) -> None:
    """With services each submission has a session of its own; without, a judge serves many."""
    handed = hand_in(tmp_path, *"abcdef")
    engine = FakeEngine(checks=CHECKS)
    run(sample, store, handed, engine)
    assert len(engine.sessions) == 1
    assert len(engine.sessions[0].sandboxes) == 6
    assert engine.sessions[0].ended
    served = replace(sample, slug="served", services={"postgres": ()})
    engine = FakeEngine(checks=CHECKS)
    run(served, store, handed, engine)
    assert len(engine.sessions) == 6
    assert all(one.ended for one in engine.sessions)


def test_regrade(sample: Exercise, store: Store, tmp_path: Path) -> None:
    """Only what another version graded; with its seed; the old result stays."""
    handed = hand_in(tmp_path, "ann", "bob")
    first = run(sample, store, handed)
    changed = replace(sample, version=4, passing=50)
    failing = FakeEngine(checks=CHECKS, outcomes=FAILED, learner="any")
    assert all(one.known for one in run(changed, store, handed, failing))
    batch = Batch(changed, lambda: failing, store, BatchOptions())
    new, known, outdated = batch.plan(handed)
    assert (new, known) == ([], 0)
    assert [why[0] for _, _, why in outdated] == ["version 4 of the exercise, was 3"] * 2
    failing = FakeEngine(checks=CHECKS, outcomes=FAILED)
    again = run(changed, store, handed[:1], failing, regrade=True)
    assert [(one.before and one.before.score, one.result.score) for one in again] == [(100, 50)]
    assert again[0].result.seed == first[0].result.seed
    assert [one.score for one in store.results()] == [100, 100, 50]
    assert run(changed, store, handed[:1], failing, regrade=True)[0].known


def test_seeds_of_a_course(sample: Exercise, store: Store, tmp_path: Path) -> None:
    """With the course's secret a seed depends on learner, exercise, version and files alone."""
    handed = hand_in(tmp_path, "ann", "bob")
    seeds = [one.result.seed for one in run(sample, store, handed, secret="s3")]
    other = Store(str(tmp_path / "other.db"))
    assert [one.result.seed for one in run(sample, other, handed, secret="s3")] == seeds
    assert len(set(seeds)) == 2
    third = Store(str(tmp_path / "third.db"))
    assert [one.result.seed for one in run(sample, third, handed, secret="s4")] != seeds


def test_no_engine_ends_it(sample: Exercise, store: Store, tmp_path: Path) -> None:
    """Nothing is recorded for those that were not graded: the same command goes on."""

    class Gone(FakeEngine):
        def prepare(self, spec: SessionSpec, listener: Listener) -> None:
            raise EngineUnavailable("no Docker answers")

    handed = hand_in(tmp_path, "ann", "bob")
    with pytest.raises(EngineUnavailable):
        run(sample, store, handed, Gone(checks=CHECKS), jobs=2)
    assert list(store.results()) == []


def test_two_batches_at_once(sample: Exercise, tmp_path: Path) -> None:
    """Both run to the end, and each submission has one result."""
    handed = hand_in(tmp_path, *(f"learner{n}" for n in range(30)))
    both = [Store(str(tmp_path / "results.db")) for _ in range(2)]
    ended: list[Ended] = []

    def work(store: Store) -> None:
        ended.extend(run(sample, store, handed, Forgetful(checks=CHECKS), secret="s"))

    threads = [threading.Thread(target=work, args=(store,)) for store in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(ended) == 60
    assert Counter(one.learner for one in both[0].results()) == Counter(
        one.learner for one in handed
    )


def test_memory_does_not_grow(sample: Exercise, store: Store, tmp_path: Path) -> None:
    """Nothing of a graded submission is kept: 200 need no more than 40."""
    (one,) = hand_in(tmp_path, "ann")
    engine = Forgetful(checks=CHECKS)
    batch = Batch(sample, lambda: engine, store, BatchOptions(jobs=1))

    def peak(count: int) -> int:
        """Bytes above what was there before."""
        begin = len(list(store.results(reports=False)))
        handed = [replace(one, learner=f"learner{begin + n}") for n in range(count)]
        gc.collect()
        tracemalloc.start()
        batch.run(handed, lambda news: None)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(20)
    few = peak(40)
    assert peak(200) < 1.2 * few


# -- the store ------------------------------------------------------------------------------------


def _result(**values: Any) -> Result:
    usual: dict[str, Any] = {
        "learner": "ann",
        "exercise": "sample",
        "exercise_version": 1,
        "exercise_digest": "d",
        "images": "i",
        "submission": "s",
        "path": "p",
        "status": Verdict.PASSED,
        "score": 100.0,
    }
    return Result(**{**usual, **values})


def test_a_final_result_stays(store: Store) -> None:
    """Neither a second one nor a late error takes its place."""
    assert store.add(_result())
    assert not store.add(_result(status=Verdict.FAILED, score=10.0))
    assert not store.add(_result(status=Verdict.ERROR, score=None))
    (row,) = store.results()
    assert (row.status, row.score, row.graded[:2]) == (Verdict.PASSED, 100.0, "20")
    assert store.add(_result(images="j"))
    last = store.last("ann", "sample", "s")
    assert last is not None
    assert last.images == "j"
    assert store.last("ann", "sample", "other") is None


@pytest.mark.parametrize(
    ("where", "error", "said"),
    [
        ("{tmp}/gone/results.db", UsageError, "there is no folder"),
        ("{tmp}", RecordError, "unable to open database file"),
        ("{tmp}/text.db", RecordError, "not a database"),
        ("nonsense://x", UsageError, "--results nonsense://x"),
        ("{tmp}/later.db", RecordError, "another version of grader"),
    ],
)
def test_a_database_that_is_none(
    tmp_path: Path, where: str, error: type[Exception], said: str
) -> None:
    """Each is told in a sentence; what is there is not touched."""
    (tmp_path / "text.db").write_text("this is no database, however long one looks at it\n" * 100)
    Store(str(tmp_path / "later.db")).close()
    with sqlite3.connect(tmp_path / "later.db") as database:
        database.execute("UPDATE grader_schema SET version = 99")
    with pytest.raises(error, match=said):
        Store(where.replace("{tmp}", str(tmp_path)))
