"""Proofs side by side: who is told what, what a fault of ours does, what is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader import shipped
from grader.authoring.cache import Proofs
from grader.authoring.new import Wanted, make
from grader.authoring.proofs import Kind, seeds
from grader.authoring.times import Ran, tight
from grader.authoring.validate import (
    News,
    ProofBegun,
    ProofEnded,
    ProofLost,
    Validation,
    Validator,
    examine,
)
from grader.catalog import load_roadmap
from grader.engine.base import SessionSpec
from grader.engine.fake import FakeEngine
from grader.errors import ImageError
from grader.model.progress import Listener
from grader.model.report import CheckResult, Outcome
from tests.unit.test_terminal_report import made_up

CHECKS = tuple(
    {"id": name, "task": task, "title": name, "points": 1}
    for name, task in (
        ("test_longest_word", "longest"),
        ("test_first_of_several", "longest"),
        ("test_no_words", "nothing"),
    )
)
WRONG = {"outcome": "failed", "ratio": 0.0, "message": "No."}


@pytest.fixture
def validation(tmp_path: Path) -> Validation:
    folder = tmp_path / "longest-word"
    wanted = Wanted(folder=folder, topic="http-rest", runner="python")
    make(wanted, load_roadmap(shipped.exercises()), [])
    return examine(shipped.exercises(), str(folder))


@pytest.fixture
def proofs(tmp_path: Path) -> Proofs:
    return Proofs(tmp_path / "proofs")


def run(
    validation: Validation, make_engine: Callable[[], FakeEngine], cache: Proofs, jobs: int = 2
) -> list[News]:
    heard: list[News] = []
    assert validation.exercise is not None
    validator = Validator(validation.exercise, make_engine, cache, jobs)
    validator.prove(validation, heard.append, lambda _: None)
    return heard


def engines(made: list[FakeEngine], **values: Any) -> Callable[[], FakeEngine]:
    def one() -> FakeEngine:
        made.append(FakeEngine(checks=CHECKS, **values))
        return made[-1]

    return one


def only(validation: Validation, *kinds: Kind) -> Validation:
    validation.proofs = [one for one in validation.proofs if one.kind in kinds]
    return validation


def test_every_proof_is_told_twice(validation: Validation, proofs: Proofs) -> None:
    """That it began and how it ended; each worker has an engine, and at the end no session."""
    made: list[FakeEngine] = []
    heard = run(validation, engines(made), proofs)
    begun = [one.proof.name for one in heard if isinstance(one, ProofBegun)]
    ended = [one.proof.name for one in heard if isinstance(one, ProofEnded)]
    assert sorted(begun) == sorted(ended) == sorted(one.name for one in validation.proofs)
    used = [engine for engine in made if engine.sessions]
    assert len(used) == 2
    assert all(session.ended for engine in used for session in engine.sessions)
    owners = {session.spec.owner for engine in used for session in engine.sessions}
    assert len(owners) == 2


def test_where_all_passes_nothing_is_proven_but_the_reference(
    validation: Validation, proofs: Proofs
) -> None:
    """A starter that passes, mutants that pass: all of it is told, and nothing of it is kept."""
    run(validation, engines([]), proofs)
    told = [one.message for one in validation.problems]
    assert sum("passes all checks" in one for one in told) == 3
    assert sum("passes every check" in one for one in told) == 3
    assert len(told) == 6
    assert not validation.proven
    known = [one for one in run(again(validation), engines([]), proofs) if _known(one)]
    assert [one.proof.kind for one in known] == [Kind.REFERENCE]


def _known(news: News) -> bool:
    return isinstance(news, ProofEnded) and news.worker is None


def again(validation: Validation) -> Validation:
    assert validation.exercise is not None
    return examine(shipped.exercises(), str(validation.exercise.root))


def test_a_check_that_no_mutant_fails_is_told(validation: Validation, proofs: Proofs) -> None:
    """Also when each mutant is rejected as it says."""
    script: Mapping[str, Mapping[str, Any]] = {"test_longest_word": WRONG}
    validation.proofs = [
        replace(one, mutant=replace(one.mutant, fails=("test_longest_word",), breaks=()))
        for one in validation.proofs
        if one.mutant
    ]
    run(validation, engines([], outcomes=script, reference=script), proofs)
    assert [one.message.partition(":")[0] for one in validation.problems] == [
        "no mutant fails test_first_of_several",
        "no mutant fails test_no_words",
    ]


def test_a_fault_of_ours_proves_nothing(validation: Validation, proofs: Proofs) -> None:
    """The proof is lost, and the exercise is not to blame."""
    only(validation, Kind.REFERENCE)
    fault = {"test_no_words": {"outcome": "error", "message": "it is gone", "ratio": 0.0}}
    heard = run(validation, engines([], outcomes=fault, reference=fault), proofs)
    assert [one.reason for one in heard if isinstance(one, ProofLost)] == [
        "test_no_words: it is gone"
    ]
    assert validation.problems == []
    assert not validation.proven
    assert len(validation.lost) == 1


def test_a_time_that_is_nearly_used_up_is_warned_of(validation: Validation, proofs: Proofs) -> None:
    """The reference needs more than half of what a check has, or all checks together."""
    only(validation, Kind.REFERENCE)
    slow = {"test_no_words": {"begin": 1000.0, "end": 1040.0}}
    run(validation, engines([], outcomes=slow), proofs)
    assert validation.exercise is not None
    (tests,) = (validation.exercise.root / "tests").glob("test_*.py")
    lines = tests.read_text().splitlines()
    (line,) = [n for n, text in enumerate(lines, start=1) if "def test_no_words(" in text]
    assert [(one.message, Path(one.file).name, one.line) for one in validation.warnings] == [
        ("the reference takes 40.0 s of the 60 s for all checks", "exercise.yaml", 0),
        ("test_no_words takes 40.0 s of its 10 s on the reference", tests.name, line),
    ]
    assert validation.problems == []


def test_a_machine_that_is_busy_for_a_while_warns_of_nothing(validation: Validation) -> None:
    """The quickest of all runs counts."""
    assert validation.exercise is not None
    passed = CheckResult(
        id="test_no_words", task="nothing", title="", outcome=Outcome.PASSED, points=1, earned=1
    )
    runs = [
        Ran(made_up(replace(passed, seconds=seconds)), {"test_no_words": 10.0})
        for seconds in (9.0, 4.9, 31.0)
    ]
    assert list(tight(validation.exercise, runs)) == []
    assert len(list(tight(validation.exercise, runs[:1]))) == 1


def test_the_reference_meets_more_seeds(validation: Validation, proofs: Proofs) -> None:
    """Ten, and the first one once more in the order of the files."""
    only(validation, Kind.REFERENCE)
    made: list[FakeEngine] = []
    run(validation, engines(made), proofs)
    sent = [one for engine in made for session in engine.sessions for one in session.sent]
    used = [one["seed"] for one in sent if one["type"] == "run"]
    assert len(used) == 11
    assert len(set(used)) == 10
    assert used[0] == used[-1]
    assert validation.ended[0].proven.runs == 11
    assert validation.exercise is not None
    assert used[:3] == seeds(validation.exercise)


class _NoImages(FakeEngine):
    def prepare(self, spec: SessionSpec, listener: Listener) -> None:
        del spec, listener
        self.prepared += 1
        if self.prepared > 1:
            raise ImageError("the image could not be built")


def test_without_images_all_ends(validation: Validation, proofs: Proofs) -> None:
    """No proof could go better than the first one: the error is that of the command."""
    engine = _NoImages(checks=CHECKS)
    with pytest.raises(ImageError, match="could not be built"):
        run(validation, lambda: engine, proofs, jobs=2)
    assert all(session.ended for session in engine.sessions)
