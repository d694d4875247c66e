"""The file that images travel in: what it holds, whether it is of use here, never overwritten."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from grader.cli.live import transferred
from grader.engine.docker import archive
from grader.errors import ImageError, UsageError


def made(path: Path, files: Mapping[str, Any]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, value in files.items():
            content = value if isinstance(value, bytes) else json.dumps(value).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def image(*tags: str, config: str = "a.json") -> dict[str, Any]:
    return {"Config": config, "RepoTags": list(tags), "Layers": []}


def test_what_an_archive_holds(tmp_path: Path) -> None:
    """Tags and architectures, from the formats of Docker and Podman."""
    files = {
        "layer/layer.tar": b"\0" * 5000,
        "a.json": {"architecture": "amd64"},
        "blobs/sha256/b": {"architecture": "arm64"},
        "manifest.json": [
            image("grader-base:1"),
            image("localhost/grader-judge:2", "grader-judge:3", config="blobs/sha256/b"),
        ],
    }
    assert archive.contents(made(tmp_path / "all.tar", files)) == {
        "grader-base:1": "amd64",
        "grader-judge:2": "arm64",
        "grader-judge:3": "arm64",
    }


AMD = {"a.json": {"architecture": "amd64"}}


@pytest.mark.parametrize(
    "files",
    [
        {},
        AMD,
        {"manifest.json": b"{"},
        {"manifest.json": []},
        {"manifest.json": 5},
        {"manifest.json": [5]},
        {"manifest.json": [image("grader-base:1")]},
        {"manifest.json": [image("grader-base:1")], "a.json": {}},
        {**AMD, "manifest.json": [{"Config": "a.json", "RepoTags": None}]},
        {**AMD, "manifest.json": [image("grader-base:1", "debian:trixie-slim")]},
    ],
)
def test_other_archives_are_refused(tmp_path: Path, files: Mapping[str, Any]) -> None:
    """Also one that would replace images that are not grader's."""
    with pytest.raises(UsageError, match="no whole archive of grader's images") as caught:
        archive.contents(made(tmp_path / "x.tar", files))
    assert "grader images save" in caught.value.fix


@pytest.mark.parametrize("content", [b"", b"hello", b"\x1f\x8b\x08\x00", b"\0" * 512])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(UsageError, match="no whole archive"):
        archive.contents(tmp_path / "x.tar")


def test_half_an_archive_is_refused(tmp_path: Path) -> None:
    """The list of images is at the end, so a copy that was cut does not have it."""
    files = {"layer": b"\0" * 9000, **AMD, "manifest.json": [image("grader-base:1")]}
    whole = made(tmp_path / "x.tar", files)
    whole.write_bytes(whole.read_bytes()[:6000])
    with pytest.raises(UsageError, match="no whole archive"):
        archive.contents(whole)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "none.tar", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(UsageError, match=f"{path}: cannot be read: {why}") as caught:
            archive.contents(path)
        assert caught.value.fix


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    """Neither a file nor what a link points at; the fix names the file as a shell takes it."""
    archive.writable(tmp_path / "new.tar")
    (tmp_path / "my file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("my file", "link", "."):
        with pytest.raises(UsageError, match="exists already"):
            archive.writable(tmp_path / name)
    with pytest.raises(UsageError) as caught:
        archive.writable(tmp_path / "my file")
    assert caught.value.fix.endswith(f"rm '{tmp_path}/my file'")
    with pytest.raises(UsageError, match="its folder does not exist"):
        archive.writable(tmp_path / "no" / "x.tar")


WANTED = {"base": "grader-base:1", "judge": "grader-judge:1"}


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (["grader-base:1"], "; not in it: judge"),
        (["grader-base:1", "grader-judge:0"], "other settings: judge"),
        (["grader-base:0", "grader-redis:1"], "other settings: base; not in it: judge"),
        ([], "not in it: base, judge"),
        (["grader-base-x:1", "grader-judge:1"], "not in it: base"),
    ],
)
def test_what_an_archive_lacks_is_named(held: list[str], said: str) -> None:
    """Missing images and outdated ones are told apart; the exit code is 3."""
    with pytest.raises(ImageError) as caught:
        archive.compare(WANTED, held, Path("x.tar"))
    assert caught.value.message.endswith(said)
    assert caught.value.exit_code == 3
    assert "grader images save FILE" in caught.value.fix


def test_an_archive_may_hold_more(tmp_path: Path) -> None:
    archive.compare(WANTED, [*WANTED.values(), "grader-redis:0"], tmp_path)
    archive.compare({}, [], tmp_path)


def test_how_far_it_is() -> None:
    assert transferred(12_400_000, 0) == "12 MB"
    assert transferred(12_400_000, 290_000_000) == "12 MB of 290 MB"
