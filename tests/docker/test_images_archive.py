"""Images saved to a file and loaded from it, by the command line and a real engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docker
import docker.errors
import pytest

from grader.engine.docker import archive
from grader.engine.docker.connect import connect
from grader.engine.docker.images import Images
from grader.errors import GraderError
from grader.model.progress import Progress, Transferred
from grader.settings import Settings

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("docker_engine")]
OTHER_BASE = "grader-test:archive"
"""Images on another base have other tags: names that no other process looks at."""


@pytest.fixture
def client(settings: Settings) -> Iterator[docker.DockerClient]:
    made = connect(settings)
    yield made
    made.close()


@pytest.fixture
def renamed(client: docker.DockerClient, settings: Settings) -> Iterator[Images]:
    """Every image once more, under tags of this test's own."""
    real, ours = Images(client, settings), Images(client, replace(settings, base_image=OTHER_BASE))
    for name in real.runners:
        repository, _, digest = ours.tag(name).partition(":")
        client.api.tag(real.tag(name), repository, digest)
    yield ours
    forget(client, ours)


def forget(client: docker.DockerClient, images: Images) -> None:
    """Remove the names; the images stay, for their other names."""
    for name in images.runners:
        try:
            client.api.remove_image(images.tag(name))
        except docker.errors.ImageNotFound:
            continue


def grader(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GRADER_")}
    env |= {"GRADER_BASE_IMAGE": OTHER_BASE, "GRADER_STATE_DIR": str(cwd / "state")}
    return subprocess.Popen(
        [sys.executable, "-m", "grader", "images", *arguments],
        cwd=cwd,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_all_images_there_and_back(
    client: docker.DockerClient, renamed: Images, tmp_path: Path
) -> None:
    """Saved, gone, loaded: then they are those that this installation wants."""
    saving = grader("save", "all.tar", cwd=tmp_path)
    out, err = saving.communicate(timeout=300)
    assert saving.returncode == 0, err
    assert out.startswith(f"{len(renamed.runners)} images in all.tar, ")
    assert [path.name for path in tmp_path.glob("all*")] == ["all.tar"]
    forget(client, renamed)
    assert not any(image.present for image in renamed.list())
    loading = grader("load", "all.tar", cwd=tmp_path)
    out, err = loading.communicate(timeout=300)
    assert (loading.returncode, out) == (0, f"{len(renamed.runners)} images loaded.\n"), err
    assert all(image.present for image in renamed.list())
    again = grader("load", "all.tar", cwd=tmp_path)
    assert again.communicate(timeout=60)[0] == f"{len(renamed.runners)} images here already.\n"


def test_a_file_for_another_installation(
    client: docker.DockerClient, renamed: Images, tmp_path: Path
) -> None:
    """Nothing is loaded, and the screen says which images are of no use here."""
    forget(client, renamed)
    tags = {"judge": tiny(client, "grader-judge:archive-test")}
    try:
        archive.save(client, list(tags.values()), tmp_path / "old.tar", lambda _: None)
    finally:
        for tag in tags.values():
            client.api.remove_image(tag)
    process = grader("load", "old.tar", cwd=tmp_path)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (3, "")
    rest = ", ".join(sorted(set(renamed.runners) - {"judge"}))
    assert f"with other settings: judge; not in it: {rest}" in err
    assert "fix: save them with this version of grader" in err
    with pytest.raises(docker.errors.ImageNotFound):
        client.images.get(tags["judge"])


def tiny(client: docker.DockerClient, tag: str) -> str:
    """An image of one empty folder."""
    name, _, version = tag.partition(":")
    client.api.import_image_from_data(b"\0" * 10240, repository=name, tag=version)
    return tag


def test_bytes_are_told_while_they_flow(client: docker.DockerClient, tmp_path: Path) -> None:
    """Up to the size of the file, on the way out and on the way in."""
    tag = tiny(client, "grader-tiny:archive-test")
    told: list[Progress] = []
    try:
        written = archive.save(client, [tag], tmp_path / "tiny.tar", told.append)
        client.api.remove_image(tag)
        archive.load(client, tmp_path / "tiny.tar", told.append)
        assert (
            client.images.get(tag).attrs["Architecture"]
            == archive.contents(tmp_path / "tiny.tar")[tag]
        )
    finally:
        client.api.remove_image(tag)
    assert (tmp_path / "tiny.tar").stat().st_size == written
    flowed = [event for event in told if isinstance(event, Transferred)]
    assert flowed[-1] == Transferred(written, written)
    assert Transferred(written) in flowed


def test_an_image_that_is_not_there(client: docker.DockerClient, tmp_path: Path) -> None:
    """The engine's fault is told as one, and no file is left."""
    with pytest.raises(GraderError, match="while saving the images: "):
        archive.save(client, ["grader-tiny:no-such"], tmp_path / "x.tar", lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_an_archive_that_the_engine_refuses(client: docker.DockerClient, tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"nothing of the kind" * 1000)
    with pytest.raises(
        GraderError, match=r"x\.tar cannot be loaded: .*tar|while loading .*x\.tar: "
    ):
        archive.load(client, tmp_path / "x.tar", lambda _: None)


def test_interrupted(renamed: Images, tmp_path: Path) -> None:
    """Ctrl-C removes the unfinished file."""
    saving = grader("save", "all.tar", cwd=tmp_path)
    while saving.poll() is None and not list(tmp_path.glob("all.tar.*.part")):
        pass
    saving.send_signal(signal.SIGINT)
    _, err = saving.communicate(timeout=60)
    assert saving.returncode == 130, err
    assert list(tmp_path.glob("all*")) == []
