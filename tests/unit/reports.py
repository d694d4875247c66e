"""Reports that the tests of every form start from, and text that a hostile learner would print."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from grader.model.report import CheckResult, Outcome, Report, Status
from grader.report.context import Context
from grader.report.details import Commands
from grader.report.forms import Audience, Form, render

FOLDER = Path(__file__).parent.parent / "data" / "reports"
SCHEMAS = FOLDER.parent / "schemas"
FAILED = "three-failures-in-full-others-one-line"
PASSED = "passed-names-the-next-step"
ERROR = "infrastructure-error-is-no-zero"
STORED = (FAILED, PASSED, ERROR)
TOKEN = "0123456789abcdef0123456789abcdef"
CONTEXT = Context(
    commands=Commands(again="grader grade work --exercise redis-caching", only=False),
    finished=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
    token=TOKEN,
)
HOSTILE = {
    "markup": '<script>alert(1)</script><img src=x onerror="alert(1)"> &amp; <!-- ',
    "cdata": "]]>]]&gt;<![CDATA[ <?xml ?> <!ENTITY x 'y'>",
    "commands": "::error::owned\n::set-output name=score::100\r\n::add-mask::0\n##[error]x",
    "token": f"\n::{TOKEN[:-1]}::\n::stop-commands::mine\n",
    "controls": "\x00\x07\x08\x0b\x1b[2J\x1b]0;owned\x07\x7f\x85\x9b31m",
    "invisible": "\u202egnp.exe\u2028\u2029\u2066\ufffe\uffff\ufeff",
    "surrogates": "\ud800 and \udfff, \udc9b",
    "long": "x" * 50_000,
    "many": "y\n" * 5_000,
    "markdown": "`````\n# big\n[x](javascript:alert(1)) ![i](http://e/x) |a|b| **b** @all ~~s~~ \\",
    "formula": '=cmd|" /C calc"!A0',
    "template": "{{ 7 * 7 }} {% raw %} ${7*7} %s %0A %",
}


def stored(name: str) -> Report:
    return msgspec.json.decode((FOLDER / f"{name}.json").read_bytes(), type=Report)


def text_of(form: Form, report: Report, audience: Audience = Audience.LEARNER) -> str:
    """The form as a reader gets it: from bytes that must be UTF-8."""
    return render(form, report, replace(CONTEXT, audience=audience)).decode("utf-8")


def changed(report: Report, change: Callable[[CheckResult], CheckResult]) -> Report:
    """The report with each check put through `change`."""
    return replace(
        report,
        tasks=tuple(
            replace(task, checks=tuple(change(check) for check in task.checks))
            for task in report.tasks
        ),
    )


def poisoned(text: str, status: Status = Status.FAILED) -> Report:
    """A report in which every text that can come from a learner's program is this one."""
    report = stored(ERROR if status is Status.ERROR else FAILED)

    def poison(check: CheckResult) -> CheckResult:
        return replace(
            check,
            title=text,
            reason=check.reason if check.outcome is Outcome.SKIPPED else text,
            message=text,
            expected=text,
            got=text,
            diff=None if check.id == "test_second_read" else text,
            given=((text, text),),
            log=text,
            hint=text,
        )

    return replace(changed(report, poison), exercise_title=text, error=text and report.error + text)
