"""`grader report-bug`: what is in the file, and above all what is not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from grader.cli.last import keep
from grader.cli.main import main
from grader.cli.report_bug import without_names
from grader.settings import Settings
from grader.workspace import info
from tests.unit.reports import FAILED, changed, stored

SECRET = "hunter2-is-secret"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "ann" / "work"
    folder.mkdir(parents=True)
    info.write(
        info.WorkspaceInfo(
            root=folder, slug="redis-caching", exercise=None, version=1, seed=1, attempts=0
        )
    )
    (folder / "catalog.py").write_text(f"PASSWORD = '{SECRET}'\n")
    monkeypatch.setenv("HOME", str(tmp_path / "ann"))
    monkeypatch.setenv("USER", "ann")
    monkeypatch.setenv("LOGNAME", "ann")
    monkeypatch.setenv("GRADER_DATA_DIR", str(tmp_path / "ann" / "data"))
    monkeypatch.setenv("GRADER_STATE_DIR", str(tmp_path / "ann" / "state"))
    monkeypatch.setenv("GRADER_REGISTRY", f"https://ann:{SECRET}@registry.example/grader")
    monkeypatch.setenv("HTTP_PROXY", f"http://ann:{SECRET}@proxy.example:3128")
    monkeypatch.setenv("GRADER_ENGINE", "local")
    monkeypatch.chdir(folder)
    return folder


def run(*arguments: str) -> object:
    with pytest.raises(SystemExit) as caught:
        main(["report-bug", *arguments])
    return caught.value.code


def test_it_tells_of_the_machine_and_the_outcomes_and_of_nothing_else(
    work: Path, tmp_path: Path
) -> None:
    printed = changed(
        stored(FAILED),
        lambda check: replace(check, log=SECRET, message=SECRET, got=SECRET, expected=SECRET),
    )
    keep(Settings(data_dir=tmp_path / "ann" / "data"), printed, work)
    assert run() == 0
    text = (work / "grader-bug.json").read_text()
    assert SECRET not in text
    assert "proxy.example" not in text
    assert str(tmp_path) not in text
    assert '"ann' not in text
    told = json.loads(text)
    assert (told["settings"]["engine"], told["settings"]["given"]) == ("local", ["registry"])
    assert told["settings"]["variables"].count("HTTP_PROXY") == 1
    assert {one["name"] for one in told["findings"]} >= {"state", "local", "sandbox"}
    assert told["packages"]["rich"]
    checks = {one["id"]: one["outcome"] for one in told["last_check"]["checks"]}
    assert "failed" in checks.values()


def test_outside_of_a_workspace_there_is_no_last_check(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("--output", "bug.json") == 0
    assert json.loads((tmp_path / "bug.json").read_text())["last_check"] is None


def test_a_file_that_is_there_stays(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (work / "grader-bug.json").write_text("mine")
    assert run() == 2
    assert (work / "grader-bug.json").read_text() == "mine"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "https://me:secret@host/a and postgresql://u:p@h/d",
            "https://***@host/a and postgresql://***@h/d",
        ),
        ("http://host:80/a@b", "http://host:80/a@b"),
        ("annual planning of ann", "annual planning of USER"),
    ],
)
def test_names_and_passwords_go(work: Path, text: str, expected: str) -> None:
    assert without_names(text) == expected
