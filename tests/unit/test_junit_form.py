"""JUnit XML: against a schema of the format, and read back by the library that CI tools use."""

from __future__ import annotations

from dataclasses import replace

import junitparser
import pytest
import xmlschema

from grader.model.report import Outcome, Report, Status
from grader.report.forms import Form
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

SCHEMA = xmlschema.XMLSchema(SCHEMAS / "junit.xsd")


def suite_of(report: Report) -> junitparser.TestSuite:
    """What a reader makes of it, after the schema had nothing to say."""
    text = text_of(Form.JUNIT, report)
    SCHEMA.validate(text)
    (suite,) = junitparser.JUnitXml.fromstring(text.encode())
    return suite


def properties(suite: junitparser.TestSuite) -> dict[str, str]:
    return {one.name: one.value for one in suite.properties()}  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("name", STORED)
def test_the_counts_are_those_of_the_report(name: str) -> None:
    report, suite = stored(name), suite_of(stored(name))
    outcomes = [check.outcome for check in report.checks()]
    assert suite.tests == len(outcomes)
    assert suite.failures == outcomes.count(Outcome.FAILED) + outcomes.count(Outcome.BROKE)
    assert suite.errors == outcomes.count(Outcome.ERROR)
    assert suite.skipped == outcomes.count(Outcome.SKIPPED)


def test_a_failure_says_what_was_expected_and_how_to_repeat_it() -> None:
    suite = suite_of(stored(FAILED))
    case = next(case for case in suite if case.name.startswith("A second read"))
    (failure,) = case.result
    assert isinstance(failure, junitparser.Failure)
    assert case.classname == "redis-caching.read"
    assert failure.message == "The second read asked the database again."
    assert failure.type == "failed"
    assert "expected" in failure.text
    assert "again: grader grade work --exercise redis-caching --seed 481516" in failure.text


def test_a_program_that_broke_says_how() -> None:
    report = changed(
        stored(FAILED), lambda check: replace(check, outcome=Outcome.BROKE, reason="timeout")
    )
    assert {case.result[0].type for case in suite_of(report)} == {"timeout"}


def test_the_score_is_a_property() -> None:
    found = properties(suite_of(stored(PASSED)))
    assert (found["score"], found["max_score"], found["seed"]) == ("100", "100", "481516")


def test_a_fault_of_ours_is_an_error_without_a_score() -> None:
    suite = suite_of(stored(ERROR))
    assert not {"score", "max_score"} & set(properties(suite))
    faults = [case.result[0] for case in suite if case.result and case.result[0]._tag == "error"]
    assert [fault.type for fault in faults] == ["infrastructure"]


def test_a_run_that_ended_before_its_checks_is_an_error_too() -> None:
    """No reader may take an empty list of tests for a pass."""
    report = replace(stored(ERROR), tasks=())
    suite = suite_of(report)
    assert (suite.tests, suite.errors) == (1, 1)
    (case,) = suite
    assert case.result[0].message == report.error


def test_checks_of_one_title_are_told_apart() -> None:
    report = changed(stored(FAILED), lambda check: replace(check, title="A hidden check"))
    assert "A hidden check (test_second_read)" in {case.name for case in suite_of(report)}


@pytest.mark.parametrize("status", [Status.FAILED, Status.ERROR])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_stays_text(name: str, status: Status) -> None:
    """Valid, with as many cases as before: nothing a program prints becomes markup."""
    report = poisoned(HOSTILE[name], status)
    assert len(list(suite_of(report))) == len(report.checks())


def test_the_schema_refuses_what_the_format_does_not_know() -> None:
    """Two results in one case, a missing count, a negative time: the check above can fail."""
    good = text_of(Form.JUNIT, stored(ERROR))
    for old, new in (
        ("</error>", '</error><skipped message=""/>'),
        (' errors="1"', ""),
        ('time="0.100"', 'time="-1"'),
        ('type="infrastructure"', 'type=""'),
    ):
        assert old in good
        assert not SCHEMA.is_valid(good.replace(old, new))
