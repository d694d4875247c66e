"""What course platforms read: each against a schema of its format, and what it does to a grade."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types of its own
import pytest
from referencing import Registry, Resource

from grader.model.report import CheckResult, Outcome, Report, Status
from grader.report.forms import Audience, Form
from tests.unit.reports import (
    ERROR,
    FAILED,
    HOSTILE,
    PASSED,
    SCHEMAS,
    STORED,
    changed,
    poisoned,
    stored,
    text_of,
)

FORMS = (Form.GRADESCOPE, Form.EXERCISM, Form.PRAIRIELEARN)


def schema(name: str) -> Any:
    return json.loads((SCHEMAS / f"{name}.json").read_bytes())


REGISTRY = Registry().with_resource("gradescope.json", Resource.from_contents(schema("gradescope")))


def validator(name: str) -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema(name))
    return jsonschema.Draft202012Validator(schema(name), registry=REGISTRY)


def read(form: Form, report: Report, audience: Audience = Audience.LEARNER) -> Any:
    """What the platform reads, after its schema had nothing to say."""
    found = json.loads(text_of(form, report, audience))
    validator(form.value).validate(found)
    return found


def crashed(check: CheckResult) -> CheckResult:
    return replace(check, outcome=Outcome.BROKE, reason="crash", log="line\n" * 400 + "the end\n")


@pytest.mark.parametrize("name", STORED)
@pytest.mark.parametrize("form", FORMS)
def test_every_status_matches_the_schema(form: Form, name: str) -> None:
    read(form, stored(name))
    read(form, changed(stored(name), crashed) if name == FAILED else stored(name))


@pytest.mark.parametrize("status", [Status.FAILED, Status.ERROR])
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("form", FORMS)
def test_hostile_text_matches_the_schema(form: Form, name: str, status: Status) -> None:
    read(form, poisoned(HOSTILE[name], status))


# -- Gradescope ----------------------------------------------------------------------------


def test_gradescope_counts_the_score_and_shows_each_test() -> None:
    found = read(Form.GRADESCOPE, stored(FAILED))
    assert validator("gradescope-scored").is_valid(found)
    assert found["score"] == 18.75
    assert [test["number"] for test in found["tests"]][:4] == ["1.1", "1.2", "1.3", "2.1"]
    partial = next(test for test in found["tests"] if test["name"].startswith("Fifty"))
    assert (partial["score"], partial["max_score"], partial["status"]) == (1, 4, "failed")
    assert (
        "again: grader check --only test_second_read --seed 481516" in found["tests"][1]["output"]
    )


def test_gradescope_gets_no_score_when_we_failed() -> None:
    """Neither at the top nor in tests that would add up to one."""
    found = read(Form.GRADESCOPE, stored(ERROR))
    assert not validator("gradescope-scored").is_valid(found)
    assert not {"score", "tests"} & set(found)
    assert "not a zero" in found["output"]


@pytest.mark.parametrize("name", [FAILED, ERROR])
def test_gradescope_keeps_an_instructors_report_from_the_learner(name: str) -> None:
    assert read(Form.GRADESCOPE, stored(name))["visibility"] == "visible"
    assert read(Form.GRADESCOPE, stored(name), Audience.INSTRUCTOR)["visibility"] == "hidden"


# -- Exercism ------------------------------------------------------------------------------


def test_exercism_tells_wrong_from_broken() -> None:
    found = read(Form.EXERCISM, stored(FAILED))
    assert found["status"] == "fail"
    assert {test["task_id"] for test in found["tests"]} == {1, 2, 3}
    by_name = {test["name"].split()[0]: test for test in found["tests"][:5]}
    assert [test["status"] for test in found["tests"][:3]] == ["pass", "fail", "fail"]
    assert by_name["Fifty"]["status"] == "error"
    assert "AttributeError" in by_name["Fifty"]["output"]
    assert "your program printed" not in by_name["Fifty"]["message"]


def test_exercism_gets_the_end_of_a_long_output() -> None:
    found = read(Form.EXERCISM, changed(stored(FAILED), crashed))
    assert {len(test["output"]) for test in found["tests"]} == {500}
    assert found["tests"][0]["output"].endswith("the end")


def test_exercism_passes_what_passed() -> None:
    assert read(Form.EXERCISM, stored(PASSED))["status"] == "pass"


def test_exercism_is_told_of_our_fault_only() -> None:
    found = read(Form.EXERCISM, stored(ERROR))
    assert (found["status"], found["tests"]) == ("error", [])
    assert "postgres stopped answering" in found["message"]


# -- PrairieLearn --------------------------------------------------------------------------


def test_prairielearn_gets_a_share_of_one() -> None:
    found = read(Form.PRAIRIELEARN, stored(FAILED))
    assert (found["gradable"], found["score"]) == (True, 0.1875)
    assert sum(test["points"] for test in found["tests"]) == 3
    assert found["tests"][1]["message"] == "The second read asked the database again."
    assert found["tests"][0]["description"] == "Read through the cache"


def test_prairielearn_takes_no_attempt_for_our_fault() -> None:
    found = read(Form.PRAIRIELEARN, stored(ERROR))
    assert found["gradable"] is False
    assert "not a zero" in found["format_errors"][0]


def test_prairielearn_takes_no_file_above_a_megabyte() -> None:
    report = poisoned("w" * 300)
    report = replace(report, tasks=report.tasks * 100)
    text = text_of(Form.PRAIRIELEARN, report)
    assert 400_000 < len(text.encode()) < 1_000_000
    assert "Left out" in text


# -- CSV -----------------------------------------------------------------------------------


def rows(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(text_of(Form.CSV, report).splitlines()))


def test_csv_has_a_row_for_each_check() -> None:
    found = rows(stored(FAILED))
    assert [row["check"] for row in found] == [check.id for check in stored(FAILED).checks()]
    assert {row["score"] for row in found} == {"18.75"}
    assert sum(float(row["earned"]) for row in found) == 3


@pytest.mark.parametrize("report", [stored(ERROR), replace(stored(ERROR), tasks=())])
def test_csv_leaves_the_score_empty_when_we_failed(report: Report) -> None:
    found = rows(report)
    assert found
    assert {(row["status"], row["score"], row["earned"]) for row in found} == {("error", "", "")}
    assert any("Not graded" in row["message"] or "postgres" in row["message"] for row in found)


@pytest.mark.parametrize("name", HOSTILE)
def test_csv_keeps_hostile_text_in_its_cell(name: str) -> None:
    report = poisoned(HOSTILE[name])
    found = rows(report)
    assert len(found) == len(report.checks())
    assert all(None not in row and None not in row.values() for row in found)


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t=", " ="])
def test_csv_holds_no_formula(begin: str) -> None:
    for row in rows(poisoned(f"{begin}1+1")):
        assert row["title"].startswith("'")
        assert row["outcome"] in ("passed", "skipped") or row["message"].startswith("'")


# -- the schemas themselves ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "name", "change"),
    [
        (Form.GRADESCOPE, FAILED, {"visibility": "nobody"}),
        (Form.GRADESCOPE, FAILED, {"unheard_of": 1}),
        (Form.GRADESCOPE, FAILED, {"tests": [{"number": 1}]}),
        (Form.EXERCISM, FAILED, {"status": "error"}),
        (Form.EXERCISM, FAILED, {"tests": [{"name": "a", "status": "fail", "test_code": ""}]}),
        (Form.EXERCISM, ERROR, {"message": None}),
        (Form.PRAIRIELEARN, FAILED, {"score": 18.75}),
        (Form.PRAIRIELEARN, ERROR, {"score": 0}),
    ],
)
def test_a_schema_refuses_what_its_format_does_not_know(
    form: Form, name: str, change: dict[str, Any]
) -> None:
    found = {**json.loads(text_of(form, stored(name))), **change}
    assert not validator(form.value).is_valid(found)
