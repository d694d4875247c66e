"""`grader batch` as its operator meets it: killed, interrupted, misused; with the fake engine."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from grader.batch.store import Store
from tests.unit.test_batch_run import hand_in

DRIVER = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from tests.unit.test_batch_run import CHECKS, Forgetful
from tests.unit.samples import exercise
from grader.batch.handed import discover
from grader.batch.run import Batch, BatchOptions
from grader.batch.store import Store
root = Path(sys.argv[1])
made = exercise(root / "driver" / sys.argv[2], *CHECKS)
store = Store(str(root / "results.db"))
batch = Batch(made, lambda: Forgetful(checks=CHECKS), store, BatchOptions(jobs=3))
print("ready", flush=True)
batch.run(discover(root / "class").submissions, lambda news: print(news, flush=True))
print("done", flush=True)
"""


def test_killed_at_any_moment(tmp_path: Path) -> None:
    """kill -9 twenty times: in the end each submission has one result, and the file is sound."""
    names = [f"learner{n}" for n in range(150)]
    hand_in(tmp_path, *names)
    here = str(Path(__file__).parents[2])
    done = False
    for attempt in range(200):
        (tmp_path / "driver" / str(attempt)).mkdir(parents=True)
        with subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(tmp_path), str(attempt), here],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            lines = 0
            for line in process.stdout:
                lines += line.startswith("Ended") and "known=False" in line
                done = line == "done\n"
                # After another number of results each time, so in other places of the work.
                if attempt < 20 and lines > attempt % 4 and not done:
                    os.kill(process.pid, signal.SIGKILL)
                    break
        if done:
            break
    assert done
    assert attempt >= 20
    results = Counter(row.learner for row in Store(str(tmp_path / "results.db")).results())
    assert results == Counter(names)
    with sqlite3.connect(tmp_path / "results.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def grader(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "grader", "--engine", "fake", *arguments],
        cwd=folder,
        env={**kept, "HOME": str(folder), "COLUMNS": "80", "PYTHONUTF8": "1", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


@pytest.fixture
def school(tmp_path: Path) -> Path:
    """Three learners' work on python-basics, one of it incomplete."""
    for name in ("ann", "bob", "cyd"):
        folder = tmp_path / "class" / name
        folder.mkdir(parents=True)
        (folder / "orders.py").write_text(f"# {name}\n")
    (tmp_path / "class" / "bob" / "orders.py").unlink()
    (tmp_path / "class" / "readme.txt").touch()
    return tmp_path


def test_a_class(school: Path) -> None:
    """What has no verdict is listed apart, by whose fault it is; the next batch tries it again.

    The fake engine's judge knows no check of a real exercise, so nothing can be graded.
    """
    for _ in range(2):
        done = grader(school, "batch", "class", "--exercise", "python-basics")
        assert done.returncode == 3, done.stderr
        assert "3 submissions in class" in done.stderr
        assert "left out: readme.txt" in done.stderr
        assert "1 submission cannot be graded as handed in:\n  bob: orders.py:" in done.stdout
        assert "2 submissions not graded, because something of ours failed:\n" in done.stdout
        assert "ann: no check ran" in done.stdout
        assert "0 passed, 0 did not pass, 1 cannot be graded, 2 not graded" in done.stdout
        assert done.stdout.endswith("Results: results.db\n")


def test_as_json(school: Path) -> None:
    """One object a line, and nothing else."""
    done = grader(
        school, "batch", "class", "--exercise", "python-basics", "--json", "--results", "x.db"
    )
    rows = {row["learner"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert done.stderr == ""
    assert rows["bob"]["status"] == "refused"
    assert rows["bob"]["score"] is None
    assert set(rows) == {"ann", "bob", "cyd"}
    assert (school / "x.db").is_file()


def test_a_dry_run(school: Path) -> None:
    """Nothing runs and nothing is written but an empty database."""
    done = grader(school, "batch", "class", "--exercise", "python-basics", "--dry-run")
    assert "3 submissions without a result: would be graded" in done.stdout
    assert list(Store(str(school / "results.db")).results()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere", "--exercise", "python-basics"), "nowhere does not exist"),
        (("class", "--exercise", "nonsense"), "nonsense"),
        (("class", "--exercise", "python-basics", "--results", "no/x.db"), "no folder"),
        (("class", "--exercise", "python-basics", "--results", "a://b"), "--results a://b"),
    ],
)
def test_wrong_usage(school: Path, arguments: tuple[str, ...], said: str) -> None:
    """A sentence, a mend and exit code 2."""
    done = grader(school, "batch", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "fix: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_gradebook(school: Path) -> None:
    """A table, CSV and pages from the same results; what was not graded has no grade."""
    grader(school, "batch", "class", "--exercise", "python-basics")
    shown = grader(school, "gradebook", "results.db")
    assert shown.returncode == 0, shown.stderr
    assert "python-basics  3 handed in, 0 passed, 2 not graded yet, mean 0" in shown.stdout
    rows = {line.split()[0]: line.split()[1:] for line in shown.stdout.splitlines()[-3:]}
    assert rows == {"ann": ["?", "?"], "bob": ["0", "0"], "cyd": ["?", "?"]}
    done = grader(school, "gradebook", "results.db", "--html", "pages", "--csv", "plain")
    assert done.stdout.splitlines()[1:] == ["ann,,,0,1,", "bob,,0,0,1,0", "cyd,,,0,1,"]
    assert "begin with pages/index.html" in done.stderr
    assert (school / "pages" / "index.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("gone.db",), "gone.db does not exist"),
        (("results.db",), "holds no result"),
        (("results.db", "--csv", "excel"), "there is no kind 'excel'"),
        (("results.db", "--course", "gone.yaml"), "gone.yaml"),
        (("class/ann/orders.py",), "not a database"),
    ],
)
def test_no_gradebook(school: Path, arguments: tuple[str, ...], said: str) -> None:
    """A sentence, a mend, and no file that was not there."""
    Store(str(school / "results.db")).close()
    done = grader(school, "gradebook", *arguments)
    assert done.returncode in (2, 3)
    assert said in done.stderr
    assert "fix: " in done.stderr
    assert not (school / "gone.db").exists()
