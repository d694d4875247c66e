"""Gathers the files of one submission under its rules and limits, and everything refused.

Folders and archives are read by different code; what may be taken is decided here, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from grader.errors import Problem, SubmissionError
from grader.model.exercise import Limits, SubmitRule
from grader.model.submission import (
    WORKSPACE_FILE,
    Submission,
    SubmittedFile,
    seed_file,
    seed_in,
)
from grader.workspace.globs import is_glob, matches, may_contain, parts
from grader.workspace.names import looks_like, same_name_key, shown, spelling_problem
from grader.workspace.text import encoding_problem

REPORT_FILE = ".grader-report.json"
"""In an archive to hand in, the report of the check before it: nothing that is graded."""
SKIPPED = frozenset({".git", "node_modules", "__pycache__", ".venv", "__MACOSX"})
"""Folders that are not looked into unless a rule names them."""
MOST_ENTRIES = 20_000
"""Names looked at in one submission, at most."""
HINT_NAMES = 2_000
"""Names that a missing file is compared with, at most: comparing is slow."""
_MOST_PROBLEMS = 50


class Collector:
    """Takes files one by one; `finish` gives the submission or raises with every problem."""

    def __init__(self, rules: Sequence[SubmitRule], limits: Limits) -> None:
        self._rules = tuple(rules)
        self._limits = limits
        self._files: dict[str, SubmittedFile] = {}
        self._met: set[SubmitRule] = set()
        self._problems: list[Problem] = []
        self._bytes = 0
        self._named = {name for rule in rules for name in parts(rule.path)}

    def wants(self, path: str) -> bool:
        """Whether a rule names this path and nothing rules it out."""
        steps = tuple(path.split("/"))
        ours = steps[-1] == WORKSPACE_FILE and steps[-1] not in self._named
        if ours or steps[-1] == REPORT_FILE or self._skips(steps[:-1]):
            return False
        return any(matches(rule.path, steps) for rule in self._rules)

    def may_contain(self, folder: str) -> bool:
        """Whether something below this folder could be wanted."""
        steps = tuple(folder.split("/"))
        return not self._skips(steps) and any(may_contain(r.path, steps) for r in self._rules)

    def may_be_shared(self, path: str) -> bool:
        """Whether this file may be a hard link."""
        steps = tuple(path.split("/"))
        return any(rule.shared and matches(rule.path, steps) for rule in self._rules)

    def _skips(self, folders: Iterable[str]) -> bool:
        return any(name in SKIPPED and name not in self._named for name in folders)

    def refuse(self, path: str, message: str, fix: str = "", line: int = 0) -> None:
        """Note why this path cannot be taken; rules for it are not reported as unmet, too."""
        steps = tuple(path.split("/"))
        self._met.update(
            rule
            for rule in self._rules
            if matches(rule.path, steps) or may_contain(rule.path, steps)
        )
        if len(self._problems) <= _MOST_PROBLEMS:
            self._problems.append(Problem(file=shown(path), line=line, message=message, fix=fix))

    def refuse_all(self, message: str, fix: str = "") -> None:
        """Note a problem of the submission as a whole; missing files are not reported then."""
        self._met.update(self._rules)
        self._problems.append(Problem(file="submission", message=message, fix=fix))

    def take_folder(self, path: str) -> None:
        """Keep an empty folder that a rule names."""
        self._keep(SubmittedFile(path=path, folder=True))

    def take(self, path: str, read: Callable[[int], bytes], *, executable: bool) -> None:
        """Keep a file. `read(n)` gives at most n bytes of it, and fewer only at its end."""
        rules = [rule for rule in self._rules if matches(rule.path, tuple(path.split("/")))]
        largest = next((rule.max_bytes for rule in rules if rule.max_bytes is not None), None)
        room = self._limits.submission - self._bytes
        bound = room if largest is None else min(largest, room)
        content = read(max(bound, 0) + 1)
        if largest is not None and len(content) > largest:
            self.refuse(path, f"is larger than {size(largest)}", "hand in a smaller file")
            return
        if len(content) > room:
            self._met.update(rules)
            if room >= 0:
                self._bytes = self._limits.submission + 1  # told once; the rest is not read
                most = size(self._limits.submission)
                self.refuse(path, f"makes the submission larger than {most}", "hand in less")
            return
        self._bytes += len(content)
        trouble = encoding_problem(path, content)
        if trouble:
            self.refuse(path, trouble.message, trouble.fix, trouble.line)
            return
        if path == WORKSPACE_FILE:
            self._keep_seed(content)
            return
        self._keep(SubmittedFile(path=path, content=content, executable=executable))

    def _keep_seed(self, content: bytes) -> None:
        """Of what a workspace says of itself only whose it is: the rest changes with each check."""
        seed = seed_in(content)
        if seed is None:
            fix = "put the file back that grader start made"
            self.refuse(WORKSPACE_FILE, "does not hold the workspace's seed", fix)
        else:
            self._keep(seed_file(seed))

    def _keep(self, file: SubmittedFile) -> None:
        wrong = spelling_problem(file.path)
        if wrong:
            self.refuse(file.path, wrong, "rename it")
            return
        if file.path in self._files:
            self.refuse(file.path, "is there twice")
            return
        steps = tuple(file.path.split("/"))
        self._met.update(rule for rule in self._rules if matches(rule.path, steps))
        if len(self._files) == self._limits.files:
            self.refuse(file.path, f"is one file more than {self._limits.files}", "hand in less")
        if len(self._files) <= self._limits.files:
            self._files[file.path] = file

    def _missing(self) -> tuple[SubmitRule, ...]:
        return tuple(rule for rule in self._rules if not rule.optional and rule not in self._met)

    def finish(self, name: str, present: Callable[[], Iterable[str]]) -> Submission:
        """The submission. `present` gives the names that are there, for hints on missing files.

        Raises SubmissionError naming everything at fault.
        """
        missing = self._missing()
        names = list(islice(present(), HINT_NAMES)) if missing else []
        for rule in missing:
            what = "no file matches this pattern" if is_glob(rule.path) else "the file is missing"
            hint = looks_like(rule.path, names)
            self._problems.append(Problem(file=rule.path, message=what, fix=hint))
        self._clashes()
        if not self._problems:
            return Submission(files=tuple(self._files[path] for path in sorted(self._files)))
        raise failure(name, self._problems)

    def _clashes(self) -> None:
        """Names that some file system cannot hold side by side, and files used as folders."""
        spelled: dict[str, str] = {}
        folders: set[str] = set()
        for path in sorted(self._files):
            steps = path.split("/")
            folders.update("/".join(steps[:end]) for end in range(1, len(steps)))
        for path in sorted(folders | set(self._files)):
            first = spelled.setdefault(same_name_key(path), path)
            if first != path:
                fix = "rename one: not every file system can hold both"
                self.refuse(path, f"differs only in case or accents from '{shown(first)}'", fix)
        for path in sorted(folders & set(self._files)):
            if not self._files[path].folder:
                self.refuse(path, "is a file and a folder at once")


def failure(name: str, problems: Sequence[Problem]) -> SubmissionError:
    """The error that tells all `problems` of the submission `name`."""
    found = sorted(set(problems))[:_MOST_PROBLEMS]
    more = "more than " if len(problems) > _MOST_PROBLEMS else ""
    number = f"{more}{len(found)} problem{'s' if len(found) != 1 else ''}"
    return SubmissionError(f"{shown(name)} cannot be graded as handed in: {number}", problems=found)


def size(number: int) -> str:
    """A size in bytes for people."""
    for unit, factor in (("MiB", 1024**2), ("KiB", 1024)):
        if number >= factor:
            return f"{number / factor:.3g} {unit}"
    return f"{number} bytes"
