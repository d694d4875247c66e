"""npm packages for the engine without images: installed once, and said what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader import shipped
from grader.engine import runners
from grader.engine.local import npm
from grader.engine.local.programs import MissingProgram, Program
from grader.engine.runners import Local, Runner
from grader.errors import InfrastructureError
from grader.settings import Settings

WORKS = """#!/bin/sh
cat package.json package-lock.json > seen
mkdir node_modules
mv seen node_modules/
echo "$@" >> "$0.calls"
"""
FAILS = """#!/bin/sh
echo 'npm error code ENOTFOUND' >&2
echo 'npm error network request failed' >&2
exit 1
"""


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    folder = tmp_path / "runner"
    folder.mkdir()
    (folder / "package.json").write_text("{}")
    (folder / "package-lock.json").write_text('{"packages": {}}')
    local = Local(programs=("node",), lock="package-lock.json")
    return Runner(name="it", folder=folder, kind="language", local=local)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path / "state")


def program(tmp_path: Path, npm_does: str) -> Program:
    """Node.js as it is distributed: npm lies beside it. Here it is a script, and node runs it."""
    made = tmp_path / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    made.parent.mkdir(parents=True)
    made.write_text(npm_does)
    (tmp_path / "bin").mkdir()
    node = tmp_path / "bin" / "node"
    node.write_text('#!/bin/sh\nexec sh "$@"\n')
    node.chmod(0o755)
    return Program(path=node)


def test_packages_are_installed_once_for_a_lock_file(
    tmp_path: Path, settings: Settings, runner: Runner
) -> None:
    node = program(tmp_path, WORKS)
    first = npm.install(settings, runner, node)
    assert first is not None
    assert (first / "seen").read_text() == '{}{"packages": {}}'
    assert npm.install(settings, runner, node) == first
    calls = (tmp_path / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js.calls").read_text()
    assert calls.splitlines() == ["ci --ignore-scripts --no-audit --no-fund"]
    (runner.folder / "package-lock.json").write_text('{"packages": {"a": {}}}')
    assert npm.install(settings, runner, node) not in (None, first)
    kept = sorted(path.name for path in (tmp_path / "state" / "npm").iterdir())
    assert len(kept) == 2, "what npm worked in is not left behind"


def test_what_npm_says_is_told(tmp_path: Path, settings: Settings, runner: Runner) -> None:
    with pytest.raises(InfrastructureError, match=r"ENOTFOUND .*network request failed") as caught:
        npm.install(settings, runner, program(tmp_path, FAILS))
    assert "npm config set registry" in caught.value.fix
    assert list((tmp_path / "state" / "npm").iterdir()) == []


def test_npm_is_only_needed_to_install(
    tmp_path: Path, settings: Settings, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is here already needs no npm; what is not names it as missing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    alone = Program(path=tmp_path / "node")
    with pytest.raises(MissingProgram) as caught:
        npm.require(settings, runner, alone)
    assert (caught.value.what, caught.value.exit_code) == ("npm", 3)
    there = npm.folder(settings, runner)
    assert there is not None
    there.mkdir(parents=True)
    npm.require(settings, runner, alone)
    assert npm.install(settings, runner, alone) == there


def test_a_runner_without_a_lock_file_needs_nothing(settings: Settings, tmp_path: Path) -> None:
    bare = Runner(name="it", folder=tmp_path, kind="language", local=Local())
    assert npm.install(settings, bare, None) is None
    npm.require(settings, bare, None)


def test_lock_files_name_no_host() -> None:
    """Whatever registry a machine uses, packages are known by version and digest alone."""
    for runner in runners.load(shipped.runners()).values():
        for lock in runner.folder.glob("package-lock.json"):
            text = lock.read_text()
            assert '"resolved"' not in text, lock
            assert '"integrity": "sha512-' in text, lock
