"""Hostile archives, made from their description in the corpus, and what reading them comes to."""

from __future__ import annotations

import io
import stat
import tarfile
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import IO, Literal

import yaml
from msgspec import Struct, convert

from grader.authoring.corpus import Attack
from grader.errors import SubmissionError
from grader.model.exercise import Exercise
from grader.model.submission import Submission
from grader.workspace.snapshot import snapshot_archive

CHUNK = bytes(1 << 20)


class Entry(Struct, forbid_unknown_fields=True):
    """One entry: plain `content`, so many `zeros`, a link, a device, or `count` empty files."""

    name: str
    content: str = ""
    zeros: int = 0
    link: str = ""
    hardlink: str = ""
    device: bool = False
    count: int = 0


class Described(Struct, forbid_unknown_fields=True):
    """What a file in archives/ holds; `{submitted}` is the name of a file that is asked for."""

    why: str
    form: Literal["tar", "zip"]
    entries: list[Entry]


def shortfalls(attack: Attack, exercise: Exercise, starter: Submission) -> list[str]:
    """What is wrong with how the archive is read: it must be refused, and nothing be unpacked."""
    submitted = starter.files[0].path
    described = convert(yaml.safe_load(attack.text.replace("{submitted}", submitted)), Described)
    named = {entry.name for entry in described.entries}
    honest = [
        Entry(name=file.path, content=file.content.decode("utf-8", "replace"))
        for file in starter.files
        if file.path not in named
    ]
    outside = Path(tempfile.gettempdir()) / "left-behind.py"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "inner" / f"handed-in.{described.form}"
        path.parent.mkdir()
        make = _tar if described.form == "tar" else _zip
        make(path, [*honest, *described.entries] if described.entries else [])
        before = outside.exists()
        found = []
        try:
            snapshot_archive(path, exercise.submit, exercise.limits)
            found.append("it was accepted")
        except SubmissionError:
            pass
        left = [one.name for one in Path(folder).rglob("*") if one.is_file() and one != path]
        if left or (outside.exists() and not before):
            found.append("a file was unpacked")
    return found


def _tar(path: Path, entries: list[Entry]) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for entry in entries:
            info = tarfile.TarInfo(entry.name)
            content: io.BufferedIOBase = io.BytesIO(entry.content.encode())
            info.size = len(entry.content.encode())
            if entry.link or entry.hardlink:
                info.type = tarfile.SYMTYPE if entry.link else tarfile.LNKTYPE
                info.linkname, info.size = entry.link or entry.hardlink, 0
            elif entry.device:
                info.type, info.devmajor, info.devminor = tarfile.CHRTYPE, 1, 5
            elif entry.zeros:
                info.size, content = entry.zeros, _Zeros(entry.zeros)
            tar.addfile(info, content)


def _zip(path: Path, entries: list[Entry]) -> None:
    if not entries:
        path.write_bytes(b"PK\3\4 this is no archive")
        return
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in entries:
            info = zipfile.ZipInfo(entry.name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if entry.link:
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
            for number in range(entry.count):
                archive.writestr(f"{entry.name}{number}", "")
            if not entry.count:
                with _quietly(archive, info) as file:
                    file.write((entry.link or entry.content).encode())
                    for _ in range(entry.zeros // len(CHUNK)):
                        file.write(CHUNK)


def _quietly(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    """An entry to write to; the module warns when a name is there twice, which is wanted here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return archive.open(info, "w", force_zip64=True)


class _Zeros(io.BufferedIOBase):
    """So many zero bytes, to be read."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int | None = -1) -> bytes:
        given = self._left if size is None or size < 0 else min(size, self._left)
        self._left -= given
        return bytes(given)
