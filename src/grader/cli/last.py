"""The report of the last check of each workspace, kept for the commands that look back."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from grader.cli import output
from grader.errors import RecordError, UsageError

if TYPE_CHECKING:
    from grader.model.report import Report
    from grader.settings import Settings

LARGEST = 64 * 1024 * 1024
"""Bytes of a report that is read back."""


def _file(settings: Settings, root: Path) -> Path:
    name = hashlib.sha256(str(root.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:24]
    return settings.data_dir / "reports" / f"{name}.json"


def keep(settings: Settings, report: Report, root: Path) -> None:
    """Remember the report of a workspace instead of the one before. Raises RecordError."""
    from grader.report.jsonform import to_json

    file = _file(settings, root)
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        output.write_file(file, to_json(report))
    except OSError as error:
        raise RecordError(f"{file.parent}: cannot be written: {error.strerror}") from None
    except UsageError as error:
        raise RecordError(error.message) from None


def last_report(settings: Settings, root: Path) -> Report:
    """What the last check found. Raises UsageError when there is none that can be read."""
    import msgspec

    from grader.model.report import REPORT_FORMAT, Report

    file = _file(settings, root)
    try:
        with file.open("rb") as source:
            report = msgspec.json.decode(source.read(LARGEST), type=Report)
    except (OSError, ValueError, RecursionError):  # msgspec's errors are ValueErrors
        report = None
    if report is None or report.format != REPORT_FORMAT:
        raise UsageError("nothing was checked here yet", fix="run: grader check")
    return report
