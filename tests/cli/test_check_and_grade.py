"""`grader check` and `grader grade` around a made-up report: no engine, nothing graded."""

from __future__ import annotations

import io
import json
import re
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from grader.cli.main import main
from grader.grade import GradeOptions
from grader.model.exercise import Exercise, Limits, SubmitRule
from grader.model.progress import CheckFinished, Collected, ImageStarted, Listener, Stage
from grader.model.report import Check, Report, Status
from grader.model.submission import Submission
from grader.progress.entries import Attempt
from grader.progress.record import Record
from grader.report.forms import Form
from grader.workspace import info

REPORTS = Path(__file__).parent.parent / "data" / "reports"
FAILED = "three-failures-in-full-others-one-line"
PASSED = "passed-names-the-next-step"
ERROR = "infrastructure-error-is-no-zero"
PARTIAL = "partial-run-asks-for-the-whole"

EXERCISE = Exercise(
    root=Path("redis-caching"),
    slug="redis-caching",
    title="Cache a slow product catalogue",
    topic="redis-caching",
    version=1,
    difficulty=2,
    minutes=45,
    runner="python",
    services={},
    env={},
    submit=(SubmitRule(path="catalog.py"),),
    limits=Limits(),
    passing=100,
    show="full",
    tasks=(),
    mutants=(),
    checks=(),
)


@dataclass
class Stand:
    """Stands in for the pipeline: remembers what it was asked, answers with a stored report."""

    report: Report | BaseException
    asked: GradeOptions | None = None

    def grade(
        self,
        exercise: Exercise,
        submission: Submission,
        engine: object,
        options: GradeOptions,
        listener: Listener,
    ) -> Report:
        assert [file.path for file in submission.files] == ["catalog.py"]
        self.asked = options
        if isinstance(self.report, BaseException):
            raise self.report
        results = self.report.checks()
        listener(ImageStarted("redis", 1, 2))
        listener(Stage("Starting redis"))
        checks = [Check(id=c.id, task=c.task, title=c.title, points=c.points) for c in results]
        listener(Collected(tuple(checks)))
        for result in results:
            listener(CheckFinished(result))
        return self.report


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "my work"
    folder.mkdir()
    (folder / "catalog.py").write_text("", encoding="utf-8")
    info.write(
        info.WorkspaceInfo(
            root=folder, slug="redis-caching", exercise=None, version=1, seed=11, attempts=4
        )
    )
    for name in (
        "GRADER_CONFIG",
        "GRADER_ENGINE",
        "GRADER_EXERCISES",
        "FORCE_COLOR",
        "GITHUB_STEP_SUMMARY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GRADER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("grader.catalog.find", lambda root, name: EXERCISE)
    monkeypatch.setattr("grader.engine.registry.engine", lambda settings: object())
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], work: Path) -> Run:
    def command(stand: Stand, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("grader.grade.grade", stand.grade)
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert isinstance(caught.value.code, int)
        return caught.value.code, *capsys.readouterr()

    return command


def stand(name: str) -> Stand:
    return Stand(msgspec.json.decode((REPORTS / f"{name}.json").read_bytes(), type=Report))


def test_check_shows_the_report_and_exits_1(run: Run) -> None:
    code, out, err = run(stand(FAILED), "check")
    assert code == 1
    expected = (REPORTS / f"{FAILED}.80.txt").read_text(encoding="utf-8").splitlines()
    *shown, stuck = [line.rstrip() for line in out.splitlines()]
    assert [*shown, stuck.removesuffix(" Stuck: grader hint.")] == expected
    assert stuck.endswith("grader check. Stuck: grader hint.")
    assert "Starting redis\n" in err
    assert "Image 1 of 2: redis\n" in err
    assert "  ✗ A second read of the same product is served from Redis." in err
    assert "\x1b" not in out + err


def test_check_hands_on_what_it_was_told(run: Run, work: Path) -> None:
    asked = stand(PARTIAL)
    arguments = ("--only", "test_a", "--only", "test_b", "--seed", "5", "--fresh")
    assert run(asked, "check", *arguments)[0] == 0
    assert asked.asked == GradeOptions(
        seed=5,
        only=("test_a", "test_b"),
        learner_seed=11,
        attempt=5,
        owner=str(work.resolve()),
        fresh=True,
        trusted=True,
    )


def test_check_from_elsewhere_repeats_with_its_path(run: Run, work: Path) -> None:
    _, out, _ = run(stand(FAILED), "check", "../my work")
    assert "grader check '../my work' --only test_second_read --seed 481516\n" in out
    assert "grader hint" not in out


@pytest.mark.parametrize(("name", "tries"), [(FAILED, 5), (PASSED, 5), (ERROR, 4), (PARTIAL, 4)])
def test_only_whole_graded_runs_count_as_tries(run: Run, work: Path, name: str, tries: int) -> None:
    run(stand(name), "check")
    assert info.read(work).attempts == tries


def test_every_attempt_is_recorded(run: Run, tmp_path: Path, work: Path) -> None:
    """Also one that was not graded, and one of some checks."""
    for name in (FAILED, PARTIAL, ERROR, PASSED):
        assert run(stand(name), "check")[2].count("warning") == 0
    record = Record(tmp_path / "data")
    kept = record.entries("redis-caching")
    assert [entry.status for entry in kept if isinstance(entry, Attempt)] == [
        Status.FAILED,
        Status.PASSED,
        Status.ERROR,
        Status.PASSED,
    ]
    assert [entry.partial for entry in kept if isinstance(entry, Attempt)] == [False, True] + [
        False
    ] * 2
    assert record.workspaces() == {"redis-caching": work.resolve()}


def test_what_is_graded_for_others_is_not_recorded(run: Run, tmp_path: Path) -> None:
    run(stand(FAILED), "grade", ".", "--exercise", "redis-caching")
    assert not (tmp_path / "data").exists()


def test_a_damaged_record_costs_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "record.db").write_text("scrawl" * 100)
    code, out, err = run(stand(FAILED), "check", "--json")
    assert (code, json.loads(out)["status"]) == (1, "failed")
    assert err.startswith("warning: this attempt was not recorded: ")
    assert "is damaged" in err
    assert "(fix: put it aside: mv " in err
    assert err.count("\n") == 1


def test_a_data_folder_that_is_a_file_costs_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    code, out, err = run(stand(PASSED), "check")
    assert code == 0
    assert "Passed: 100 of 100" in out
    assert err.splitlines()[-1].startswith("warning: this attempt was not recorded: ")


@pytest.mark.parametrize("arguments", [("check", "--json"), ("grade", ".", "--format", "json")])
def test_json_is_all_there_is_on_standard_output(run: Run, arguments: tuple[str, ...]) -> None:
    if arguments[0] == "grade":
        arguments = (*arguments, "--exercise", "redis-caching")
    code, out, err = run(stand(FAILED), *arguments)
    assert (code, bool(err)) == (1, arguments[0] == "grade")
    assert json.loads(out)["status"] == "failed"


def test_an_infrastructure_error_exits_3(run: Run) -> None:
    code, out, _ = run(stand(ERROR), "check")
    assert code == 3
    assert "Not graded" in out


def test_a_log_with_colour_is_never_drawn_over(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    _, _, err = run(stand(FAILED), "check")
    assert set(re.findall(r"\x1b\[[^a-zA-Z]*([a-zA-Z])", err)) == {"m"}


def test_a_folder_that_is_not_there(run: Run) -> None:
    code, out, err = run(stand(FAILED), "check", "../nowhere")
    assert (code, out) == (2, "")
    assert "../nowhere is not a folder" in err


def test_interruption_exits_130(run: Run) -> None:
    code, out, err = run(Stand(KeyboardInterrupt()), "check")
    assert (code, out) == (130, "")
    assert err.splitlines()[-1] == "interrupted"


def test_a_bug_below_a_command_exits_70(run: Run) -> None:
    code, _, err = run(Stand(ZeroDivisionError("division by zero")), "check")
    assert code == 70
    assert "Traceback" not in err


def test_grade_keeps_no_session_warm(run: Run, work: Path) -> None:
    asked = stand(PASSED)
    code, out, _ = run(asked, "grade", str(work), "--exercise", "redis-caching")
    assert code == 0
    assert asked.asked == GradeOptions()
    assert "Passed: 100 of 100" in out


def test_grade_names_the_command_that_repeats_it(run: Run) -> None:
    _, out, _ = run(stand(FAILED), "grade", ".", "--exercise", "redis-caching")
    assert "again     grader grade . --exercise redis-caching --seed 481516\n" in out
    assert "--only" not in out


@pytest.mark.parametrize(("form", "begin"), [("json", "{"), ("text", "Cache a slow product")])
def test_grade_writes_the_report_to_a_file(run: Run, work: Path, form: str, begin: str) -> None:
    arguments = ("grade", ".", "--exercise", "x", "--format", form, "--output", "report")
    (work / "report").write_text("old", encoding="utf-8")
    code, out, _ = run(stand(FAILED), *arguments)
    assert (code, out) == (1, "")
    assert (work / "report").read_text(encoding="utf-8").startswith(begin)
    assert not [path for path in work.iterdir() if path.name.startswith(".report")]


def test_the_log_of_grade_ends_with_the_command_that_repeats_it(run: Run) -> None:
    for name in (FAILED, PASSED, ERROR):
        arguments = ("grade", ".", "--exercise", "redis-caching", "--format", "json")
        _, _, err = run(stand(name), "--engine", "fake", *arguments)
        assert err.splitlines()[-1] == (
            "the same verdict again: grader --engine fake grade . --exercise redis-caching "
            "--seed 481516"
        )


def test_grade_writes_as_many_reports_as_asked(run: Run, work: Path) -> None:
    further = ("--report", "junit=a.xml", "--report", "json=b.json", "--report", "markdown=c.md")
    code, out, _ = run(stand(FAILED), "grade", ".", "--exercise", "x", *further)
    assert code == 1
    assert out.startswith("Cache a slow product")
    assert (work / "a.xml").read_text(encoding="utf-8").startswith("<?xml")
    assert json.loads((work / "b.json").read_bytes())["score"] == 18.75
    assert (work / "c.md").read_text(encoding="utf-8").startswith("## ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--report", "junit"), "no file is named"),
        (("--report", "yaml=a"), "there is no form 'yaml'"),
        (("--report", "json=nowhere/a"), "its folder does not exist"),
        (("--report", "json=a", "--report", "junit=a"), "two reports go to a"),
        (("--format", "json", "--output", "a", "--report", "junit=a"), "two reports go to a"),
        (("--format", "yaml"), "'yaml' is not one of"),
    ],
)
def test_reports_that_cannot_be_written(run: Run, arguments: tuple[str, ...], told: str) -> None:
    asked = stand(FAILED)
    code, out, err = run(asked, "grade", ".", "--exercise", "x", *arguments)
    assert (code, out, asked.asked) == (2, "", None)
    assert told in err


@pytest.mark.parametrize(("name", "code"), [(FAILED, 1), (PASSED, 0), (ERROR, 3)])
@pytest.mark.parametrize("form", list(Form))
def test_the_exit_code_is_that_of_the_verdict(run: Run, form: Form, name: str, code: int) -> None:
    found, out, _ = run(stand(name), "grade", ".", "--exercise", "x", "--format", form.value)
    runner = form is Form.EXERCISM and code == 1  # it ran well, whatever the verdict
    assert found == (0 if runner else code)
    assert out


def test_another_report_for_exercism_leaves_the_exit_code(run: Run) -> None:
    arguments = ("grade", ".", "--exercise", "x", "--report", "exercism=results.json")
    assert run(stand(FAILED), *arguments)[0] == 1


@pytest.mark.parametrize("form", ["exercism", "prairielearn"])
def test_what_learners_see_is_not_written_for_instructors(run: Run, form: str) -> None:
    for option in (("--format", form), ("--report", f"{form}=results.json")):
        asked = stand(FAILED)
        arguments = ("grade", ".", "--exercise", "x", "--audience", "instructor", *option)
        code, _, err = run(asked, *arguments)
        assert (code, asked.asked) == (2, None)
        assert "shows every report to the learner" in err


def test_an_instructor_is_told_everything(run: Run) -> None:
    asked = stand(FAILED)
    options = ("--trust-submissions", "--audience", "instructor")
    _, _, err = run(asked, "grade", ".", "--exercise", "x", *options)
    assert asked.asked == GradeOptions(author=True, trusted=True)
    assert err.splitlines()[-1].endswith(f"x {' '.join(options)} --seed 481516")


def test_github_adds_to_the_summary_of_the_step(
    run: Run, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = work / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    run(stand(FAILED), "grade", ".", "--exercise", "x")
    assert summary.read_text(encoding="utf-8") == "before\n"
    run(stand(FAILED), "grade", ".", "--exercise", "x", "--format", "github")
    assert summary.read_text(encoding="utf-8").startswith("before\n## ✗ Cache a slow")


def test_a_full_summary_stays_below_what_github_shows(
    run: Run, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = work / "summary.md"
    summary.write_bytes(b"x" * (1024 * 1024 - 500))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    run(stand(FAILED), "grade", ".", "--exercise", "x", "--format", "github")
    assert 1024 * 1024 - 500 < summary.stat().st_size <= 1024 * 1024


def test_a_summary_that_cannot_be_written_leaves_the_verdict(
    run: Run, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(work))
    code, _, err = run(stand(PASSED), "grade", ".", "--exercise", "x", "--format", "github")
    assert code == 0
    assert "the step's summary cannot be written" in err


class Piped(io.TextIOWrapper):
    """Standard input as another program fills it."""

    def __init__(self, content: bytes, *, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(content))
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def zipped() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("catalog.py", "")
    return made.getvalue()


def tarred(mode: Literal["w", "w:gz"]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode) as archive:
        archive.addfile(tarfile.TarInfo("catalog.py"))
    return made.getvalue()


@pytest.mark.parametrize("content", [zipped(), tarred("w"), tarred("w:gz")])
def test_an_archive_on_standard_input(
    run: Run, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr("sys.stdin", Piped(content))
    asked = stand(PASSED)
    code, _, err = run(asked, "grade", "-", "--exercise", "redis-caching")
    assert (code, asked.asked) == (0, GradeOptions())
    assert err.splitlines()[-1].endswith(
        "grader grade ARCHIVE --exercise redis-caching --seed 481516"
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"PK\3\4broken", "standard input"),
        (b"no archive" * 99, "standard input"),
    ],
)
def test_no_archive_on_standard_input(
    run: Run, monkeypatch: pytest.MonkeyPatch, content: bytes, told: str
) -> None:
    monkeypatch.setattr("sys.stdin", Piped(content))
    code, _, err = run(stand(PASSED), "grade", "-", "--exercise", "redis-caching")
    assert code == 4
    assert told in err


def test_nothing_is_waited_for_at_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Piped(b"", terminal=True))
    code, _, err = run(stand(PASSED), "grade", "-", "--exercise", "redis-caching")
    assert code == 2
    assert "nothing comes in" in err


def test_output_that_cannot_be_written_is_found_before_grading(run: Run, work: Path) -> None:
    asked = stand(FAILED)
    code, _, err = run(asked, "grade", ".", "--exercise", "x", "--output", str(work))
    assert (code, asked.asked) == (2, None)
    assert "is a folder" in err


def test_a_missing_file_exits_4(run: Run, work: Path) -> None:
    (work / "catalog.py").unlink()
    code, out, err = run(stand(FAILED), "check")
    assert (code, out) == (4, "")
    assert "catalog.py" in err


def test_a_title_with_escape_codes_does_not_steer_the_progress(run: Run) -> None:
    asked = stand(FAILED)
    assert isinstance(asked.report, Report)
    task = asked.report.tasks[0]
    evil = replace(task, checks=(replace(task.checks[0], title="\x1b[2J[red]"),))
    _, out, err = run(Stand(replace(asked.report, tasks=(evil,))), "check")
    assert "\x1b" not in out + err
    assert "\\x1b[2J[red]" in err


def test_submit_checks_first_and_packs_what_was_checked(run: Run, work: Path) -> None:
    """Beside the folder, with the report inside; what is handed in is what was graded."""
    target = work.with_name("my work.zip")
    code, out, err = run(stand(PASSED), "submit")
    assert (code, "100 of 100" in out, "error" in err) == (0, True, False)
    assert f"To hand in, with 1 file and this report:\n  {target}\n" in out
    with zipfile.ZipFile(target) as archive:
        assert archive.namelist() == ["catalog.py", ".grader-report.json"]
        assert json.loads(archive.read(".grader-report.json"))["score"] == 100
    code, out, _ = run(stand(FAILED), "submit")  # it takes the place of the one before
    assert code == 1
    with zipfile.ZipFile(target) as archive:
        assert json.loads(archive.read(".grader-report.json"))["score"] < 100
    assert info.read(work).attempts == 6


def test_submit_writes_nothing_without_a_verdict_and_over_nothing_else(
    run: Run, work: Path, tmp_path: Path
) -> None:
    code, out, _ = run(stand(ERROR), "submit")
    assert code == 3
    assert "Nothing was written" in out
    assert not work.with_name("my work.zip").exists()
    mine = tmp_path / "mine.zip"
    mine.write_text("precious")
    asked = stand(PASSED)
    code, _, err = run(asked, "submit", "--output", str(mine))
    assert (code, asked.asked, mine.read_text()) == (2, None, "precious")
    assert "no archive of grader submit" in err


def test_check_tells_of_a_new_version(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "grader update" not in run(stand(PASSED), "check")[2]
    newer = replace(EXERCISE, version=3)
    monkeypatch.setattr("grader.catalog.find", lambda root, name: newer)
    err = run(stand(PASSED), "check")[2]
    assert "note: the exercise is at version 3, this folder at 1: grader update\n" in err


def test_check_writes_the_report_as_a_page_too(run: Run, work: Path) -> None:
    code, out, _ = run(stand(FAILED), "check", "--html", "report.html")
    assert code == 1
    page = (work / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "Not passed yet" in page
    assert "Not passed yet" in out
