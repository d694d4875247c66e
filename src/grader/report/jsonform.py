"""A report as JSON for programs, and the schema of that form (docs/report.md)."""

from __future__ import annotations

import inspect
import re
import unicodedata
from typing import Any

import msgspec

from grader.model.report import REPORT_FORMAT, Report

_TO_ESCAPE = re.compile(r"[^\x00-\x7e]|#(?=#\w*\[)")
"""Beyond ASCII, and what begins a command to a pipeline (report.text)."""


def to_json(report: Report) -> bytes:
    """The report as indented JSON in UTF-8, with a line feed at the end."""
    try:
        encoded = msgspec.json.encode(report)
    except UnicodeEncodeError:  # half a surrogate pair, which a learner's program may well print
        encoded = msgspec.json.encode(_encodable(msgspec.to_builtins(report)))
    text = msgspec.json.format(encoded, indent=2).decode()
    return _TO_ESCAPE.sub(_escaped, text).encode() + b"\n"


def plain_json(value: Any) -> str:
    """Indented JSON of values whose texts are safe to show already, with a line feed at the end."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def _escaped(found: re.Match[str]) -> str:
    """As JSON writes it: the same text for programs, and nothing a terminal obeys."""
    if unicodedata.category(found[0]) not in ("Cc", "Cf", "Zl", "Zp") and found[0] != "#":
        return found[0]
    units = found[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of what `to_json` returns."""
    (reference,), components = msgspec.json.schema_components(
        [Report], ref_template="#/$defs/{name}"
    )
    for component in components.values():
        _describe_output(component)
    whole = components["Report"]
    whole["properties"] = {**whole["properties"], "format": {"const": REPORT_FORMAT}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A grader report, format {REPORT_FORMAT}",
        **reference,
        "$defs": components,
    }


def _describe_output(component: dict[str, Any]) -> None:
    """Turn what msgspec says about reading a class into what is true of every written report."""
    if "description" in component:
        component["description"] = inspect.cleandoc(component["description"])
    if "properties" in component:
        component["required"] = list(component["properties"])
        for value in component["properties"].values():
            value.pop("default", None)


def schema_text() -> str:
    """What docs/report.schema.json holds."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {key: _encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    return value
