"""The learner's folder: made by `start`, described by `.grader.json`, handed in as a snapshot."""

from grader.workspace.info import WorkspaceInfo, count_attempt, read
from grader.workspace.reset import Reset, reset
from grader.workspace.snapshot import (
    snapshot,
    snapshot_archive,
    snapshot_folder,
    snapshot_stream,
)
from grader.workspace.start import start
from grader.workspace.update import Update, update

__all__ = [
    "Reset",
    "Update",
    "WorkspaceInfo",
    "count_attempt",
    "read",
    "reset",
    "snapshot",
    "snapshot_archive",
    "snapshot_folder",
    "snapshot_stream",
    "start",
    "update",
]
