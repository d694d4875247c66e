"""The learner's record as its owner meets it: real processes, without an engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader import shipped
from grader.catalog import slugs
from grader.cli.main import main
from grader.model.exercise import Exercise
from grader.model.report import Outcome, Status
from grader.progress.entries import Attempt, CheckOutcome, GaveUp, Hint, Started
from grader.progress.record import Record

Grader = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def record(data: Path) -> Record:
    return Record(data)


@pytest.fixture
def grader(tmp_path: Path, data: Path) -> Grader:
    """Runs grader in an empty folder, with an empty record."""

    def run(
        *arguments: str, cwd: Path = tmp_path, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        own = {"HOME": str(tmp_path), "COLUMNS": "80", "PYTHONUTF8": "1"}
        return subprocess.run(
            [sys.executable, "-m", "grader", *arguments],
            cwd=cwd,
            env={**kept, **own, "GRADER_DATA_DIR": str(data), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )

    return run


def test_a_start_is_recorded_with_its_folder(
    grader: Grader, record: Record, tmp_path: Path
) -> None:
    done = grader("start", "python-basics", "mine")
    assert (done.returncode, done.stderr) == (0, "")
    (begun,) = record.entries()
    assert isinstance(begun, Started)
    assert begun.exercise == "python-basics"
    assert record.workspaces() == {"python-basics": tmp_path.resolve() / "mine"}


def test_a_record_that_cannot_be_written_keeps_nothing_from_starting(
    grader: Grader, data: Path
) -> None:
    data.touch()
    done = grader("start", "python-basics")
    assert done.returncode == 0
    assert done.stderr.startswith("warning: this start was not recorded: ")
    assert done.stderr.count("\n") == 1
    assert "Made in python-basics" in done.stdout


def tried(
    record: Record, *, score: float | None, exercise: str = "python-basics", **checks: str
) -> None:
    """An attempt in which these checks of the task after their name ended so."""
    passed = score == 100
    record.add(
        Attempt(
            exercise=exercise,
            version=1,
            seed=7,
            status=Status.ERROR if score is None else Status.PASSED if passed else Status.FAILED,
            score=score,
            partial=False,
            seconds=1.0,
            submission="",
            checks=tuple(
                CheckOutcome(
                    id=f"test_{number}",
                    task=task.replace("_", "-"),
                    outcome=Outcome(outcome),
                    points=1,
                    earned=float(outcome == "passed"),
                )
                for number, (task, outcome) in enumerate(checks.items())
            ),
        )
    )


@pytest.fixture
def work(grader: Grader, tmp_path: Path) -> Path:
    assert grader("start", "python-basics").returncode == 0
    return tmp_path / "python-basics"


def test_hints_of_what_failed_last_come_one_by_one(
    grader: Grader, record: Record, work: Path
) -> None:
    """The first task that did not pass, one step more each time, each step recorded once."""
    tried(record, score=50, read_one_line="passed", total_per_customer="failed")
    first = grader("hint", cwd=work)
    assert (first.returncode, first.stderr) == (0, "")
    lines = [line.rstrip() for line in first.stdout.splitlines()]
    assert lines[:2] == ["Total per customer", "task 2 of 4 · hint 1 of 3"]
    assert "Three habits of Python" in first.stdout
    assert "Keep every amount a `Decimal`" not in first.stdout
    assert lines[-1] == "One more: grader hint"
    second = grader("hint", cwd=work).stdout
    assert "Three habits of Python" in second
    assert "Keep every amount a `Decimal`" in second
    end = "The solution: grader solution --give-up\n"
    assert grader("hint", cwd=work).stdout.endswith(f"That was the last one. {end}")
    assert grader("hint", cwd=work).stdout.endswith(f"There are no more. {end}")
    taken = [(one.task, one.step) for one in record.entries() if isinstance(one, Hint)]
    assert taken == [("total-per-customer", step) for step in (1, 2, 3)]


@pytest.mark.parametrize("name", ["a-million-lines", "4"])
def test_a_named_task_has_its_own_ladder(
    grader: Grader, record: Record, work: Path, name: str
) -> None:
    """Also after passing."""
    tried(record, score=100, a_million_lines="passed")
    shown = grader("hint", name, cwd=work).stdout
    assert shown.startswith("A million lines")
    assert "One more: grader hint a-million-lines\n" in shown


@pytest.mark.parametrize("outcome", ["passed", ""])
def test_without_a_failure_the_tasks_are_listed(
    grader: Grader, record: Record, work: Path, outcome: str
) -> None:
    record.add(Hint(exercise="python-basics", version=1, task="read-one-line", step=2))
    if outcome:
        tried(record, score=100, read_one_line=outcome)
    done = grader("hint", cwd=work)
    assert done.returncode == 0
    assert ("Nothing failed when" if outcome else "Nothing was checked yet") in done.stdout
    assert re.search(r"1 +Read one line +read-one-line +2 of 3\n", done.stdout)
    assert len([one for one in record.entries() if isinstance(one, Hint)]) == 1


def test_a_later_version_has_hints_of_its_own(grader: Grader, record: Record, work: Path) -> None:
    record.add(Hint(exercise="python-basics", version=0, task="read-one-line", step=3))
    assert "hint 1 of 3" in grader("hint", "1", cwd=work).stdout


def test_nobody_is_left_without_hints(grader: Grader, data: Path, work: Path) -> None:
    """A record that cannot be used shows all, because nobody knows which came last."""
    (data / "record.db").write_text("scrawl" * 100)
    done = grader("hint", "read-one-line", cwd=work)
    assert done.returncode == 0
    assert "hint 3 of 3" in done.stdout
    assert done.stderr.startswith("warning: your record cannot be read, so all hints are shown")


def test_an_unknown_task_is_wrong_usage(grader: Grader, work: Path) -> None:
    done = grader("hint", "read-one-lien", cwd=work)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == "fix: did you mean 'read-one-line'?"
    done = grader("hint", "99", cwd=work)
    assert done.stderr.splitlines()[-1].startswith("fix: its tasks: read-one-line, total-")


def test_hint_outside_a_workspace(grader: Grader) -> None:
    done = grader("hint")
    assert (done.returncode, done.stdout) == (2, "")
    assert "grader start" in done.stderr


def test_next_leads_from_nothing_to_the_end(grader: Grader, record: Record, tmp_path: Path) -> None:
    """Each time the exact commands."""
    new = grader("next")
    assert (new.returncode, new.stderr) == (0, "")
    assert new.stdout.startswith("Next: Totals from messy order lines\n")
    assert new.stdout.endswith("\n  grader start python-basics\n")
    grader("start", "python-basics", "my work")
    work = tmp_path / "my work"
    begun = grader("next").stdout
    assert begun.startswith("Go on with: Totals")
    assert begun.endswith(f"\n  cd '{work.resolve()}'\n  grader check\n")
    assert grader("next", cwd=work).stdout.endswith("\n\n  grader check\n")
    tried(record, score=40)
    assert "python-basics · best 40 of 100 · 1 try\n" in grader("next").stdout
    tried(record, score=100)
    assert "grader start python-basics" not in grader("next").stdout
    assert grader("next").stdout.startswith("Next: ")
    for slug in slugs(shipped.exercises()):
        tried(record, score=100, exercise=slug)
    assert grader("next").stdout == "You have passed every exercise there is.\n"


def test_next_makes_again_what_was_removed(grader: Grader, work: Path) -> None:
    shutil.rmtree(work)
    assert grader("next").stdout.endswith("\n  grader start python-basics\n")


def test_the_roadmap_is_marked(grader: Grader, record: Record) -> None:
    fresh = grader("roadmap").stdout
    assert re.search(r"→ python-basics  Totals", fresh)
    assert "Start with:       grader start python-basics\n" in fresh
    tried(record, score=100)
    tried(record, score=30, exercise="redis-caching")
    shown = grader("roadmap").stdout
    assert re.search(r"✓ python-basics  Totals", shown)
    assert re.search(r"◐ redis-caching  Cache", shown)
    assert "Marks:            ✓ passed  ◐ started\n" in shown
    assert "Go on:            grader next\n" in shown
    assert max(map(len, shown.splitlines())) <= 80
    states = {
        exercise["slug"]: exercise["state"]
        for stage in json.loads(grader("roadmap", "--json").stdout)["stages"]
        for topic in stage["topics"]
        for exercise in topic["exercises"]
    }
    assert (states["python-basics"], states["redis-caching"]) == ("passed", "started")


def test_the_roadmap_without_unicode(grader: Grader, record: Record) -> None:
    tried(record, score=100)
    shown = grader("roadmap", PYTHONIOENCODING="ascii", PYTHONUTF8="0").stdout
    assert "+ python-basics" in shown
    assert "Marks:            + passed  > next\n" in shown


def test_the_roadmap_says_that_a_passed_exercise_has_changed(
    grader: Grader, record: Record, tmp_path: Path
) -> None:
    catalog = tmp_path / "catalog"
    shutil.copytree(shipped.exercises() / "python-basics", catalog / "python-basics")
    shutil.copy(shipped.exercises() / "roadmap.yaml", catalog)
    contract = catalog / "python-basics" / "exercise.yaml"
    contract.write_text(contract.read_text().replace("version: 1\n", "version: 3\n"))
    tried(record, score=100)
    shown = grader("--exercises", str(catalog), "roadmap", COLUMNS="120").stdout
    assert "passed as version 1, now 3" in shown


def test_a_damaged_record_leaves_the_roadmap(grader: Grader, data: Path) -> None:
    data.mkdir()
    (data / "record.db").write_text("scrawl" * 100)
    done = grader("roadmap")
    assert done.returncode == 0
    assert "python-basics" in done.stdout
    assert done.stderr.startswith("warning: nothing is marked: ")
    assert done.stderr.count("\n") == 1


def test_bare_grader_is_the_map_and_the_way_on(
    grader: Grader, record: Record, tmp_path: Path
) -> None:
    """On one screen: each stage with a mark for each exercise, then what to type."""
    new = grader()
    assert (new.returncode, new.stderr) == (0, "")
    lines = [line.rstrip() for line in new.stdout.splitlines()]
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert re.match(r"1 Programming Foundations +→ ○", lines[2])
    assert "Marks:" not in new.stdout
    assert "  grader start python-basics" in lines
    tried(record, score=100)
    record.add(Started(exercise="redis-caching", version=1), folder=tmp_path / "gone")
    known = grader().stdout
    assert re.search(r"\n1 Programming Foundations +✓ ○ .*1 of \d\n", known)
    assert re.search(r"\n6 Advanced Backend Concepts +.*◐", known)
    assert "Marks:            ✓ passed  ◐ started\n" in known
    assert "\nGo on with: Cache a slow product catalogue\n" in known
    assert "\n  grader start redis-caching\n" in known  # its folder is gone


def test_bare_grader_with_a_damaged_record_is_a_map_without_marks(
    grader: Grader, data: Path
) -> None:
    data.mkdir()
    (data / "record.db").write_text("scrawl" * 100)
    done = grader()
    assert done.returncode == 0
    assert "grader start python-basics" in done.stdout
    assert done.stderr.startswith("warning: nothing is marked: ")


def test_help_loads_no_library(data: Path, record: Record) -> None:
    """It is on the screen at once, with a record and without."""
    code = (
        "import sys, contextlib\n"
        "from grader.cli.main import main\n"
        "with contextlib.suppress(SystemExit): main(['--help'])\n"
        "print(sorted({'typer', 'rich', 'msgspec', 'yaml', 'sqlite3'} & set(sys.modules)))"
    )
    record.add(Started(exercise="python-basics", version=1))
    env = {**os.environ, "GRADER_DATA_DIR": str(data)}
    shown = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert shown.stdout.splitlines()[-1] == "[]"


def test_status(grader: Grader, record: Record) -> None:
    assert grader("status").stdout == "Nothing is recorded yet. Begin with: grader next\n"
    tried(record, score=30, exercise="redis-caching")
    tried(record, score=40)
    tried(record, score=100)
    record.add(Hint(exercise="python-basics", version=1, task="read-one-line", step=1))
    shown = grader("status")
    assert (shown.returncode, shown.stderr) == (0, "")
    lines = [line.rstrip() for line in shown.stdout.splitlines()]
    assert re.fullmatch(r"   exercise +best +tries +hints +last", lines[0])
    assert re.fullmatch(r"✓  python-basics +100 +2 +1  \d{4}-\d\d-\d\d \d\d:\d\d", lines[1])
    assert re.fullmatch(r"◐  redis-caching +30 +1 +0  \d{4}-\d\d-\d\d \d\d:\d\d", lines[2])
    assert max(map(len, lines)) <= 80
    said = json.loads(grader("status", "--json").stdout)
    assert said["format"] == 1
    first = said["exercises"][0]
    assert list(first) == [
        *("exercise", "state", "best", "tries", "hints", "gave_up", "passed_version", "last")
    ]
    assert (first["exercise"], first["best"], first["passed_version"]) == ("python-basics", 100, 1)
    assert json.loads(grader("status", "--json", GRADER_DATA_DIR="none").stdout) == {
        "format": 1,
        "exercises": [],
    }


def test_status_with_a_damaged_record(grader: Grader, data: Path) -> None:
    data.mkdir()
    (data / "record.db").write_text("scrawl" * 100)
    done = grader("status")
    assert (done.returncode, done.stdout) == (3, "")
    assert "is damaged" in done.stderr
    assert "fix: put it aside: mv " in done.stderr
    assert "Traceback" not in done.stderr


def test_history(grader: Grader, record: Record) -> None:
    record.add(Started(exercise="python-basics", version=1))
    tried(record, score=57.14, read_one_line="passed", total_per_customer="failed")
    record.add(Hint(exercise="python-basics", version=1, task="total-per-customer", step=1))
    tried(record, score=None)
    tried(record, score=100, read_one_line="passed", total_per_customer="passed")
    shown = grader("history", "python-basics")
    assert (shown.returncode, shown.stderr) == (0, "")
    lines = [" ".join(line.split()[2:]) for line in shown.stdout.splitlines()]
    assert lines[1:] == [
        "started version 1",
        "✗ 57.1 of 100, 1 of 2 checks version 1, seed 7",
        "hint 1 of total-per-customer",
        "? not graded version 1, seed 7",
        "✓ 100 of 100, 2 of 2 checks version 1, seed 7",
    ]
    assert max(map(len, shown.stdout.splitlines())) <= 80
    said = json.loads(grader("history", "python-basics", "--json").stdout)
    assert (said["format"], said["exercise"]) == (1, "python-basics")
    assert [one["kind"] for one in said["entries"]] == [
        *("started", "attempt", "hint", "attempt", "attempt")
    ]


def test_history_of_nothing_names_the_nearest(grader: Grader, record: Record) -> None:
    tried(record, score=100)
    done = grader("history", "python-basic")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'python-basics'?" in done.stderr


def test_the_solution_is_shown_after_passing(grader: Grader, record: Record, work: Path) -> None:
    """The whole file, then the way from the learner's to it; the learner's stays as it is."""
    before = grader("solution", cwd=work)
    assert (before.returncode, before.stdout) == (2, "")
    assert "error: you have not passed 'python-basics' yet" in before.stderr
    assert "grader solution --give-up" in before.stderr
    mine = (work / "orders.py").read_bytes()
    tried(record, score=100)
    done = grader("solution", cwd=work)
    assert (done.returncode, done.stderr) == (0, "")
    reference = (shipped.exercises() / "python-basics" / "solution" / "orders.py").read_text()
    assert reference in done.stdout
    assert "--- yours/orders.py\n+++ solution/orders.py\n@@" in done.stdout
    assert (work / "orders.py").read_bytes() == mine
    (work / "orders.py").write_text(reference, encoding="utf-8")
    assert "Yours is the same." in grader("solution", cwd=work).stdout
    (work / "orders.py").unlink()
    assert "You have no such file" in grader("solution", cwd=work).stdout
    assert not [one for one in record.entries() if isinstance(one, GaveUp)]


def test_giving_up_is_recorded_once(grader: Grader, record: Record, work: Path) -> None:
    """And then the solution can be looked at again; it is no pass, and next leads elsewhere."""
    for arguments in (("--give-up",), ("--give-up",), ()):
        done = grader("solution", *arguments, cwd=work)
        assert (done.returncode, done.stderr) == (0, "")
        assert "orders.py, the solution" in done.stdout
    assert len([one for one in record.entries() if isinstance(one, GaveUp)]) == 1
    assert re.search(r"◐  python-basics \(given up\) ", grader("status").stdout)
    assert "gave up and saw the solution" in grader("history", "python-basics").stdout
    assert "python-basics" not in grader("next").stdout


def test_giving_up_needs_no_record(grader: Grader, data: Path, work: Path) -> None:
    (data / "record.db").write_text("scrawl" * 100)
    assert grader("solution", cwd=work).returncode == 3
    done = grader("solution", "--give-up", cwd=work)
    assert done.returncode == 0
    assert "orders.py, the solution" in done.stdout
    assert done.stderr.startswith("warning: that you gave up was not recorded: ")


def test_a_record_is_taken_to_another_machine(
    grader: Grader, record: Record, tmp_path: Path
) -> None:
    """What both have is there once; a second import changes nothing."""
    tried(record, score=40)
    tried(record, score=100)
    done = grader("export", "mine.jsonl")
    assert (done.returncode, done.stdout) == (0, "2 entries written to mine.jsonl.\n")
    other = {"GRADER_DATA_DIR": str(tmp_path / "other")}
    tried(Record(tmp_path / "other"), score=30, exercise="redis-caching")
    assert grader("import", "mine.jsonl", **other).stdout == "2 entries read, 2 of them new.\n"
    assert grader("import", "mine.jsonl", **other).stdout == "2 entries read, 0 of them new.\n"
    known = json.loads(grader("status", "--json", **other).stdout)["exercises"]
    assert sorted((one["exercise"], one["best"], one["tries"]) for one in known) == [
        ("python-basics", 100, 2),
        ("redis-caching", 30, 1),
    ]


def test_a_line_that_is_no_entry_imports_nothing(
    grader: Grader, record: Record, tmp_path: Path
) -> None:
    tried(record, score=40)
    assert grader("export", "mine.jsonl").returncode == 0
    with (tmp_path / "mine.jsonl").open("a", encoding="utf-8") as file:
        file.write("scrawl\n")
    done = grader("import", "mine.jsonl", GRADER_DATA_DIR=str(tmp_path / "other"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: mine.jsonl:2: is no entry of a record" in done.stderr
    assert not (tmp_path / "other").exists()


def test_export_to_where_nothing_can_be_written(grader: Grader) -> None:
    for place in ("none/mine.jsonl", "."):
        done = grader("export", place)
        assert (done.returncode, done.stdout) == (2, "")
        assert "fix: choose another file" in done.stderr


def test_export_to_a_pipe(grader: Grader, record: Record) -> None:
    tried(record, score=40)
    first, _, said = grader("export", "/dev/stdout").stdout.partition("\n")
    assert json.loads(first)["kind"] == "attempt"
    assert said == "1 entry written to /dev/stdout.\n"


def test_a_reset_is_undone_by_the_command_that_it_names(grader: Grader, work: Path) -> None:
    assert grader("reset", cwd=work).stdout == "Everything is as it was at the start.\n"
    start = (work / "orders.py").read_text(encoding="utf-8")
    (work / "orders.py").write_text("mine = 1\n", encoding="utf-8")
    done = grader("reset", cwd=work, COLUMNS="40")
    assert (done.returncode, done.stderr) == (0, "")
    assert "As at the start again:\n  orders.py\n" in done.stdout
    assert (work / "orders.py").read_text(encoding="utf-8") == start
    undo = done.stdout.splitlines()[-1].strip()
    subprocess.run(undo, shell=True, check=True)
    assert (work / "orders.py").read_text(encoding="utf-8") == "mine = 1\n"


def test_next_is_what_can_run_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], data: Path
) -> None:
    """What lacks something comes after the rest of the roadmap, and says what it lacks."""
    monkeypatch.setenv("GRADER_DATA_DIR", str(data))
    only: set[str] = set()

    def missing(_: object) -> Callable[[Exercise], str]:
        return lambda exercise: "" if exercise.slug in only else "redis"

    def shown(command: str) -> str:
        with pytest.raises(SystemExit) as caught:
            main([command])
        assert caught.value.code == 0
        return capsys.readouterr().out

    monkeypatch.setattr("grader.engine.registry.missing", missing)
    assert "This machine lacks redis for it: grader doctor" in shown("next")
    only.add("redis-caching")
    assert shown("next").endswith("\n  grader start redis-caching\n")
    assert "→ redis-caching" in shown("roadmap")


def test_update_shows_what_came_and_what_both_changed(grader: Grader, tmp_path: Path) -> None:
    """Conflicts as a difference, with the command that takes the exercise's side."""
    catalog = tmp_path / "catalog"
    shutil.copytree(shipped.exercises() / "python-basics", catalog / "python-basics")
    shutil.copy(shipped.exercises() / "roadmap.yaml", catalog)
    exercise, options = catalog / "python-basics", ("--exercises", str(catalog))
    grader(*options, "start", "python-basics")
    work = tmp_path / "python-basics"
    done = grader(*options, "update", cwd=work)
    assert done.stdout == (
        "python-basics is at version 1.\nNothing in this folder had to change.\n"
    )
    text = (exercise / "exercise.yaml").read_text()
    (exercise / "exercise.yaml").write_text(text.replace("version: 1\n", "version: 2\n"))
    (exercise / "README.md").write_text((exercise / "README.md").read_text() + "\nMore.\n")
    (exercise / "starter" / "orders.py").write_text("theirs = 1\n")
    (work / "orders.py").write_text("mine = 1\n")
    shown = grader(*options, "update", cwd=work)
    assert (shown.returncode, shown.stderr) == (0, "")
    for line in (
        "python-basics: from version 1 to version 2.",
        "Brought up to date, you had not changed them:\n  README.md",
        "Changed by you and by the exercise; yours are as they were:\n  orders.py",
        "-mine = 1\n+theirs = 1",
    ):
        assert line in shown.stdout
    assert (work / "orders.py").read_text() == "mine = 1\n"
    command = shown.stdout.splitlines()[-1].strip()
    subprocess.run(["/bin/sh", "-c", command], check=True)
    assert (work / "orders.py").read_text() == "theirs = 1\n"
