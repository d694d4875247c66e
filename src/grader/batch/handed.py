"""Finds what was handed in: in a folder, in what a learning platform exports, or in a CSV list."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader.errors import UsageError

GRADESCOPE = "submission_metadata.yml"
MOODLE = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_file_?")
"""The folder of one participant in the archive that Moodle offers as "Download all submissions"."""
CANVAS = re.compile(r"(?P<name>[^_]+)_(?:(?:LATE|late)_)?(?P<id>\d+)_\d+_.+")
"""A file in the archive that Canvas offers as "Download Submissions"."""
LONGEST_NAME = 200


@dataclass(frozen=True, kw_only=True)
class Handed:
    """One submission and whose it is. `time` is when it was handed in, as far as anybody knows."""

    learner: str
    path: Path
    name: str = ""
    """What people call the learner, when that is not the same."""
    time: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Found:
    """`ignored` are names in the source that are no submission."""

    layout: str
    submissions: list[Handed]
    ignored: list[str]


def discover(source: Path) -> Found:
    """Every submission in a folder or listed in a CSV file, in the order of their learners.

    A folder holds one folder or archive per learner, named like the learner, or is an unpacked
    export of Gradescope, Moodle or Canvas. A list has the columns `learner` and `path`, and if you
    like `name` and `time` (ISO 8601); paths start at the list's own folder.

    Raises UsageError when it cannot be read, when there is no submission in it, and when a line of
    the list is wrong.
    """
    try:
        if source.is_dir():
            found = _folder(source)
        elif source.suffix.lower() == ".csv":
            found = Found(layout="list", submissions=list(_listed(source)), ignored=[])
        elif source.exists():
            raise UsageError(
                f"{source} is neither a folder nor a .csv list",
                fix="one submission is graded by grader grade; many: name the folder they are in",
            )
        else:
            raise UsageError(f"{source} does not exist", fix="name a folder or a .csv list")
    except OSError as error:
        raise UsageError(
            f"{error.filename or source}: {error.strerror}", fix="make it readable"
        ) from None
    if not found.submissions:
        raise UsageError(
            f"there is no submission in {source}",
            fix="put one folder or archive per learner there, or list them in a .csv file with "
            "the columns learner,path",
        )
    found.submissions.sort(key=lambda one: (one.learner, str(one.path)))
    return found


# -- folders --------------------------------------------------------------------------------------


def _folder(source: Path) -> Found:
    metadata = source / GRADESCOPE
    if metadata.is_file():
        return _gradescope(source, metadata)
    entries = [path for path in sorted(source.iterdir()) if not path.name.startswith(".")]
    for layout, pattern, make in (
        ("Moodle", MOODLE, _moodle),
        ("Canvas", CANVAS, _canvas),
    ):
        if any(_submission(path) and pattern.fullmatch(path.name) for path in entries):
            return _named(layout, entries, pattern, make)
    good = [path for path in entries if _submission(path)]
    return Found(
        layout="folder",
        submissions=[Handed(learner=_stem(path), path=path, time=_changed(path)) for path in good],
        ignored=[path.name for path in entries if path not in good],
    )


def _named(
    layout: str,
    entries: list[Path],
    pattern: re.Pattern[str],
    make: Callable[[Path, re.Match[str]], Handed | None],
) -> Found:
    submissions, ignored = [], []
    for path in entries:
        match = pattern.fullmatch(path.name) if _submission(path) else None
        one = make(path, match) if match else None
        if one is None:
            ignored.append(path.name)
        else:
            submissions.append(one)
    return Found(layout=layout, submissions=submissions, ignored=ignored)


def _moodle(path: Path, match: re.Match[str]) -> Handed | None:
    if not path.is_dir():
        return None
    inside = [one for one in path.iterdir() if not one.name.startswith(".")]
    work = inside[0] if len(inside) == 1 and _submission(inside[0]) else path
    return Handed(learner=match["id"], name=match["name"], path=work, time=_changed(work))


def _canvas(path: Path, match: re.Match[str]) -> Handed | None:
    return Handed(learner=match["id"], name=match["name"], path=path, time=_changed(path))


def _submission(path: Path) -> bool:
    from grader.workspace.archives import is_archive

    return path.is_dir() or is_archive(path)


def _stem(path: Path) -> str:
    from grader.workspace.archives import SUFFIXES

    if path.is_dir():
        return path.name
    longest = max(one for one in SUFFIXES if path.name.lower().endswith(one))
    return path.name[: -len(longest)] or path.name


def _changed(path: Path) -> datetime | None:
    """When it was last changed: in a folder, the newest of its own files."""
    times = [path.stat().st_mtime]
    if path.is_dir():
        times = [one.lstat().st_mtime for one in path.iterdir()] or times
    return datetime.fromtimestamp(max(times), UTC)


# -- Gradescope -----------------------------------------------------------------------------------


def _gradescope(source: Path, metadata: Path) -> Found:
    """`Export Submissions`: one folder per submission, and who made it in a YAML file.

    Its keys are Ruby symbols (`:submitters`, `:sid`). A group is graded once for each member,
    because each has inputs of their own.
    """
    submissions: list[Handed] = []
    ignored: list[str] = []
    for key, value in _yaml(metadata).items():
        path = source / str(key)
        people = _entries(value, "submitters")
        if not path.is_dir() or not people:
            ignored.append(str(key))
            continue
        time = _time(value.get(":created_at", value.get("created_at")))
        for person in people:
            learner = _text(person, "sid") or _text(person, "email") or _text(person, "name")
            if learner:
                name = _text(person, "name")
                submissions.append(Handed(learner=learner, name=name, path=path, time=time))
    return Found(layout="Gradescope", submissions=submissions, ignored=ignored)


def _yaml(file: Path) -> dict[Any, Any]:
    import yaml

    try:
        value = yaml.load(file.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # both are safe loaders
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        said = str(error).replace("\n", " ")
        raise UsageError(f"{file} is not valid YAML: {said}", fix="export it again") from None
    if not isinstance(value, dict):
        raise UsageError(f"{file}: names no submissions", fix="export it again")
    return value


def _entries(value: object, name: str) -> list[dict[Any, Any]]:
    found = value.get(f":{name}", value.get(name)) if isinstance(value, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _text(person: dict[Any, Any], name: str) -> str:
    value = person.get(f":{name}", person.get(name))
    return str(value).strip()[:LONGEST_NAME] if value is not None else ""


def _time(value: object) -> datetime | None:
    if isinstance(value, str):
        try:
            # Ruby puts a blank in front of the offset.
            value = datetime.fromisoformat(re.sub(r"\s+(?=[-+]\d\d:?\d\d$|Z$)", "", value.strip()))
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


# -- lists ----------------------------------------------------------------------------------------


def _listed(file: Path) -> Iterator[Handed]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines, strict=True)
            missing = {"learner", "path"} - set(rows.fieldnames or ())
            if missing:
                raise UsageError(
                    f"{file}:1: there is no column '{min(missing)}'",
                    fix="begin the list with a line: learner,path",
                )
            for row in rows:
                yield _row(file, rows.line_num, row)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"{file} is no CSV in UTF-8: {error}", fix="save it as CSV again"
        ) from None


def _row(file: Path, line: int, row: dict[str | Any, str | Any]) -> Handed:
    learner, path = ((row.get(name) or "").strip() for name in ("learner", "path"))
    if not learner or not path:
        what = "learner" if not learner else "path"
        raise UsageError(f"{file}:{line}: the {what} is empty", fix="fill it in, or drop the line")
    if len(learner) > LONGEST_NAME:
        raise UsageError(
            f"{file}:{line}: the learner has more than {LONGEST_NAME} characters",
            fix="give each learner a short name or number",
        )
    where = file.parent / path
    if not where.exists():
        raise UsageError(
            f"{file}:{line}: {where} does not exist",
            fix="paths in the list start at the list's own folder",
        )
    said = (row.get("time") or "").strip()
    time = _time(said) if said else _changed(where)
    if said and time is None:
        raise UsageError(
            f"{file}:{line}: '{said}' is no time", fix="write it so: 2026-03-01T17:59:00+01:00"
        )
    return Handed(learner=learner, name=(row.get("name") or "").strip(), path=where, time=time)
