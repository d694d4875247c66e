"""`mutate` over the engine in memory: what is judged, kept, marked and left."""

from __future__ import annotations

import base64
import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.authoring.mutate import Mutated, mutants, mutate
from grader.engine.base import SessionSpec
from grader.engine.fake import FakeEngine, FakeSession
from grader.errors import ExerciseError, InfrastructureError
from grader.model.exercise import Equivalent, Exercise
from grader.model.progress import Listener
from tests.unit.samples import check, exercise

SOLUTION = "def answer(number):\n    return number + 41 if number < 10 else 42\n"
MUTANTS = 7


@pytest.fixture
def sample(tmp_path: Path) -> Exercise:
    made = exercise(tmp_path, check("test_a"), check("test_b"))
    (made.solution / "answer.py").write_text(SOLUTION)
    return made


class Judge(FakeEngine):
    """Rejects a submission in which one of the `wrong` texts stands."""

    wrong: tuple[str, ...] = ()
    graded: int = 0

    @contextmanager
    def session(
        self, spec: SessionSpec, listener: Listener, *, fresh: bool = False
    ) -> Iterator[FakeSession]:
        with super().session(spec, listener, fresh=fresh) as session:

            def judged(message: Any) -> None:
                if message["type"] == "run":
                    type(self).graded += 1
                    archive = io.BytesIO(base64.b64decode(message["submission"]))
                    with tarfile.open(fileobj=archive) as tar:
                        stream = tar.extractfile("answer.py")
                        assert stream is not None
                        text = stream.read().decode()
                    bad = any(part in text for part in type(self).wrong)
                    self.outcomes = self.reference = (
                        {"test_b": {"outcome": "failed", "ratio": 0.0}} if bad else {}
                    )
                FakeSession.send(session, message)

            session.send = judged  # type: ignore[method-assign]  # this one listens
            yield session


def run(sample: Exercise, tmp_path: Path, *wrong: str, budget: float | None = None) -> Mutated:
    Judge.wrong, Judge.graded = wrong, 0
    return mutate(
        sample,
        lambda: Judge(checks=(check("test_a"), check("test_b"))),
        state=tmp_path / "state",
        jobs=1,
        budget=budget,
        listener=lambda _: None,
    )


def test_survivors_are_told_with_what_was_changed(sample: Exercise, tmp_path: Path) -> None:
    """Those that every check takes; each rejected one with the check that did it."""
    result = run(sample, tmp_path, "<=", "None", "- 41")
    assert len(mutants(sample)) == MUTANTS
    assert len(result.rejected) == 3
    assert {by for _, by in result.rejected} == {"test_b"}
    told = {one.becomes for one in result.survivors}
    assert "return number + 42 if number < 10 else 42" in told
    assert len(told) == len(result.survivors) == MUTANTS - 3
    diff = result.survivors[0].diff
    assert "\n-    return number + 41 if number < 10 else 42\n+" in diff
    assert (result.survivors[0].file, result.survivors[0].line) == ("answer.py", 2)
    assert result.score == 42.8
    # The reference; a survivor with two seeds; from the first rejection on, its check comes first.
    assert 1 + 3 + 2 * 4 < Judge.graded <= 1 + 3 + 3 * 4


def test_what_is_known_is_not_run_again(sample: Exercise, tmp_path: Path) -> None:
    """Until the tests change; a half-written line is no knowledge."""
    first = run(sample, tmp_path, "<=")
    again = run(sample, tmp_path, "<=")
    assert Judge.graded == 0
    assert again.rejected == first.rejected
    (kept,) = (tmp_path / "state" / "mutants").iterdir()
    kept.write_text(kept.read_text() + '["half')
    assert run(sample, tmp_path, "<=").survivors == first.survivors
    (sample.tests / "test_answer.py").write_text("def test_a(solution): assert True, 'x'\n")
    run(sample, tmp_path, "<=")
    assert Judge.graded > MUTANTS


def test_time_that_is_up_leaves_the_rest_for_the_next_run(sample: Exercise, tmp_path: Path) -> None:
    """No mutant is begun then."""
    first = run(sample, tmp_path, "<=", budget=0.0)
    assert first.left == MUTANTS
    assert run(sample, tmp_path, "<=").left == 0


def test_equivalent_mutants_are_left_out(sample: Exercise, tmp_path: Path) -> None:
    """By the line as it was and as it becomes; a mark that fits none is told."""
    was = "return number + 41 if number < 10 else 42"
    marks = (
        Equivalent(file="answer.py", was=was, becomes=was.replace("<", "<="), why="no tens here"),
        Equivalent(file="answer.py", was=was, becomes="pass", why="gone by now"),
    )
    result = run(replace(sample, equivalent=marks), tmp_path)
    assert [why for _, why in result.equivalent] == ["no tens here"]
    assert len(result.survivors) == MUTANTS - 1
    assert result.unused == marks[1:]


def test_a_broken_reference_proves_nothing(sample: Exercise, tmp_path: Path) -> None:
    with pytest.raises(ExerciseError, match="the reference does not pass"):
        run(sample, tmp_path, "return")
    (sample.solution / "answer.py").write_text("def (")
    with pytest.raises(ExerciseError, match=r"solution/answer.py, line 1: "):
        run(sample, tmp_path)


def test_a_fault_of_ours_is_no_survivor(sample: Exercise, tmp_path: Path) -> None:
    """It ends the command; what is known by then is kept."""
    engine = FakeEngine(checks=(check("test_a"),), lose_session=100)
    with pytest.raises(InfrastructureError, match="was not graded"):
        mutate(
            sample,
            lambda: engine,
            state=tmp_path,
            jobs=1,
            budget=None,
            listener=lambda _: None,
        )
