"""A submission from whatever the learner handed in: a folder or an archive."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from grader.errors import UsageError
from grader.model.exercise import Limits, SubmitRule
from grader.model.submission import Submission
from grader.workspace.collect import Collector
from grader.workspace.folders import present_names, read_folder


def snapshot(path: Path, rules: Sequence[SubmitRule], limits: Limits) -> Submission:
    """The submission in a folder or an archive.

    Raises UsageError when there is no such thing at `path`, SubmissionError when it cannot be
    graded as handed in.
    """
    try:
        kind = path.stat().st_mode
    except (OSError, ValueError):  # ValueError: a zero byte in the name
        kind = 0
    if stat.S_ISDIR(kind):
        return snapshot_folder(path, rules, limits)
    if not kind:
        raise UsageError(f"{path} does not exist", fix="name a folder or an archive")
    from grader.workspace.archives import SUFFIXES, is_archive  # a folder does without its imports

    if not is_archive(path):
        kinds = ", ".join(SUFFIXES)
        raise UsageError(f"{path} is neither a folder nor an archive", fix=f"archives: {kinds}")
    return snapshot_archive(path, rules, limits)


def snapshot_folder(folder: Path, rules: Sequence[SubmitRule], limits: Limits) -> Submission:
    """The files in `folder` that the rules name, read once and without following a link.

    Raises SubmissionError with every problem, UsageError when the folder cannot be read.
    """
    collector = Collector(rules, limits)
    read_folder(folder, collector)
    return collector.finish(folder.name or str(folder), lambda: present_names(folder))


def snapshot_archive(path: Path, rules: Sequence[SubmitRule], limits: Limits) -> Submission:
    """The files in a .zip, .tar, .tar.gz or .tgz that the rules name; nothing is unpacked to disk.

    Raises SubmissionError with every problem, UsageError when the file cannot be read.
    """
    from grader.workspace.archives import read_archive

    collector = Collector(rules, limits)
    names = read_archive(path, collector)
    return collector.finish(path.name, lambda: names)


def snapshot_stream(stream: BinaryIO, rules: Sequence[SubmitRule], limits: Limits) -> Submission:
    """The files in an archive that comes in on standard input: a zip, a tar or a gzipped tar.

    Raises SubmissionError with every problem, UsageError when the stream cannot be read.
    """
    from grader.workspace.archives import read_stream

    collector = Collector(rules, limits)
    names = read_stream(stream, collector)
    return collector.finish("the archive on standard input", lambda: names)
