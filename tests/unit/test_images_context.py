"""What a build context holds, and what its digest depends on."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from grader import shipped
from grader.engine import runners
from grader.engine.docker.context import build_context, certificates, collect
from grader.errors import InfrastructureError, UsageError

PACKAGE = {
    "__init__.py": "",
    "errors.py": "not for images",
    "agent/__init__.py": "",
    "agent/main.py": "agent",
    "agent/__pycache__/main.cpython-311.pyc": "bytes",
    "judge/__init__.py": "",
    "judge/services/redis.py": "judge",
    "judge/notes.txt": "not Python",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def runner(folder: Path, kind: str) -> runners.Runner:
    write(folder, {"Dockerfile": "FROM x", "runner.yaml": f"kind: {kind}"})
    return runners.Runner(name=folder.name, folder=folder, kind=kind)


def members(context: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(context)) as archive:
        return {member.name: member for member in archive}


@pytest.mark.parametrize(
    ("kind", "injected"),
    [
        ("base", {"certs/.keep", "certs/own.crt"}),
        ("service", set()),
        ("language", {"agent/__init__.py", "agent/main.py"}),
        (
            "judge",
            {
                "grader/__init__.py",
                "grader/agent/__init__.py",
                "grader/agent/main.py",
                "grader/judge/__init__.py",
                "grader/judge/services/redis.py",
            },
        ),
    ],
)
def test_each_kind_gets_its_part_of_the_package(
    tmp_path: Path, kind: str, injected: set[str]
) -> None:
    package = write(tmp_path / "package", PACKAGE)

    files = collect(runner(tmp_path / "x", kind), package, {"own.crt": b"PEM"})

    assert set(files) == {"Dockerfile"} | injected


def test_the_same_files_give_the_same_archive_and_digest(tmp_path: Path) -> None:
    first = write(tmp_path / "a", {"b/c.txt": "1", "a.txt": "2"})
    second = write(tmp_path / "b", {"a.txt": "2", "b/c.txt": "1"})
    (second / "a.txt").chmod(0o600)

    contexts = [
        build_context(
            collect(runner(folder, "service"), tmp_path, {}), ["grader-base:1", "debian:x"]
        )
        for folder in (first, second)
    ]

    assert contexts[0] == contexts[1]
    assert len(contexts[0][1]) == 16


def test_the_archive_carries_nothing_of_this_machine() -> None:
    content, _ = build_context({"start": b"#!/bin/sh\n", "x.conf": b"x", "d/y": b""}, [])

    found = members(content)
    assert list(found) == sorted(found)
    assert {name: member.mode for name, member in found.items()} == {
        "start": 0o755,
        "x.conf": 0o644,
        "d/y": 0o644,
    }
    assert {(m.mtime, m.uid, m.gid, m.uname) for m in found.values()} == {(0, 0, 0, "")}


def test_the_digest_depends_on_content_name_and_base() -> None:
    digests = {
        build_context(files, base)[1]
        for files, base in [
            ({"a": b"1"}, ["b"]),
            ({"a": b"2"}, ["b"]),
            ({"c": b"1"}, ["b"]),
            ({"a": b"1"}, ["c"]),
            ({"a": b"1"}, ["b", "c"]),
            ({"a": b"1"}, ["bc"]),
        ]
    }
    assert len(digests) == 6


def test_how_the_engine_uses_an_image_does_not_change_its_tag(tmp_path: Path) -> None:
    one = runner(tmp_path / "one", "service")
    before = build_context(collect(one, tmp_path, {}), [])
    (one.folder / "runner.yaml").write_text("kind: service\nmemory: 1m\n")

    assert build_context(collect(one, tmp_path, {}), []) == before


def test_a_runner_without_a_dockerfile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="has no Dockerfile"):
        collect(runners.Runner(name="x", folder=tmp_path, kind="service"), tmp_path, {})


def test_certificates_come_from_the_bundle_that_is_set(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(b"PEM")
    (tmp_path / "local.crt").write_bytes(b"other")

    assert certificates(bundle, [tmp_path]) == {"grader-ca.crt": b"PEM"}


def test_certificates_come_from_this_machine_otherwise(tmp_path: Path) -> None:
    write(tmp_path, {"a.crt": "A", "b.pem": "B"})

    assert certificates(None, [tmp_path, tmp_path / "absent"]) == {"a.crt": b"A"}
    assert certificates(None, [tmp_path / "absent"]) == {}


def test_a_bundle_that_cannot_be_read_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no\.pem cannot be read: No such file"):
        certificates(tmp_path / "no.pem", [])


def test_every_shipped_dockerfile_finds_what_it_copies() -> None:
    for each in runners.load(shipped.runners()).values():
        files = collect(each, shipped.package(), {})
        for line in files["Dockerfile"].decode().splitlines():
            if line.startswith("COPY") and "--from=" not in line:
                for source in line.split()[1:-1]:
                    assert any(f == source or f.startswith(source) for f in files), line
