"""When a proof still holds, and when it has to be made again."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from grader import shipped
from grader.authoring.cache import KEPT_DAYS, Proofs, key
from grader.authoring.new import Wanted, make
from grader.authoring.proofs import Kind, Proven, proofs
from grader.catalog import load_exercise, load_roadmap
from grader.errors import Problem


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "longest-word"
    make(
        Wanted(folder=path, topic="http-rest", runner="python"),
        load_roadmap(shipped.exercises()),
        [],
    )
    return path


def keys(folder: Path, engine: str = "images of today") -> dict[str, str]:
    """The key of each proof, by what it is about."""
    made, problems = proofs(load_exercise(folder))
    assert problems == []
    return {f"{one.kind} {one.name}".strip(): key(one, engine) for one in made}


def changed(folder: Path, change: Callable[[], object]) -> set[str]:
    """The proofs that have to be made again after a change."""
    before = keys(folder)
    change()
    after = keys(folder)
    return {name for name in after if after[name] != before.get(name)}


def edit(path: Path, old: str, new: str) -> Callable[[], object]:
    text = path.read_text()
    assert old in text
    return lambda: path.write_text(text.replace(old, new))


EVERYTHING = {
    "starter",
    "reference",
    *(f"mutant {name}" for name in ("first-word", "last-of-several", "needs-a-word")),
}


def test_words_for_people_change_no_proof(folder: Path) -> None:
    """Neither the statement, nor hints, nor why a mutant is wrong."""
    contract = folder / "exercise.yaml"
    statement = folder / "README.md"
    assert not changed(folder, edit(statement, "Write the function", "Please write the function"))
    assert not changed(folder, edit(contract, "Which function gives", "What gives"))
    assert not changed(folder, edit(contract, "however long", "no matter how long"))


def test_a_submission_changes_its_own_proof(folder: Path) -> None:
    """The starter's and a mutant's file; what a mutant names."""
    contract = folder / "exercise.yaml"
    assert changed(folder, edit(folder / "starter" / "words.py", "None", '"?"')) == {"starter"}
    assert changed(folder, edit(contract, '[0]"]]', '[-1]"]]')) == {"mutant first-word"}
    named = edit(contract, "breaks: [test_no_words]", "fails: [test_no_words]")
    assert changed(folder, named) == {"mutant needs-a-word"}


def test_what_every_run_meets_changes_all(folder: Path) -> None:
    """Tests and their data, the reference, limits, the number of seeds."""
    contract = folder / "exercise.yaml"
    assert changed(folder, edit(folder / "tests" / "test_words.py", "12", "13")) == EVERYTHING
    assert changed(folder, lambda: (folder / "tests" / "more.txt").write_text("1")) == EVERYTHING
    solution = edit(folder / "solution" / "words.py", '"""The longest', '"""A longest')
    assert changed(folder, solution) == EVERYTHING
    assert changed(folder, lambda: append(contract, "limits: {seconds: 9}\n")) == EVERYTHING
    assert changed(folder, lambda: append(contract, "validate: {seeds: 9}\n")) == EVERYTHING


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def test_other_images_change_all(folder: Path) -> None:
    """The engine says what its sessions are made of."""
    before, after = keys(folder), keys(folder, "images of tomorrow")
    assert set(before.values()) & set(after.values()) == set()


def test_only_what_is_proven_is_kept(tmp_path: Path) -> None:
    """And it is the same when it comes back."""
    cache = Proofs(tmp_path / "proofs")
    wrong = Proven(problems=(Problem(file="f", message="m"),))
    right = Proven(rejected_by=("test_a",), runs=3, seconds=1.5)
    cache.keep("wrong", wrong)
    cache.keep("right", right)
    assert cache.find("wrong") is None
    assert cache.find("right") == right
    (tmp_path / "proofs" / "right.json").write_text("half a fi")
    assert cache.find("right") is None


def test_what_nobody_asks_for_is_forgotten(tmp_path: Path) -> None:
    """A proof in use stays, however old."""
    cache = Proofs(tmp_path)
    for name in ("used", "old"):
        cache.keep(name, Proven(runs=1))
        past = time.time() - (KEPT_DAYS + 1) * 24 * 3600
        os.utime(tmp_path / f"{name}.json", (past, past))
    assert cache.find("used") is not None
    cache.tidy()
    assert cache.find("used") is not None
    assert cache.find("old") is None


def test_a_proof_is_about_its_kind(folder: Path) -> None:
    """The starter that equals the reference is still to be proven as a starter."""
    (folder / "starter" / "words.py").write_bytes((folder / "solution" / "words.py").read_bytes())
    made, _ = proofs(load_exercise(folder))
    by_kind = {one.kind: one for one in made}
    starter, reference = by_kind[Kind.STARTER], by_kind[Kind.REFERENCE]
    assert starter.submission.digest == reference.submission.digest
    assert key(starter, "") != key(reference, "")


def test_a_proof_holds_wherever_the_exercise_lies(folder: Path, tmp_path: Path) -> None:
    """A clone in another folder finds what is proven; a warning, which names files, is not kept."""
    elsewhere = tmp_path / "elsewhere" / folder.name
    shutil.copytree(folder, elsewhere)
    assert keys(elsewhere) == keys(folder)
    known = Proofs(tmp_path / "proofs")
    known.keep("one", Proven(warnings=(Problem(file="f", message="tight"),)))
    assert known.find("one") is None
