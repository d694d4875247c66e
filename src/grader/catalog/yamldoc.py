"""YAML read strictly, with the line of every key kept.

Plain maps, lists and scalars only: a key given twice, a tag or an alias is a problem, because each
of them lets a file say something other than what a reader sees.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from grader.errors import Problem

try:  # the C parser is several times faster; some builds of PyYAML come without it
    from yaml import CSafeLoader as _Loader
except ImportError:
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]  # the same, slower

KeyPath = tuple[str | int, ...]
_TAG = "tag:yaml.org,2002:"
_PLAIN_VALUE = "write a plain value"
_PLAIN = {"str", "timestamp", "value", "merge", "binary"}
_CONSTRUCTED = {"bool", "int", "float"}
_NO_CHARACTER = "a character here is not allowed in YAML"
_ALIAS = "an alias (*name) is not allowed here"
DEEPEST = 30
"""Maps and lists in each other, at most. Our files need six."""
_TOO_DEEP = f"is nested more than {DEEPEST} deep"
LONGEST = 500
"""Characters of a problem's message: a file may hold longer keys and texts than one can read."""
LONGEST_NUMBER = 100
"""Characters of a number: longer ones take long to read, and Python refuses to print them."""


@dataclass(frozen=True)
class Document:
    """A file's value and where its parts stand. `value` is None when it could not be read."""

    file: str
    value: object
    lines: Mapping[KeyPath, int]
    problems: tuple[Problem, ...]
    refused: frozenset[KeyPath] = frozenset()
    """Where a value is missing because it was refused: `problems` says why."""

    def line(self, path: KeyPath) -> int:
        """The line of a key or list item; of the nearest parent when it has none of its own."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return 0

    def problem(self, path: KeyPath, message: str, fix: str = "") -> Problem:
        """A problem of the value at `path`. Of what it quotes, the beginning is told."""
        said = message if len(message) <= LONGEST else f"{message[:LONGEST]}..."
        return Problem(file=self.file, line=self.line(path), message=said, fix=fix)


def read_yaml(text: str, file: str) -> Document:
    """Read one YAML document; every problem is in the result, none is raised."""
    builder = _Builder(file, text)
    try:
        value = builder.document()
    except yaml.YAMLError as error:
        return Document(file, None, {}, (_syntax_problem(error, text, file),))
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        return Document(file, None, {}, (Problem(file=file, line=line, message=_NO_CHARACTER),))
    except _Refused as refused:
        return Document(file, None, {}, (refused.problem,))
    if value is None and not builder.problems:
        return Document(file, None, {}, (Problem(file=file, message="the file is empty"),))
    problems, refused_at = tuple(builder.problems), frozenset(builder.refused)
    return Document(file, value, builder.lines, problems, refused_at)


def _syntax_problem(error: yaml.YAMLError, text: str, file: str) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        said = error.problem or error.context or "cannot be read"
        # libyaml has a limit of its own, which reading ahead may reach before we reach ours.
        deep = said == "exceeded maximum nesting depth"
        message = _TOO_DEEP if deep else f"is not valid YAML: {said}"
        return Problem(file=file, line=mark.line + 1 if mark else 0, message=message)
    position = getattr(error, "position", 0)
    line = text.count("\n", 0, position) + 1
    return Problem(file=file, line=line, message=_NO_CHARACTER)


class _Refused(Exception):
    """The whole document is of no use."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


class _Builder:
    """Turns YAML events into plain values.

    Not PyYAML's nodes: it makes those by recursion, which ends the process on deep nesting.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.lines: dict[KeyPath, int] = {}
        self.problems: list[Problem] = []
        self.refused: set[KeyPath] = set()
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=_Loader)
        self._resolver = yaml.resolver.Resolver()
        self._scalars = yaml.constructor.SafeConstructor()

    def document(self) -> object:
        """The value of the only document. Raises _Refused, YAMLError, UnicodeEncodeError."""
        value: object = None
        found = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                found += 1
                if found > 1:
                    message = "a second document (---) begins here"
                    raise _Refused(Problem(file=self.file, line=_line(event), message=message))
                value = self._build(next(self._events), ())
        return value

    def _build(self, event: yaml.Event, path: KeyPath) -> object:
        line = _line(event)
        self.lines.setdefault(path, line)
        if isinstance(event, yaml.AliasEvent):
            return self._refuse(path, line, _ALIAS, "write it out")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path, line)
        if len(path) >= DEEPEST:
            raise _Refused(Problem(file=self.file, line=line, message=_TOO_DEEP))
        kind = "map" if isinstance(event, yaml.MappingStartEvent) else "seq"
        tag = str(getattr(event, "tag", None) or "!")
        if tag not in ("!", _TAG + kind):
            self._skip(event)
            said = f"the tag {_shown(tag)} is not allowed"
            return self._refuse(path, line, said, _PLAIN_VALUE)
        return self._mapping(path) if kind == "map" else self._sequence(path)

    def _skip(self, event: yaml.Event) -> None:
        """Pass over the rest of what begins with this event."""
        open_ = 0
        while True:
            open_ += isinstance(event, yaml.CollectionStartEvent)
            open_ -= isinstance(event, yaml.CollectionEndEvent)
            if not open_:
                return
            if open_ > DEEPEST:
                raise _Refused(Problem(file=self.file, line=_line(event), message=_TOO_DEEP))
            event = next(self._events)

    def _sequence(self, path: KeyPath) -> list[object]:
        result: list[object] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            result.append(self._build(event, (*path, len(result))))
        return result

    def _mapping(self, path: KeyPath) -> dict[str, object]:
        result: dict[str, object] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            line = _line(event)
            self._skip(event)
            key = self._key(event)
            if key is not None and key not in result:
                self.lines[*path, key] = line
                result[key] = self._build(next(self._events), (*path, key))
                continue
            self._skip(next(self._events))
            if isinstance(event, yaml.AliasEvent):
                self._refuse((*path, line), line, _ALIAS, "write it out")
            elif key is None:
                self._refuse((*path, line), line, "a key must be text", "put quotes around it")
            else:
                first = self.lines[*path, key]
                message = f"the key '{key}' is given twice, first on line {first}"
                self._refuse((*path, line), line, message)
        return result

    def _key(self, event: yaml.Event) -> str | None:
        """The text of a key; None when it is no text."""
        if isinstance(event, yaml.ScalarEvent) and self._tag(event) == f"{_TAG}str":
            return str(event.value)
        return None

    def _tag(self, event: yaml.ScalarEvent) -> str:
        if event.tag not in (None, "!"):
            return str(event.tag)
        resolve: Any = self._resolver.resolve
        return str(resolve(yaml.ScalarNode, event.value, event.implicit))

    def _scalar(self, event: yaml.ScalarEvent, path: KeyPath, line: int) -> object:
        tag = self._tag(event)
        kind = tag.removeprefix(_TAG)
        if kind in _CONSTRUCTED and len(event.value) > LONGEST_NUMBER:
            return self._refuse(path, line, f"a number of more than {LONGEST_NUMBER} characters")
        node = yaml.ScalarNode(tag, event.value)
        try:
            if kind == "null":
                return None
            if kind == "bool":
                return self._scalars.construct_yaml_bool(node)
            if kind == "int":
                return self._scalars.construct_yaml_int(node)
            if kind == "float":
                return self._scalars.construct_yaml_float(node)
        except (ValueError, LookupError):
            said = f"'{event.value}' does not fit its tag {_shown(tag)}"
            return self._refuse(path, line, said)
        if kind in _PLAIN:
            return event.value
        return self._refuse(path, line, f"the tag {_shown(tag)} is not allowed", _PLAIN_VALUE)

    def _refuse(self, path: KeyPath, line: int, message: str, fix: str = "") -> object:
        """Note a problem; the value that stands there instead is None."""
        self.refused.add(path)
        said = message if len(message) <= LONGEST else f"{message[:LONGEST]}..."
        self.problems.append(Problem(file=self.file, line=line, message=said, fix=fix))
        return None


def _shown(tag: str) -> str:
    return f"!!{tag.removeprefix(_TAG)}" if tag.startswith(_TAG) else tag


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0
