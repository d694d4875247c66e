"""Saves in a folder are told, also where the kernel knows nothing of them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.workspace.changes import MOUNTS, changes, silent

LINE = "36 35 98:0 / {point} rw,noatime master:1 - {kind} source rw\n"


@contextmanager
def heard(folder: Path, mounts: Path = MOUNTS) -> Iterator[queue.Queue[bool]]:
    news: queue.Queue[bool] = queue.Queue()
    ended = threading.Event()

    def listen() -> None:
        for _ in changes(folder, ended, mounts=mounts):
            news.put(True)

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        for number in range(600):  # until it watches
            (folder / "begin").write_text(str(number))
            try:
                news.get(timeout=0.1)
                break
            except queue.Empty:
                continue
        yield news
    finally:
        ended.set()
        thread.join(10)
    assert not thread.is_alive()


def drained(news: queue.Queue[bool]) -> None:
    try:
        while news.get(timeout=0.6):
            pass
    except queue.Empty:
        pass


@pytest.mark.parametrize("kind", ["ext4", "nfs"])
def test_a_write_below_is_told(tmp_path: Path, kind: str) -> None:
    """By the kernel, or by looking again and again."""
    mounts = tmp_path / "mounts"
    mounts.write_text(LINE.format(point="/", kind=kind))
    folder = tmp_path / "work"
    (folder / "below").mkdir(parents=True)
    with heard(folder, mounts) as news:
        drained(news)
        (folder / "below" / "a.py").write_text("x = 1\n")
        assert news.get(timeout=10)


def test_what_grader_itself_writes_is_not_told(tmp_path: Path) -> None:
    with heard(tmp_path) as news:
        drained(news)
        (tmp_path / ".grader.json").write_text("{}")
        with pytest.raises(queue.Empty):
            news.get(timeout=1)


def test_a_folder_that_is_gone_cannot_be_watched(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be watched"):
        list(changes(tmp_path / "gone", threading.Event()))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("ext4", False), ("tmpfs", False), ("9p", True), ("nfs4", True), ("fuse.sshfs", True)],
)
def test_silent_file_systems(tmp_path: Path, kind: str, expected: bool) -> None:
    """The mount that the folder lies on decides, the deepest and the last one."""
    folder = tmp_path / "a b" / "work"
    folder.mkdir(parents=True)
    mounts = tmp_path / "mounts"
    point = str(tmp_path / "a b").replace(" ", "\\040")
    lines = [("/", "nfs"), (point, "nfs"), (point, kind), (f"{tmp_path}/a", "nfs")]
    mounts.write_text("".join(LINE.format(point=at, kind=of) for at, of in lines))
    assert silent(folder, mounts) is expected


def test_without_a_list_of_mounts_the_kernel_is_asked(tmp_path: Path) -> None:
    assert not silent(tmp_path, tmp_path / "none")
