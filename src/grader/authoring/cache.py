"""Proofs that still hold: kept on disk under a digest of everything they depend on.

Only what was proven is kept, of attacks only what was held off. A problem is always looked at anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from functools import cache
from pathlib import Path

import msgspec

from grader import shipped
from grader.authoring import corpus
from grader.authoring.proofs import Proof, Proven, seeds
from grader.catalog.digest import exercise_digest, tree
from grader.model.exercise import Exercise

KEPT_DAYS = 60
"""A proof nobody asked for in so long is forgotten."""
_REPORT = "report"
"""Passes on what an attack has printed, so its forms are part of what holds an attack off."""
_NOT_ASKED = (
    *("cli", _REPORT, "batch", "progress", "data", "authoring/templates"),
    *(f"authoring/{name}.py" for name in ("files", "hidden", "new", "testcode", "validate")),
)
"""Parts of grader that no verdict passes through."""


msgspec.json.Decoder(Proven)  # now, and not first by two threads at once: see grader.events


class Proofs:
    """The proofs of one machine, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str) -> Proven | None:
        """The proof with this key; a file that cannot be understood counts as none."""
        path = self._folder / f"{key}.json"
        try:
            found = msgspec.json.decode(path.read_bytes(), type=Proven)
            path.touch()  # when it was used last decides how long it is kept
        except (OSError, ValueError, RecursionError):  # msgspec's errors are ValueErrors
            return None
        return found

    def keep(self, key: str, proven: Proven) -> None:
        """Remember what is proven. A folder that cannot be written only costs time later.

        A warning is looked at anew, too: it names files, and the exercise may lie elsewhere then.
        """
        if proven.problems or proven.warnings:
            return
        path = self._folder / f"{key}.json"
        new = path.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            new.write_bytes(msgspec.json.encode(proven))
            new.replace(path)

    def tidy(self) -> None:
        """Forget what nobody has asked for in a long time."""
        oldest = time.time() - KEPT_DAYS * 24 * 3600
        for path in self._folder.glob("*"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()


def key(proof: Proof, made_of: str) -> str:
    """A digest of all that decides how the proof comes out. `made_of` is the engine's version."""
    exercise = proof.exercise
    wanted = (proof.mutant.fails, proof.mutant.breaks) if proof.mutant else ()
    parts = (
        *(proof.kind, proof.name, proof.submission.digest, wanted, seeds(exercise)),
        *(_exercise(exercise), made_of, _code(_NOT_ASKED)),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def attack_key(attack: corpus.Attack, exercise: Exercise, made_of: str) -> str:
    """A digest of all that decides what the attack gets, like that of a proof."""
    starter = tree(exercise.starter)
    code = _code(tuple(name for name in _NOT_ASKED if name != _REPORT))
    parts = (
        *(attack.name, attack.text, corpus.helpers(exercise), starter),
        *(_exercise(exercise), made_of, code),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _exercise(exercise: Exercise) -> tuple[str, list[str]]:
    return exercise_digest(exercise), [task.id for task in exercise.tasks]


@cache
def _code(but: tuple[str, ...]) -> str:
    """Of grader's own source that makes verdicts."""
    return tree(shipped.package(), but)
