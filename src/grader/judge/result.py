"""What a program of the learner's left when it had ended."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Result:
    """How a program ended. `code` is negative for a signal; `seconds` its wall-clock time.

    `collected` are the files that `collect` asked for. Others are read from the sandbox, as long
    as it holds them: that of a `fresh` run does not. `tree` says what each entry is that `collect`
    matched, sorted by name: `file`, `folder`, `link to ...` or `other`.
    """

    code: int
    stdout: bytes
    stderr: bytes
    seconds: float
    collected: Mapping[str, bytes] = field(repr=False)
    tree: Mapping[str, str] = field(repr=False)
    _collect: tuple[str, ...] = field(repr=False)
    _read: Callable[[str], bytes | None] | None = field(repr=False)

    @property
    def text(self) -> str:
        """stdout as UTF-8; bytes that are not become U+FFFD."""
        return self.stdout.decode("utf-8", "replace")

    def file(self, path: str) -> bytes:
        """A file the program left in its folder; the check fails when there is none.

        Raises LookupError for a `fresh` run that did not collect it: its sandbox is gone.
        """
        content = self.collected.get(path)
        if content is None and self._read is not None:
            content = self._read(path)
        elif content is None and not any(fnmatch.fnmatch(path, glob) for glob in self._collect):
            raise LookupError(f"a fresh run keeps what collect=[...] names, and not '{path}'")
        assert content is not None, f"no file '{path}' was written"
        return content

    def json(self, path: str | None = None) -> Any:
        """A file, or stdout, parsed as JSON; the check fails when it is not JSON."""
        content = self.stdout if path is None else self.file(path)
        return parsed(content, path or "what was printed")


def parsed(content: bytes, name: str) -> Any:
    """The JSON value of a file's content; the check fails when it is not JSON."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise AssertionError(f"{name} is not JSON: {error}") from None
