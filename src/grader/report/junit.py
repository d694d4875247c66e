"""A report as JUnit XML, which CI systems show as a list of tests.

There is no one standard; this is the part that Jenkins, GitLab and the usual readers agree on.
A check that the learner's program failed is a `<failure>`, a fault of grader's own an `<error>`
of the type `infrastructure`, so whoever counts errors counts runs to repeat.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from grader.model.report import CheckResult, Outcome, Report, TaskResult
from grader.report.context import Context
from grader.report.prose import NOT_YOURS, explanation, graded, summary_line, verdict
from grader.report.text import one_line

_FORBIDDEN = re.compile("[\ufffe\uffff]")
"""What XML 1.0 has no place for and `visible` leaves: it wrote controls and surrogates out."""
INFRASTRUCTURE = "infrastructure"


def to_junit(report: Report, context: Context) -> str:
    """The report as an XML document."""
    cases = list(_cases(report, context))
    if not graded(report) and not any(case.find("error") is not None for case in cases):
        cases.append(_fault(report))
    counts = {
        "tests": str(len(cases)),
        "failures": _count(cases, "failure"),
        "errors": _count(cases, "error"),
        "skipped": _count(cases, "skipped"),
        "time": f"{report.seconds:.3f}",
    }
    root = ET.Element("testsuites", {"name": "grader", **counts})
    suite = ET.SubElement(
        root,
        "testsuite",
        {
            "name": _attribute(report.exercise),
            **counts,
            "timestamp": context.finished.replace(tzinfo=None).isoformat(timespec="seconds"),
        },
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(report):
        ET.SubElement(properties, "property", {"name": name, "value": value})
    suite.extend(cases)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _properties(report: Report) -> Iterator[tuple[str, str]]:
    yield "status", report.status.value
    if graded(report):
        yield "score", f"{report.score:g}"
        yield "max_score", "100"
        yield "passing", str(report.passing)
    yield "exercise_version", str(report.exercise_version)
    yield "seed", str(report.seed)
    yield "engine", _attribute(report.engine)
    yield "submission", _attribute(report.submission)


def _cases(report: Report, context: Context) -> Iterator[ET.Element]:
    titles = [one_line(check.title) for check in report.checks()]
    for task in report.tasks:
        for check in task.checks:
            title = one_line(check.title)
            if titles.count(title) > 1:
                title += f" ({check.id})"
            case = ET.Element(
                "testcase",
                {
                    "classname": _attribute(f"{report.exercise}.{task.id}"),
                    "name": _attribute(title),
                    "time": f"{check.seconds:.3f}",
                },
            )
            _outcome(case, check, task, report, context)
            yield case


def _outcome(
    case: ET.Element, check: CheckResult, task: TaskResult, report: Report, context: Context
) -> None:
    message = _attribute(summary_line(check, report))
    match check.outcome:
        case Outcome.PASSED:
            return
        case Outcome.SKIPPED:
            ET.SubElement(case, "skipped", {"message": message})
            return
        case Outcome.ERROR:
            told = ET.SubElement(case, "error", {"message": message, "type": INFRASTRUCTURE})
        case _:
            kind = _attribute(check.reason or check.outcome.value)
            told = ET.SubElement(case, "failure", {"message": message, "type": kind})
    again = context.commands.repeat(check.id, report.seed)
    lines = [*explanation(check, report, task), f"again: {one_line(again, 2000)}"]
    told.text = _FORBIDDEN.sub("?", "\n".join(lines))


def _fault(report: Report) -> ET.Element:
    """The case of a run that ended before a check of its own could tell of the fault."""
    case = ET.Element("testcase", {"classname": "grader", "name": verdict(report), "time": "0"})
    message = _attribute(report.error or "grader or its servers failed")
    error = ET.SubElement(case, "error", {"message": message, "type": INFRASTRUCTURE})
    error.text = NOT_YOURS
    return case


def _count(cases: list[ET.Element], tag: str) -> str:
    return str(sum(case.find(tag) is not None for case in cases))


def _attribute(text: str) -> str:
    return _FORBIDDEN.sub("?", one_line(text, 500))
