"""What the forms of a report tell besides the report itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from grader.model.report import CheckResult, Report
from grader.report.details import Commands
from grader.report.forms import Audience


@dataclass(frozen=True, kw_only=True)
class Context:
    """`finished` is when grading ended; `token` is random text that the learner could not guess."""

    commands: Commands
    finished: datetime
    token: str
    audience: Audience = Audience.LEARNER

    def at_home(self, check: CheckResult, report: Report) -> str:
        """How the learner repeats one check in the workspace."""
        return Commands().repeat(check.id, report.seed)
