"""Text that others wrote, made safe and short enough to show a person."""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_JOINERS = frozenset("\u200c\u200d")  # parts of ordinary words and emoji in many scripts
_TAB = "    "
# How a program's output begins a command to the pipeline that shows it: GitHub's (also the older
# form), Azure's, TeamCity's. Anywhere in a line: lines are folded, so any part may come first.
_COMMAND = re.compile(
    r"(?i):(?=:(?:add-m|add-path|debug|echo|end-?group|error|group|notice|remove-m|save-state|"
    r"set-env|set-output|stop-commands|warning))|#(?=#\w*\[)"
)


def visible(text: str) -> str:
    """`text` with every character that could steer a terminal written out: `\\x1b`, `\\u202e`.

    So is what begins a command to a pipeline. Line feeds stay, tabs become spaces, the carriage
    return of a CRLF goes.
    """
    text = text.replace("\r\n", "\n").replace("\t", _TAB)
    text = _COMMAND.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return "".join(_shown(character) for character in text)


def one_line(text: str, limit: int = 200) -> str:
    """`text` as one safe line of at most about `limit` characters."""
    return shorten(" ".join(visible(text).split("\n")), limit)


def shorten(line: str, limit: int) -> str:
    """The start of one line, and how much was left out."""
    if len(line) <= limit + 40:  # saying so takes as much room as a little more of the line
        return line
    return f"{line[:limit]}... ({len(line) - limit} more characters)"


def first_lines(text: str, lines: int, width: int = 300) -> list[str]:
    """The first lines of `text`, safe to show; the last entry says how many are missing."""
    all_lines = visible(text).rstrip("\n").split("\n")
    shown = [shorten(line, width) for line in all_lines[:lines]]
    missing = len(all_lines) - len(shown)
    return [*shown, f"... ({_lines(missing)} more)"] if missing else shown


def last_lines(text: str, lines: int, width: int = 300) -> list[str]:
    """The last lines of `text`, safe to show; the first entry says how many are missing."""
    all_lines = visible(text).strip("\n").split("\n")
    shown = [shorten(line, width) for line in all_lines[-lines:]]
    missing = len(all_lines) - len(shown)
    return [f"... ({_lines(missing)} before)", *shown] if missing else shown


def number(value: float) -> str:
    """At most one decimal, rounded down, so that 99.96 never reads as 100: `7`, `2.5`, `99.9`."""
    return f"{int(value * 10 + 1e-6) / 10:g}"


def seconds(value: float) -> str:
    """A time a person reads: `0.4 s`, `12.3 s`, `2 min 5 s`."""
    if value < 100:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s"


def size(value: int) -> str:
    """Bytes as a person reads them: `98 MB`."""
    return f"{value / 1e6:.0f} MB" if value < 1e9 else f"{value / 1e9:.1f} GB"


def counted(count: int, noun: str) -> str:
    """`1 check`, `3 checks`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _lines(count: int) -> str:
    return counted(count, "line")


def _shown(character: str) -> str:
    if character == "\n" or character in _JOINERS:
        return character
    if unicodedata.category(character) not in _INVISIBLE:
        return character
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
