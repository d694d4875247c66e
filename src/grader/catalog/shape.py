"""Lists everything in a document that does not fit a struct, in words, each with its line.

msgspec stops at the first problem, so the JSON Schema made from the same struct finds them all.
Used only when a file is known to be wrong: importing jsonschema takes longer than reading a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from grader.catalog.schema import PATTERNS, json_schema
from grader.catalog.words import nearest
from grader.catalog.yamldoc import Document, KeyPath
from grader.errors import Problem

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a map",
    "null": "nothing",
}


def shape_problems(
    document: Document, kind: type[msgspec.Struct], error: msgspec.ValidationError
) -> list[tuple[KeyPath, Problem]]:
    """Every misfit with its path; `error`, msgspec's own words, when the schema finds none."""
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

    found: dict[tuple[KeyPath, str], Problem] = {}
    for failure in Draft202012Validator(json_schema(kind)).iter_errors(document.value):
        for path, message, fix in _explained(failure):
            if path in document.refused:
                continue
            found.setdefault((path, message), document.problem(path, message, fix))
    if not found and not document.refused:
        return [((), document.problem((), str(error)))]
    return [(path, problem) for (path, _), problem in found.items()]


def _explained(error: Any) -> Iterator[tuple[KeyPath, str, str]]:
    path: KeyPath = tuple(error.absolute_path)
    rule, wanted, got = error.validator, error.validator_value, error.instance
    hint = PATTERNS.get(wanted, "") if rule == "pattern" else ""
    if rule == "anyOf":
        yield from _any_of(error, path)
    elif rule == "additionalProperties":
        known = error.schema.get("properties", {})
        for key in got:
            if key not in known:
                where = f" in {_dotted(path)}" if path else ""
                yield (*path, key), f"unknown key '{key}'{where}", nearest(key, known)
    elif rule == "required":
        for key in wanted:
            if key not in got:
                fix = error.schema["properties"][key].get("description", "")
                yield path, f"the key '{_dotted((*path, key))}' is missing", fix
    elif rule == "type":
        yield path, f"{_subject(path)}expected {_kind(wanted)}, got {_shown(got)}", _quotes(error)
    elif "propertyNames" in error.absolute_schema_path:
        yield (*path, got), f"{_subject(path)}'{got}' is not a valid name here", hint
    else:
        yield path, _subject(path) + _bound(rule, wanted, got), hint


def _any_of(error: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str, str]]:
    """The misfits of the one alternative whose type fits; else the types that would."""
    branches: dict[int, list[Any]] = {}
    for failure in error.context:
        branches.setdefault(failure.schema_path[0], []).append(failure)
    kinds: list[str] = []
    for failures in branches.values():
        wrong_type = [f for f in failures if f.validator == "type" and not f.path]
        if not wrong_type:
            for failure in failures:
                yield from _explained(failure)
            return
        kinds.append(_kind(wrong_type[0].validator_value))
    expected = " or ".join(kind for kind in kinds if kind != "nothing")
    yield path, f"{_subject(path)}expected {expected}, got {_shown(error.instance)}", ""


def _bound(rule: str, wanted: Any, got: Any) -> str:
    match rule:
        case "minimum":
            return f"must be at least {wanted}, is {got}"
        case "maximum":
            return f"must be at most {wanted}, is {got}"
        case "exclusiveMinimum":
            return f"must be more than {wanted}, is {got}"
        case "enum":
            return f"must be {' or '.join(str(value) for value in wanted)}, is {_shown(got)}"
        case "minItems" | "minProperties":
            return f"must have at least {wanted} item{'s' if wanted != 1 else ''}, has {len(got)}"
        case "maxLength":
            return f"may have {wanted} characters, has {len(got)}"
        case "maxItems" | "items":
            return f"has too many items ({len(got)})"
        case _:
            return f"{_shown(got)} does not fit"


def _quotes(error: Any) -> str:
    number = isinstance(error.instance, int | float)
    return "put it in quotes" if error.validator_value == "string" and number else ""


def _kind(wanted: Any) -> str:
    names: list[str] = wanted if isinstance(wanted, list) else [wanted]
    return " or ".join(_TYPES.get(name, name) for name in names)


def _shown(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"'{value if len(value) <= 60 else value[:57] + '...'}'"
        case list():
            return "a list"
        case _:
            return "a map"


def _subject(path: KeyPath) -> str:
    return f"{_dotted(path)}: " if path else ""


def _dotted(path: KeyPath) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
