"""The corpus of attacks, how archives are read, and what counts as getting through."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader import shipped
from grader.authoring import archives, attack, corpus, variants
from grader.authoring.cache import Proofs, attack_key
from grader.authoring.warm import Worker, Workers
from grader.catalog import load_exercise
from grader.engine.fake import FakeEngine
from grader.errors import ExerciseError
from grader.grade import GradeOptions
from grader.model.exercise import Exercise
from grader.model.report import CheckResult, Outcome, Report, Status
from grader.workspace import snapshot
from tests.unit.samples import SUBMISSION, check, exercise

ALL = [
    path
    for path in shipped.attacks().rglob("*.*")
    if path.parent.name in (*corpus.SHOULD, corpus.REFUSED)
]
DOCUMENTS = Path(__file__).parent.parent / "data" / "graded" / "documents"
"""The only exercise with MongoDB so far."""
SLUGS = (
    *("git-version-control", "python-basics", "redis-caching"),
    *("relational-sql", "shell-scripting", "node-express"),
)
BASICS = load_exercise(shipped.exercises() / "python-basics")
REFUSED = [one for one in corpus.attacks(BASICS) if one.should == corpus.REFUSED]


def test_every_attack_says_why() -> None:
    """In its first line, as one sentence; there are many of them, for each language."""
    folders = [*(shipped.exercises() / slug for slug in SLUGS), DOCUMENTS]
    listed = [one for folder in folders for one in corpus.attacks(load_exercise(folder))]
    assert {one.path for one in listed} == set(ALL)
    assert len(ALL) >= 60
    assert [one.name for one in listed if not (one.why[:1].isupper() and one.why[-1:] == ".")] == []


def test_attacks_fit_the_exercise() -> None:
    """Those on a service are tried where it is; those in another language are not."""
    names = {one.name.partition("/")[0] for one in corpus.attacks(BASICS)}
    assert names == {"python", "archives"}


def test_an_attack_is_appended_to_the_starter() -> None:
    """Behind what the starter has, so that it can replace it; other files stay as they are."""
    starter = variants.starter(BASICS)
    (one,) = [one for one in corpus.attacks(BASICS) if one.name.endswith("/exit-at-import")]
    content = corpus.applied(one, BASICS, starter).files[0].content
    assert content.startswith(starter.files[0].content)
    assert content.endswith(b"os._exit(0)\n")
    compile(content, "orders.py", "exec")


@pytest.mark.parametrize("one", REFUSED, ids=lambda one: one.path.stem)
def test_a_hostile_archive_is_refused(one: corpus.Attack) -> None:
    """Nothing of it is unpacked, and nothing of it is graded."""
    assert archives.shortfalls(one, BASICS, variants.starter(BASICS)) == []


def test_an_archive_that_is_taken_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a reader is not as careful, the attack says so."""

    def careless(path: Path, *_: object) -> None:
        (path.parent / "unpacked.py").touch()

    monkeypatch.setattr(archives, "snapshot_archive", careless)
    got = archives.shortfalls(REFUSED[0], BASICS, variants.starter(BASICS))
    assert got == ["it was accepted", "a file was unpacked"]


def test_the_honest_part_of_an_archive_is_what_the_starter_is(tmp_path: Path) -> None:
    """So it is the hostile entry that is refused, not something that is missing."""
    starter = variants.starter(BASICS)
    path = tmp_path / "handed-in.zip"
    archives._zip(
        path, [archives.Entry(name=one.path, content=one.content.decode()) for one in starter.files]
    )
    assert snapshot(path, BASICS.submit, BASICS.limits).files[0].content == starter.files[0].content


# -- what an attack gets --------------------------------------------------------------------------


def result(name: str, earned: float = 0.0, **values: Any) -> CheckResult:
    outcome = Outcome.PASSED if earned else Outcome.FAILED
    made: Mapping[str, Any] = {"title": "A title", "task": "a", "points": 2.0, **values}
    return CheckResult(id=name, outcome=outcome, earned=earned, **made)


def report(*results: CheckResult, error: str = "") -> Report:
    from tests.unit.test_terminal_report import made_up

    made = made_up(*results)
    return replace(made, error=error, status=Status.ERROR if error else made.status)


HONEST = report(result("test_a", 2.0), result("test_b"))


@pytest.mark.parametrize(
    ("told", "got"),
    [
        (report(result("test_a", 2.0), result("test_b")), []),
        (report(result("test_a"), result("test_b")), []),
        (report(result("test_b", 0.5)), ["it earned 0.5 points at test_b"]),
        (report(error="no judge"), ["it was not graded: no judge"]),
        (report(result("test_b", log="x\nGOT THROUGH: root\n")), ["it says: GOT THROUGH: root"]),
        (report(result("test_b", message="\x1b[2J ::error::x ##[a]")), []),
    ],
)
def test_what_an_attack_gains(told: Report, got: list[str]) -> None:
    """Points that the starter has not, a dodged verdict, its own word; the report is safe."""
    assert attack._gains(told, HONEST) == got


def test_a_report_that_obeys_is_a_gain(monkeypatch: pytest.MonkeyPatch) -> None:
    """What steers a terminal or a pipeline must not be in any form of a report."""
    for text, got in (
        ("\x1b[2J", "the report holds characters that steer a terminal"),
        ("  ::error::x", "the report holds a command to a pipeline"),
        ("a ##[set-env]", "the report holds a command to a pipeline"),
    ):
        monkeypatch.setattr(attack, "to_text", lambda _, text=text: text)
        assert attack._gains(report(result("test_b")), HONEST) == [got]


def test_attacks_need_a_right_reference(tmp_path: Path) -> None:
    """Without one, nobody knows what a check would have said."""
    broken = _sample(tmp_path)
    outcomes = {"test_a": {"outcome": "failed"}}
    engine = FakeEngine(checks=(check("test_a"),), outcomes=outcomes)
    cache = Proofs(tmp_path / "proofs")
    with pytest.raises(ExerciseError, match="the reference does not pass"):
        attack.attack(broken, lambda: engine, cache, jobs=1, listener=lambda _: None)


def test_a_language_without_attacks_has_archives(tmp_path: Path) -> None:
    """Whatever an exercise is written in, somebody reads what is handed in."""
    other = replace(_sample(tmp_path), runner="cobol")
    engine = FakeEngine(checks=(check("test_a"),))
    cache = Proofs(tmp_path / "proofs")
    found = attack.attack(other, lambda: engine, cache, jobs=2, listener=lambda _: None)
    assert found.only_archives
    assert found.held
    assert len(found.tried) == len(REFUSED)


# -- what is known --------------------------------------------------------------------------------


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> list[corpus.Attack]:
    """The first three attacks; the others are not there."""
    chosen = [one for one in corpus.attacks(BASICS) if one.should == corpus.EARNS][:3]
    monkeypatch.setattr(corpus, "attacks", lambda _: chosen)
    return chosen


def _attacked(tmp_path: Path, target: Exercise) -> tuple[attack.Attacked, FakeEngine]:
    engine = FakeEngine(checks=(check("test_a"),), reference={"test_a": {"outcome": "failed"}})
    cache = Proofs(tmp_path / "proofs")
    return attack.attack(target, lambda: engine, cache, jobs=2, listener=lambda _: None), engine


def test_what_was_held_off_is_not_tried_again(tmp_path: Path, few: list[corpus.Attack]) -> None:
    """Nothing is run then, not even the reference; the result names the same attacks."""
    target = _sample(tmp_path)
    first, engine = _attacked(tmp_path, target)
    assert first.held
    assert engine.sessions
    assert not any(one.known for one in first.tried)
    again, engine = _attacked(tmp_path, target)
    assert not engine.sessions
    assert all(one.known for one in again.tried)
    assert [one.attack for one in again.tried] == [one.attack for one in first.tried] == few


def test_what_got_through_is_tried_again(
    tmp_path: Path, few: list[corpus.Attack], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alone: the others are known."""
    target, bad, honest = _sample(tmp_path), few[0], attack._try

    def careless(target: Any, worker: Worker, one: corpus.Attack) -> attack.Tried:
        tried = honest(target, worker, one)
        return replace(tried, got=("all points",)) if one.name == bad.name else tried

    monkeypatch.setattr(attack, "_try", careless)
    for _ in range(2):
        found, engine = _attacked(tmp_path, target)
        assert [one.attack.name for one in found.got_through] == [bad.name]
        assert engine.sessions
    assert [one.attack.name for one in found.tried if not one.known] == [bad.name]


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ("starter/answer.py", True),
        ("solution/answer.py", True),
        ("tests/test_answer.py", True),
        ("README.md", False),
        ("mutants/x/answer.py", False),
    ],
)
def test_a_change_of_the_exercise_tries_all_again(
    tmp_path: Path, changed: str, again: bool
) -> None:
    """Of its tests, starter or reference; a statement or a mutant changes nothing."""
    target = _sample(tmp_path)
    before = _keys(target)
    path = target.root / changed
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("# changed\n" + (path.read_text() if path.is_file() else ""))
    assert bool(_keys(target) & before) is not again


def test_a_change_of_an_attack_tries_it_again(tmp_path: Path) -> None:
    """Other images and other limits try all of them again."""
    target = _sample(tmp_path)
    one, other = corpus.attacks(target)[:2]
    key = attack_key(one, target, "images of today")
    assert key == attack_key(one, target, "images of today")
    others = {
        attack_key(replace(one, text=one.text + "#"), target, "images of today"),
        attack_key(other, target, "images of today"),
        attack_key(one, target, "images of tomorrow"),
        attack_key(one, replace(target, env={"A": "b"}), "images of today"),
    }
    assert len(others - {key}) == 4


def _keys(target: Exercise) -> set[str]:
    return {attack_key(one, target, "images of today") for one in corpus.attacks(target)}


# -- workers --------------------------------------------------------------------------------------


def _sample(tmp_path: Path) -> Exercise:
    root = tmp_path / "sample"
    root.mkdir()
    made = exercise(root, check("test_a"))
    made.starter.mkdir()
    (made.starter / "answer.py").write_text("def answer(): ...\n")
    return made


def test_workers_keep_their_sessions_and_end_them(tmp_path: Path) -> None:
    """One session for each worker, however many submissions; none is left."""
    engines = [FakeEngine(checks=(check("test_a"),)) for _ in range(2)]
    made = iter(engines)
    workers = Workers(_sample(tmp_path), lambda: next(made), GradeOptions(seed=1), jobs=2)

    def work(worker: Worker, number: int) -> float | None:
        return worker.grade(SUBMISSION).score

    scores = dict(workers.each(list(range(9)), work))
    assert scores == dict.fromkeys(range(9), 100)
    for engine in engines:
        assert len(engine.sessions) == 1
        assert engine.sessions[0].ended


def test_workers_stop(tmp_path: Path) -> None:
    """What has not begun then never begins; what goes wrong ends the rest."""
    before = set(threading.enumerate())
    workers = Workers(_sample(tmp_path), FakeEngine, GradeOptions(seed=1), jobs=1)
    begun: list[int] = []

    def work(_: Worker, number: int) -> int:
        begun.append(number)
        workers.stop()
        return number

    assert dict(workers.each([1, 2, 3], work)) == {1: 1, 2: None, 3: None}
    assert begun == [1]

    def fail(_: Worker, number: int) -> int:
        raise ExerciseError("broken")

    again = Workers(_sample2(tmp_path), FakeEngine, GradeOptions(seed=1), jobs=2)
    with pytest.raises(ExerciseError, match="broken"):
        list(again.each([1, 2, 3], fail))
    assert set(threading.enumerate()) <= before


def _sample2(tmp_path: Path) -> Exercise:
    folder = tmp_path / "another"
    folder.mkdir()
    return _sample(folder)
