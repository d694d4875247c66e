"""The submissions that prove an exercise: reference, alternatives, starter and mutants.

Where a program makes what is handed in, these are what the submissions are made of
(`grader.making.Maker.submission`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from grader.errors import ExerciseError
from grader.making import sources
from grader.model.exercise import Exercise, Mutant
from grader.model.report import Outcome, Report
from grader.model.submission import Submission, SubmittedFile
from grader.workspace.snapshot import snapshot_folder


def solution(exercise: Exercise) -> Submission:
    """The reference: must score 100."""
    return _answer(exercise, exercise.solution)


def _answer(exercise: Exercise, folder: Path) -> Submission:
    """The files of an answer; where it is a procedure, a Maker makes the submission of them."""
    if exercise.solve:
        return sources(exercise, folder)
    return snapshot_folder(folder, exercise.answer, exercise.limits)


def starter(exercise: Exercise) -> Submission:
    """What the learner begins with: must not pass. Without files where workspaces are made."""
    if exercise.made:
        return Submission(files=())
    return snapshot_folder(exercise.starter, exercise.submit, exercise.limits)


def alternatives(exercise: Exercise) -> list[str]:
    """The names of other right solutions."""
    folder = exercise.root / "alternatives"
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path.name for path in found if path.is_dir())


def alternative(exercise: Exercise, name: str) -> Submission:
    """Another right solution: must score 100."""
    return _answer(exercise, exercise.root / "alternatives" / name)


def mutant(exercise: Exercise, wrong: Mutant) -> Submission:
    """The reference with one mistake in it. Raises ExerciseError when an edit does not apply."""
    files = {file.path: file for file in solution(exercise).files}
    for name, edits in wrong.replace.items():
        files[name] = _edited(exercise, wrong, files, name, edits)
    for name in wrong.remove:
        files.pop(name, None)
    overlay = exercise.root / "mutants" / wrong.name
    for path in sorted(overlay.rglob("*") if overlay.is_dir() else ()):
        if path.is_file():
            name = path.relative_to(overlay).as_posix()
            files[name] = SubmittedFile(path=name, content=path.read_bytes())
    return Submission(files=tuple(files[name] for name in sorted(files)))


def _edited(
    exercise: Exercise,
    wrong: Mutant,
    files: Mapping[str, SubmittedFile],
    name: str,
    edits: tuple[tuple[str, str], ...],
) -> SubmittedFile:
    if name not in files:
        raise ExerciseError(f"{exercise.slug}: mutant '{wrong.name}' edits '{name}', no such file")
    text = files[name].content.decode()
    for old, new in edits:
        if text.count(old) != 1:
            found = f"'{old}' occurs {text.count(old)} times in {name}, it must occur once"
            raise ExerciseError(f"{exercise.slug}: mutant '{wrong.name}': {found}")
        text = text.replace(old, new)
    return SubmittedFile(path=name, content=text.encode(), executable=files[name].executable)


def not_rejected(wrong: Mutant, report: Report) -> list[str]:
    """The checks that should have rejected the mutant and did not; none when it is caught.

    A base name stands for all parameters of a check: one of them must have rejected it.
    """
    missed = []
    for names, outcome in ((wrong.fails, Outcome.FAILED), (wrong.breaks, Outcome.BROKE)):
        for name in names:
            ends = [
                check.outcome
                for check in report.checks()
                if check.id == name or check.id.partition("[")[0] == name
            ]
            if outcome not in ends:
                told = ", ".join(ends) or "did not run"
                missed.append(f"{name}: expected {outcome}, got {told}")
    return missed
