"""YAML read strictly, with the line of every key kept.

Plain maps, lists and scalars only: a key given twice, a tag or an alias is a problem, because each
of them lets a file say something other than what a reader sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
        """A problem of the value at `path`."""
        return Problem(file=self.file, line=self.line(path), message=message, fix=fix)


def read_yaml(text: str, file: str) -> Document:
    """Read one YAML document; every problem is in the result, none is raised."""
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        return Document(file, None, {}, (_syntax_problem(error, text, file),))
    except RecursionError:
        return Document(file, None, {}, (Problem(file=file, message="is nested too deeply"),))
    builder = _Builder(file)
    value = None if root is None else builder.build(root, ())
    if value is None and not builder.problems:
        return Document(file, None, {}, (Problem(file=file, message="the file is empty"),))
    problems, refused = tuple(builder.problems), frozenset(builder.refused)
    return Document(file, value, builder.lines, problems, refused)


def _syntax_problem(error: yaml.YAMLError, text: str, file: str) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        said = error.problem or error.context or "cannot be read"
        return Problem(
            file=file, line=mark.line + 1 if mark else 0, message=f"is not valid YAML: {said}"
        )
    position = getattr(error, "position", 0)
    line = text.count("\n", 0, position) + 1
    return Problem(file=file, line=line, message="a character here is not allowed in YAML")


class _Builder:
    """Turns YAML nodes into plain values."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[KeyPath, int] = {}
        self.problems: list[Problem] = []
        self.refused: set[KeyPath] = set()
        self._seen: set[int] = set()
        self._scalars = yaml.constructor.SafeConstructor()

    def build(self, node: yaml.Node, path: KeyPath) -> object:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if id(node) in self._seen:
            here = self.lines[path]  # the node's own line is the anchor's
            return self._refuse(path, here, "an alias (*name) is not allowed here", "write it out")
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self.build(item, (*path, i)) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path, line)
        return self._refuse(path, line, f"the tag {_shown(node.tag)} is not allowed", _PLAIN_VALUE)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        result: dict[str, object] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != f"{_TAG}str":
                self._refuse((*path, line), line, "a key must be text", "put quotes around it")
                continue
            key = key_node.value
            if key in result:
                first = self.lines[*path, key]
                message = f"the key '{key}' is given twice, first on line {first}"
                self._refuse((*path, line), line, message)
                continue
            self.lines[*path, key] = line
            result[key] = self.build(value_node, (*path, key))
        return result

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath, line: int) -> object:
        kind = node.tag.removeprefix(_TAG)
        try:
            if kind == "null":
                return None
            if kind == "bool":
                return self._scalars.construct_yaml_bool(node)
            if kind == "int":
                return self._scalars.construct_yaml_int(node)
            if kind == "float":
                return self._scalars.construct_yaml_float(node)
        except (ValueError, KeyError):
            said = f"'{node.value}' does not fit its tag {_shown(node.tag)}"
            return self._refuse(path, line, said)
        if kind in _PLAIN:
            return node.value
        return self._refuse(path, line, f"the tag {_shown(node.tag)} is not allowed", _PLAIN_VALUE)

    def _refuse(self, path: KeyPath, line: int, message: str, fix: str = "") -> object:
        """Note a problem; the value that stands there instead is None."""
        self.refused.add(path)
        self.problems.append(Problem(file=self.file, line=line, message=message, fix=fix))
        return None


def _shown(tag: str) -> str:
    return f"!!{tag.removeprefix(_TAG)}" if tag.startswith(_TAG) else tag
