"""The attacks that ship: dishonest and hostile submissions as files, by what should come of them.

`attacks/RUNNER/SHOULD/NAME` is for exercises of one runner, `attacks/RUNNER+SERVICE/...` for those
that have the service, too; `attacks/archives/` is for all. Where repositories are handed in, it is
those in `attacks/git/`, procedures that run in a learner's workspace. The first line of a file says
why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from grader import shipped
from grader.model.exercise import Exercise
from grader.model.submission import Submission, SubmittedFile

EARNS, GETS, HARMS, SHOWS = "earns-nothing", "gets-nothing", "harms-nothing", "shows-nothing"
REFUSED = "is-refused"
SHOULD = (EARNS, GETS, HARMS, SHOWS)
ENDINGS = {"node": ".js", "python": ".py", "shell": ".sh", "sql": ".sql"}
"""Runners that attacks are written for, and the files that an attack is appended to."""
SIGN = "GOT THROUGH"
"""An attack that reached what it should not says so with these words."""


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One file of the corpus. `name` is its path there without the ending."""

    name: str
    should: str
    why: str
    path: Path
    text: str


def attacks(exercise: Exercise) -> list[Attack]:
    """Every attack that fits the exercise's runner and services, archives included."""
    language = "git" if exercise.repositories else exercise.runner
    folders = [language, *(f"{language}+{name}" for name in exercise.services)]
    found = [one for folder in folders for should in SHOULD for one in _in(folder, should)]
    return [*found, *_in("archives", REFUSED)]


def _in(folder: str, should: str) -> list[Attack]:
    root = shipped.attacks()
    return [_read(root, path, should) for path in sorted((root / folder / should).glob("*.*"))]


def _read(root: Path, path: Path, should: str) -> Attack:
    text = path.read_text("utf-8")
    first = text.partition("\n")[0]
    return Attack(
        name=path.relative_to(root).with_suffix("").as_posix(),
        should=should,
        why=re.sub(r"^((--|//|#) |why: )", "", first).strip('"'),
        path=path,
        text=text,
    )


def applied(attack: Attack, exercise: Exercise, starter: Submission) -> Submission:
    """The starter with the attack at the end of each file of the runner's language.

    For repositories it is a procedure in the place of the solution's.
    """
    if exercise.repositories:
        (path, *_) = [word for word in exercise.solve if word.startswith("solution/")]
        name = path.removeprefix("solution/")
        return Submission(files=(SubmittedFile(path=name, content=attack.text.encode()),))
    return _appended(starter, exercise, _helper(exercise, "prelude") + attack.text)


def afterwards(exercise: Exercise, reference: Submission) -> Submission:
    """The reference, which breaks where it meets what an attack left behind."""
    return _appended(reference, exercise, _helper(exercise, "afterwards"))


def helpers(exercise: Exercise) -> tuple[str, str]:
    """What goes with every attack on the exercise, and with the honest submission after it."""
    if exercise.runner not in ENDINGS:
        return "", ""
    return _helper(exercise, "prelude"), _helper(exercise, "afterwards")


def _helper(exercise: Exercise, name: str) -> str:
    path = shipped.attacks() / exercise.runner / f"{name}{ENDINGS[exercise.runner]}"
    return f"\n\n{path.read_text('utf-8')}\n\n" if path.is_file() else "\n\n"


def _appended(submission: Submission, exercise: Exercise, text: str) -> Submission:
    ending = ENDINGS[exercise.runner]
    files = [
        SubmittedFile(
            path=file.path, content=file.content + text.encode(), executable=file.executable
        )
        if file.path.endswith(ending)
        else file
        for file in submission.files
    ]
    return Submission(files=tuple(files))
