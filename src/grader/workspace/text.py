"""Files that are read as text must be UTF-8; what else they are is said by name."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

SUFFIXES = (
    ".py",
    ".sql",
    ".sh",
    ".js",
    ".json",
    ".yaml",
    ".yml",
    ".md",
    ".txt",
)
_BOMS = (  # the longer first: UTF-32-LE begins like UTF-16-LE
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_SAVE = "save it as UTF-8: editors offer that under 'Save with encoding'"


@dataclass(frozen=True)
class EncodingProblem:
    """What is wrong with the bytes of a text file. `line` counts from 1; 0 is the whole file."""

    message: str
    line: int = 0
    fix: str = _SAVE


def encoding_problem(path: str, content: bytes) -> EncodingProblem | None:
    """Why a file that should be text is not UTF-8; None for other files."""
    if not path.lower().endswith(SUFFIXES):
        return None
    for mark, name in _BOMS:
        if content.startswith(mark):
            return EncodingProblem(f"is saved as {name}, not as UTF-8")
    zero = content.find(b"\0")
    if zero >= 0:
        line = content.count(b"\n", 0, zero) + 1
        return EncodingProblem(f"has a zero byte at offset {zero}: it is not UTF-8 text", line)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        value = content[error.start]
        said = f"is not UTF-8: byte 0x{value:02x} at offset {error.start} cannot be read"
        return EncodingProblem(said, line)
    return None
