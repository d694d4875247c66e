"""`grader roadmap --html` and `grader check --html`: what is in the files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.cli.main import main
from grader.model.report import Outcome, Status
from grader.progress.entries import Attempt, CheckOutcome
from grader.progress.record import Record


def run(*arguments: str) -> object:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    return caught.value.code


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


def tried(data: Path, score: float, *, partial: bool = False) -> None:
    status = Status.PASSED if score == 100 else Status.FAILED
    Record(data).add(
        Attempt(
            exercise="python-basics",
            version=1,
            seed=1,
            status=status,
            score=score,
            partial=partial,
            seconds=1,
            submission="0" * 64,
            checks=(CheckOutcome(id="a", task="t", outcome=Outcome.PASSED, points=1, earned=1),),
        )
    )


def test_the_map_shows_states_and_tries(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whole tries only, in the order in which they were made."""
    for score in (30.0, 62.5):
        tried(data, score)
    tried(data, 100, partial=True)
    assert run("roadmap", "--html", "map.html") == 0
    assert capsys.readouterr().out == "Written: map.html\n"
    page = Path("map.html").read_text(encoding="utf-8")
    assert "started, best 62.5 of 100" in page
    assert "tries: 30, 62.5<" in page
    tried(data, 100)
    run("roadmap", "--html", "map.html")
    page = Path("map.html").read_text(encoding="utf-8")
    assert "tries: 30, 62.5, 100<" in page
    assert re.search(r"1 of \d+ exercises? passed", page)


def test_open_shows_it(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[str] = []

    def no_browser(url: str) -> bool:
        shown.append(url)
        return False

    monkeypatch.setattr("webbrowser.open", no_browser)
    assert run("roadmap", "--open") == 0
    assert shown == [Path("roadmap.html").resolve().as_uri()]
    assert "No browser was found" in capsys.readouterr().out


def test_a_folder_is_no_file(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("maps").mkdir()
    assert run("roadmap", "--html", "maps") == 2
    assert "maps is a folder" in capsys.readouterr().err
