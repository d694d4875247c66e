"""The files that an exercise folder must hold."""

from __future__ import annotations

from pathlib import Path

from grader.catalog.paths import is_glob, read_text, relative_problem
from grader.catalog.schema import ExerciseFile, ServiceOptions, SubmitEntry
from grader.catalog.statement import statement_problems
from grader.catalog.yamldoc import Document
from grader.errors import Problem

_FOLDERS = {
    "starter": "the files that the learner starts from",
    "tests": "the hidden tests",
    "solution": "the reference solution",
}
_OURS = ("README.md", ".grader.json")


def folder_problems(folder: Path, data: ExerciseFile, document: Document) -> list[Problem]:
    """Missing folders and files, and `submit` patterns that match nothing."""
    problems = [
        Problem(file=str(folder / name), message="the folder is missing", fix=f"it holds {purpose}")
        for name, purpose in _FOLDERS.items()
        if not (folder / name).is_dir() and not (name == "starter" and data.generate)
    ]
    problems += [
        Problem(file=str(folder / "starter" / name), message="would hide a file of the workspace")
        for name in _OURS
        if (folder / "starter" / name).exists()
    ]
    if (folder / "tests").is_dir() and not any((folder / "tests").glob("test_*.py")):
        problems.append(Problem(file=str(folder / "tests"), message="has no file test_*.py"))
    problems += _init_files(folder, data, document)
    for number, entry in enumerate(data.submit):
        problems += _submit(folder, number, entry, document, _holders(data))
    problems += _generate(folder, data, document)
    return problems


def readme_problems(folder: Path, titles: list[str] | None) -> list[Problem]:
    """The statement exists and fits the tasks; `titles` None when those are not known."""
    text, missing = read_text(folder / "README.md")
    if missing:
        return [missing]
    return [] if titles is None else statement_problems(text, titles, str(folder / "README.md"))


def _init_files(folder: Path, data: ExerciseFile, document: Document) -> list[Problem]:
    problems = []
    for name, options in service_options(data).items():
        for number, file in enumerate(options.init):
            path = ("services", name, "init", number)
            wrong = relative_problem(file)
            if wrong:
                problems.append(document.problem(path, f"'{file}' {wrong}"))
            elif not (folder / file).is_file():
                problems.append(document.problem(path, f"the file '{file}' is missing"))
    return problems


def service_options(data: ExerciseFile) -> dict[str, ServiceOptions]:
    """The services with their options, also when they are written as a list of names."""
    if isinstance(data.services, list):
        return {name: ServiceOptions() for name in data.services}
    return {name: options or ServiceOptions() for name, options in data.services.items()}


def _generate(folder: Path, data: ExerciseFile, document: Document) -> list[Problem]:
    """The file that completes workspaces; and repositories are made by nothing else."""
    if data.generate is None:
        found = (
            number
            for number, entry in enumerate(data.submit)
            if isinstance(entry, SubmitEntry) and entry.git
        )
        message, fix = "git: an exercise holds no repository", "let `generate` make it"
        return [document.problem(("submit", number), message, fix) for number in found]
    wrong = relative_problem(data.generate)
    if wrong:
        return [document.problem(("generate",), f"'{data.generate}' {wrong}")]
    if not (folder / data.generate).is_file():
        return [document.problem(("generate",), f"the file '{data.generate}' is missing")]
    return []


def _holders(data: ExerciseFile) -> tuple[str, ...]:
    """The folders that hold files to be submitted; the others get them from a program."""
    made = {"starter": data.generate, "solution": data.solve}
    return tuple(name for name, by in made.items() if not by)


def _submit(
    folder: Path,
    number: int,
    entry: str | SubmitEntry,
    document: Document,
    holders: tuple[str, ...],
) -> list[Problem]:
    rule = SubmitEntry(path=entry) if isinstance(entry, str) else entry
    path = ("submit", number)
    name = rule.path or rule.git or ""
    if bool(rule.path) == bool(rule.git):
        return [document.problem(path, "wants either path or git")]
    if rule.git and (rule.optional or rule.max is not None or is_glob(rule.git)):
        return [document.problem(path, "git: names one folder, without other options")]
    wrong = relative_problem(name)
    if wrong:
        return [document.problem(path, f"'{name}' {wrong}")]
    if any("**" in part and part != "**" for part in name.split("/")):
        return [document.problem(path, f"'{name}': ** must stand alone between slashes")]
    if "**/**" in name:
        return [document.problem(path, f"'{name}': one ** is enough for any depth")]
    if rule.optional or rule.git:
        return []
    pattern = f"{name}/*" if name.endswith("**") else name
    problems = []
    # a learner may begin without any file of a glob; a named file is there from the start
    for where in [one for one in holders if one == "solution" or not is_glob(name)]:
        root = folder / where
        if root.is_dir() and not any(root.glob(pattern)):
            message = f"nothing in {where}/ matches '{name}'"
            problems.append(document.problem(path, message, "add it, or make it optional"))
    return problems
