"""`grader logs`: looks back at the last check of this workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.cli.last import keep, last_report
from grader.cli.main import main
from grader.errors import UsageError
from grader.settings import Settings
from grader.workspace import info
from tests.unit.reports import FAILED, PASSED, stored


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    info.write(
        info.WorkspaceInfo(
            root=folder, slug="redis-caching", exercise=None, version=1, seed=1, attempts=0
        )
    )
    monkeypatch.setenv("GRADER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(folder)
    return folder


def logs(capsys: pytest.CaptureFixture[str]) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(["logs"])
    return caught.value.code, *capsys.readouterr()


def test_logs_are_those_of_the_last_check(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    code, _, err = logs(capsys)
    assert (code, err) == (2, "error: nothing was checked here yet\nfix: run: grader check\n")
    keep(settings, stored(FAILED), work)
    code, out, _ = logs(capsys)
    assert code == 0
    assert "✗ A second read of the same product is served from Redis.\n  loading p-17\n" in out
    keep(settings, stored(PASSED), work)
    assert "printed nothing" in logs(capsys)[1]


def test_a_report_comes_back_as_it_was(work: Path, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    keep(settings, stored(FAILED), work)
    assert last_report(settings, work) == stored(FAILED)
    with pytest.raises(UsageError):  # each workspace has its own
        last_report(settings, tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b'{"format": 99}', b"\xff"])
def test_a_damaged_report_is_none(work: Path, tmp_path: Path, content: bytes) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    keep(settings, stored(FAILED), work)
    (file,) = (tmp_path / "data" / "reports").iterdir()
    file.write_bytes(content)
    with pytest.raises(UsageError):
        last_report(settings, work)
