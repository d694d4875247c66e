"""The program that runs an author's procedure in a sandbox, and reading what it packed."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from grader.model.submission import SubmittedFile

TOOL = ".making/run.py"
MADE, VALUES = ".making/made.tar.gz", ".making/values.json"
WORK = "work"
PROGRAM = '''\
"""Runs generate() or a command in the folder `work`, and packs what is there afterwards."""
import json, os, random, runpy, stat, subprocess, sys, tarfile
from pathlib import Path

generate, seed, *command = sys.argv[1:]
here, work = Path.cwd(), Path("work")
work.mkdir(exist_ok=True)
if generate:
    made = runpy.run_path(generate)["generate"](work, random.Random(int(seed)))
    (here / ".making/values.json").write_text(json.dumps(made))
ended = subprocess.run(command, cwd=work).returncode if command else 0
with tarfile.open(here / ".making/made.tar.gz", "w:gz", compresslevel=1) as tar:
    for path in sorted(work.rglob("*")):
        entry = tarfile.TarInfo(path.relative_to(work).as_posix())
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            entry.mode, entry.size = mode & 0o777, path.lstat().st_size
            with path.open("rb") as content:
                tar.addfile(entry, content)
        elif stat.S_ISDIR(mode):
            entry.type = tarfile.DIRTYPE
            tar.addfile(entry)
        else:
            entry.type = tarfile.SYMTYPE if stat.S_ISLNK(mode) else tarfile.FIFOTYPE
            entry.linkname = os.readlink(path) if stat.S_ISLNK(mode) else ""
            tar.addfile(entry)
sys.exit(ended)
'''


class Unreadable(Exception):
    """What an author's program left is no workspace; completes "it made ..."."""


def unpacked(packed: bytes) -> Iterator[SubmittedFile]:
    """The files and empty folders that an author's program left. Raises Unreadable."""
    try:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(packed))) as tar:
            entries = [(entry, tar.extractfile(entry) if entry.isreg() else None) for entry in tar]
            read = [(entry, stream.read() if stream else b"") for entry, stream in entries]
    except (OSError, EOFError, zlib.error, tarfile.TarError):
        raise Unreadable("more than can be read") from None
    filled = {parent.as_posix() for entry, _ in read for parent in Path(entry.name).parents}
    for entry, content in read:
        if entry.isreg():
            runs = bool(entry.mode & 0o100)
            yield SubmittedFile(path=entry.name, content=content, executable=runs)
        elif not entry.isdir():
            raise Unreadable(f"'{entry.name}', which is neither a file nor a folder")
        elif entry.name not in filled:
            yield SubmittedFile(path=entry.name, folder=True)
