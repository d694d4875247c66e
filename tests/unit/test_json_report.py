"""The JSON form of a report, and the schema that is published for it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # it has no types of its own
import msgspec
import pytest

from grader.model.report import Report
from grader.report.jsonform import schema, schema_text, to_json

ROOT = Path(__file__).parent.parent.parent
REPORTS = sorted((ROOT / "tests" / "data" / "reports").glob("*.json"), key=lambda path: path.name)


def load(path: Path) -> Report:
    return msgspec.json.decode(path.read_bytes(), type=Report)


def test_published_schema_is_the_generated_one() -> None:
    published = (ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8")
    assert published == schema_text(), "generate it again: the command is in docs/report.md"


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_reports_match_the_schema_and_come_back_equal(path: Path) -> None:
    report = load(path)
    written = to_json(report)
    jsonschema.validate(json.loads(written), schema(), jsonschema.Draft202012Validator)
    assert msgspec.json.decode(written, type=Report) == report
    assert written.endswith(b"}\n")


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_every_field_of_the_schema_is_written(path: Path) -> None:
    written = json.loads(to_json(load(path)))
    assert set(written) == set(schema()["$defs"]["Report"]["required"])


def test_a_report_without_its_version_does_not_match() -> None:
    written = json.loads(to_json(load(REPORTS[0])))
    del written["format"]
    with pytest.raises(jsonschema.ValidationError, match="format"):
        jsonschema.validate(written, schema())


def test_a_report_that_was_not_graded_has_no_score() -> None:
    path = next(path for path in REPORTS if "no-zero" in path.name)
    assert json.loads(to_json(load(path)))["score"] is None


def test_half_a_surrogate_pair_is_written_out() -> None:
    report = replace(load(REPORTS[0]), error="\ud800 and \x00")
    assert json.loads(to_json(report))["error"] == "\\ud800 and \x00"
