"""Small questions about the files of an exercise."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from grader.errors import Problem

LARGEST = 1024 * 1024
"""Bytes of one file that is read as text."""
LONGEST_NAME = 255
"""Bytes of one name in a path: no file system of today takes more."""
MOST_STEPS = 32


def read_text(path: Path) -> tuple[str, Problem | None]:
    """The file's text; empty, with the problem, when it cannot be read as UTF-8."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            return "", Problem(file=str(path), message=f"is larger than {LARGEST // 1024} KiB")
        text = content.decode("utf-8")
        return text.replace("\r\n", "\n").replace("\r", "\n"), None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        message = f"is not UTF-8: byte {error.start} cannot be read"
        return "", Problem(file=str(path), line=line, message=message, fix="save it as UTF-8")
    except FileNotFoundError:
        return "", Problem(file=str(path), message="the file is missing")
    except OSError as error:
        return "", Problem(file=str(path), message=f"cannot be read: {error.strerror}")


def relative_problem(name: str) -> str:
    """What is wrong with `name` as a path inside a folder; empty when nothing is."""
    if not name or name.startswith("/") or "\\" in name or name[1:2] == ":":
        return "must be a relative path with forward slashes"
    if ".." in PurePosixPath(name).parts:
        return "must not lead out of its folder"
    parts = name.split("/")
    if any(part in ("", ".") for part in parts):
        return "must be a plain path, without '.' and empty parts"
    if "\0" in name or len(parts) > MOST_STEPS or any(map(_too_long, parts)):
        return "is no name that a file can have"
    return ""


def _too_long(name: str) -> bool:
    return len(name.encode("utf-8", "surrogatepass")) > LONGEST_NAME


def is_glob(pattern: str) -> bool:
    """Whether a `submit` pattern can match more than one name."""
    return any(character in pattern for character in "*?[")
