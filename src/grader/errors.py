"""Every error grader raises on purpose, and the exit code each ends with.

GraderError                    70  a bug in grader when raised as such
├── UsageError                  2  the command line or a setting is wrong
├── InfrastructureError         3  the grader's own machinery failed: not graded, never a zero
│   ├── EngineUnavailable       3  no engine answers
│   ├── ImageError              3  an image is missing or could not be built
│   └── SessionLost             3  a container of the session ended or stopped answering
├── RecordError                 3  the learner's record cannot be read or written
├── SubmissionError             4  the submission cannot be graded as handed in
├── ExerciseError               5  the exercise itself is broken: its author's fault
└── Interrupted               130  Ctrl-C, SIGTERM or SIGHUP
    └── Cancelled             130  a run that nobody waits for any more

Foreign exceptions (docker, the operating system) are translated where they enter; `main()` has the
only `except`. A message says what happened and where; `fix` says what to do about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, order=True)
class Problem:
    """One thing wrong in one file. `line` counts from 1; 0 means the file as a whole."""

    file: str
    line: int = 0
    message: str
    fix: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.message}" + (f" ({self.fix})" if self.fix else "")


class GraderError(Exception):
    """Anything grader reports to its user without a traceback."""

    exit_code = 70

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class UsageError(GraderError):
    """The command line or a setting is wrong."""

    exit_code = 2


class InfrastructureError(GraderError):
    """The grader's own machinery failed; nothing was graded."""

    exit_code = 3


class EngineUnavailable(InfrastructureError):
    """No engine answers on this machine."""


class ImageError(InfrastructureError):
    """An image is missing or could not be built."""


class SessionLost(InfrastructureError):
    """A container of the session ended or stopped answering."""


class RecordError(GraderError):
    """The learner's record cannot be read or written. It never keeps work from being graded."""

    exit_code = 3


class _WithProblems(GraderError):
    def __init__(self, message: str, *, fix: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, fix=fix)
        self.problems = tuple(problems)


class SubmissionError(_WithProblems):
    """The submission cannot be graded as handed in; `problems` names every file at fault."""

    exit_code = 4


class ExerciseError(_WithProblems):
    """The exercise itself is broken; `problems` names every place."""

    exit_code = 5


class Interrupted(GraderError):
    """The user pressed Ctrl-C, or the process was told to end."""

    exit_code = 130


class Cancelled(Interrupted):
    """A run was given up because nobody waits for it any more; its session is as good as before."""
