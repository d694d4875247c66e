"""The command as a person meets it: real processes, without an engine."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from grader import __version__, errors
from grader.cli import main as command_line
from grader.cli import overview
from grader.cli.app import app

DATA = Path(__file__).parent.parent / "data" / "exercises"
Grader = Callable[..., subprocess.CompletedProcess[str]]

ROADMAP = """\
format: 1
stages:
  - title: Foundations
    topics:
      - slug: python-basics
        title: Python Basics
        reason: The fastest entry point.
        resources:
          - {title: Tutorial, url: "https://docs.python.org/3/tutorial/"}
          - {title: Reference, url: "https://docs.python.org/3/reference/"}
"""


@pytest.fixture
def grader(tmp_path: Path) -> Grader:
    """Runs grader in an empty folder, with no settings of the person who runs the tests."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        return subprocess.run(
            [sys.executable, "-m", "grader", *arguments],
            cwd=tmp_path,
            env={
                **kept,
                "HOME": str(tmp_path),
                "COLUMNS": "80",
                "PYTHONUTF8": "1",
                **environment,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )

    return run


@pytest.fixture
def catalog(tmp_path: Path) -> str:
    folder = tmp_path / "catalog"
    folder.mkdir()
    (folder / "roadmap.yaml").write_text(ROADMAP, encoding="utf-8")
    return str(folder)


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("help",)])
def test_help_is_the_overview(grader: Grader, arguments: tuple[str, ...]) -> None:
    done = grader(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == overview.text() + "\n"
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_help_after_an_option_is_the_overview(grader: Grader) -> None:
    assert grader("--engine", "fake", "--help").stdout == overview.text() + "\n"


def test_the_overview_names_every_command() -> None:
    named = {name for group in overview.COMMANDS.values() for name in group}
    assert named == set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def test_the_overview_names_every_option() -> None:
    options = {option for item in typer.main.get_command(app).params for option in item.opts}
    named = {option.split()[0] for option in overview.OPTIONS}
    assert options | {"--debug", "--help"} == named


@pytest.mark.parametrize("name", [name for group in overview.COMMANDS.values() for name in group])
def test_every_command_explains_itself(grader: Grader, name: str) -> None:
    done = grader(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Usage: grader {name}" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_help_imports_nothing_heavy(grader: Grader) -> None:
    code = (
        "import sys, contextlib\n"
        "from grader.cli.main import main\n"
        "with contextlib.suppress(SystemExit): main(['--help'])\n"
        "print(sorted({'typer', 'rich', 'msgspec', 'docker', 'yaml'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.endswith("[]\n")


def test_version(grader: Grader) -> None:
    for arguments in (("--version",), ("--engine", "fake", "--version")):
        done = grader(*arguments)
        assert (done.returncode, done.stdout) == (0, f"grader {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "message", "fix"),
    [
        (["roadmpa"], "no such command 'roadmpa'. Did you mean 'roadmap'?", "see grader --help"),
        (["check", "--onyl", "x"], "no such option: --onyl", "see grader check --help"),
        (["check", "--seed", "many"], "invalid value for '--seed'", "see grader check --help"),
        (["grade", "."], "missing option '--exercise'", "see grader grade --help"),
        (["images"], "missing command", "see grader images --help"),
        (["--engine"], "option '--engine' requires an argument", "see grader --help"),
    ],
)
def test_wrong_usage(grader: Grader, arguments: list[str], message: str, fix: str) -> None:
    done = grader(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    first, second = done.stderr.splitlines()
    assert first.startswith(f"error: {message}")
    assert second == f"fix: {fix}"


def test_no_traceback_without_debug(grader: Grader) -> None:
    assert "Traceback" not in grader("chek").stderr


@pytest.mark.parametrize(
    "arguments", [("--debug", "roadmap", "nowhere"), ("roadmap", "nowhere", "--debug")]
)
def test_debug_shows_the_traceback_wherever_it_stands(
    grader: Grader, catalog: str, arguments: tuple[str, ...]
) -> None:
    done = grader("--exercises", catalog, *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("Traceback (most recent call last):")
    assert "error: there is no topic 'nowhere' on the roadmap\n" in done.stderr


def test_unknown_exercise_suggests_the_nearest(grader: Grader, catalog: str) -> None:
    made = Path(catalog) / "http-rest"
    made.mkdir()
    (made / "exercise.yaml").write_text("format: 1\n", encoding="utf-8")
    done = grader("--exercises", catalog, "start", "http-rets")
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: there is no exercise 'http-rets'\n" in done.stderr
    assert "did you mean 'http-rest'?" in done.stderr


def test_a_broken_exercise_exits_5_with_every_problem(grader: Grader, catalog: str) -> None:
    made = Path(catalog) / "broken"
    made.mkdir()
    (made / "exercise.yaml").write_text("format: 1\nsulg: broken\n", encoding="utf-8")
    done = grader("--exercises", catalog, "start", "broken")
    assert done.returncode == 5
    assert "exercise.yaml:2:" in done.stderr
    assert not (Path(catalog).parent / "broken").exists()


def test_check_outside_a_workspace_says_what_to_do(grader: Grader) -> None:
    done = grader("check")
    assert done.returncode == 2
    assert "fix: " in done.stderr
    assert "grader start" in done.stderr


def test_json_errors_leave_standard_output_empty(grader: Grader) -> None:
    done = grader("check", "--json")
    assert done.returncode == 2
    assert done.stdout == ""


def test_report_needs_a_folder_to_be_written_to(grader: Grader, catalog: str) -> None:
    arguments = ("grade", ".", "--exercise", "x", "--output", "no/where.json")
    done = grader("--exercises", catalog, *arguments)
    assert done.returncode == 2
    assert "no/where.json" in done.stderr.splitlines()[0]


def test_roadmap(grader: Grader, catalog: str) -> None:
    shown = grader("--exercises", catalog, "roadmap").stdout
    assert "The backend roadmap: 1 stage, 1 topic\n" in shown
    assert re.search(r"Python Basics +python-basics +coming", shown)
    one = grader("--exercises", catalog, "roadmap", "python-basics").stdout
    assert "The fastest entry point." in one
    assert "  https://docs.python.org/3/tutorial/\n" in one


def test_roadmap_as_json(grader: Grader, catalog: str) -> None:
    stages = json.loads(grader("--exercises", catalog, "roadmap", "--json").stdout)["stages"]
    assert stages[0]["number"] == 1
    assert stages[0]["topics"][0]["slug"] == "python-basics"
    assert stages[0]["topics"][0]["exercises"] == []


def test_no_colour_in_a_pipe_or_with_no_color(grader: Grader, catalog: str) -> None:
    assert "\x1b" not in grader("--exercises", catalog, "roadmap").stdout
    forced = grader("--exercises", catalog, "roadmap", FORCE_COLOR="1", TERM="xterm").stdout
    assert "\x1b[" in forced
    without = grader("--exercises", catalog, "roadmap", FORCE_COLOR="1", NO_COLOR="1").stdout
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", without)


def test_a_reader_that_stops_reading_is_no_error(catalog: str) -> None:
    for arguments in ([], ["--exercises", catalog, "roadmap"], ["roadmap", "--json"]):
        process = subprocess.Popen(
            [sys.executable, "-m", "grader", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "GRADER_EXERCISES": catalog},
        )
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
        process.stderr.close()
        assert (process.wait(60), said) == (1, b"")


def test_a_terminal_that_knows_only_ascii(grader: Grader, catalog: str) -> None:
    path = Path(catalog) / "roadmap.yaml"
    path.write_text(ROADMAP.replace("Foundations", "Grundzüge ✓"), encoding="utf-8")
    done = grader("--exercises", catalog, "roadmap", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Grundz\\xfcge" in done.stdout


def exit_of(raised: BaseException, monkeypatch: pytest.MonkeyPatch, *flags: str) -> object:
    def fail(_: list[str]) -> int:
        raise raised

    monkeypatch.setattr(command_line, "_run", fail)
    with pytest.raises(SystemExit) as caught:
        command_line.main(["check", *flags])
    return caught.value.code


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (errors.UsageError("m", fix="f"), 2),
        (errors.EngineUnavailable("m", fix="f"), 3),
        (errors.SessionLost("m", fix="f"), 3),
        (errors.SubmissionError("m", fix="f"), 4),
        (errors.ExerciseError("m", fix="f"), 5),
        (errors.GraderError("m", fix="f"), 70),
    ],
)
def test_each_error_has_its_exit_code(
    raised: errors.GraderError,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert exit_of(raised, monkeypatch) == code
    assert capsys.readouterr() == ("", "error: m\nfix: f\n")


def test_problems_are_listed_and_cannot_steer_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = errors.Problem(file="a\x1b[2J.py", line=3, message="too big", fix="shrink it")
    exit_of(errors.SubmissionError("cannot be graded", problems=[problem]), monkeypatch)
    assert capsys.readouterr().err == (
        "error: cannot be graded\n  a\\x1b[2J.py:3: too big (shrink it)\n"
    )


def test_interruption_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_of(KeyboardInterrupt(), monkeypatch) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_bug_is_one_line_and_how_to_see_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_of(ZeroDivisionError("division by zero"), monkeypatch) == 70
    assert capsys.readouterr().err == (
        "error: a bug in grader: ZeroDivisionError: division by zero\n"
        "fix: add --debug to see where, and please report it\n"
    )
    assert exit_of(ZeroDivisionError("division by zero"), monkeypatch, "--debug") == 70
    assert "Traceback" in capsys.readouterr().err


def test_help_is_on_the_screen_at_once(tmp_path: Path) -> None:
    """Not in seconds, which a busy machine decides: help imports nothing that takes its time."""
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "grader", "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    imported = {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines()}
    assert "grader.cli.main" in imported
    slow = {"docker", "typer", "rich", "msgspec", "yaml", "asyncio", "requests", "pytest"}
    assert imported & slow == set()


def test_doctor_without_an_engine(grader: Grader, tmp_path: Path) -> None:
    """It says what is wrong and what mends it, and exits 3; no colour in a pipe."""
    done = grader("--engine", "docker", "doctor", DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert done.returncode == 3
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert "✗ Docker   not usable" in lines
    assert "    fix    start that engine, or take the default one: unset DOCKER_HOST" in lines
    assert lines[-1] == "Checks cannot run here yet."
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in done.stdout + done.stderr


def test_doctor_in_a_narrow_terminal_keeps_commands_whole(grader: Grader, tmp_path: Path) -> None:
    done = grader(
        "--engine", "docker", "doctor", DOCKER_HOST=f"unix://{tmp_path}/none.sock", COLUMNS="30"
    )
    fix = "    fix    start that engine, or take the default one: unset DOCKER_HOST"
    assert fix in done.stdout.splitlines()
    assert all(len(line) <= 30 for line in done.stdout.splitlines() if line != fix)


def test_doctor_as_json(grader: Grader, tmp_path: Path) -> None:
    """What docs/doctor.md promises: these keys, and nothing else on either stream."""
    done = grader(
        "--engine", "docker", "doctor", "--json", DOCKER_HOST=f"unix://{tmp_path}/none.sock"
    )
    assert (done.returncode, done.stderr) == (3, "")
    said = json.loads(done.stdout)
    assert (said["format"], said["ready"]) == (1, False)
    assert [one["name"] for one in said["findings"]] == ["python", "state", "docker"]
    keys = ["name", "state", "found", "cause", "fix", "facts"]
    assert all(list(one) == keys for one in said["findings"])
    assert [one["state"] for one in said["findings"]] == ["works", "works", "fails"]


@pytest.fixture
def shell_exercise(catalog: str) -> Path:
    """A catalog with one exercise, whose runner only an image has."""
    made = Path(catalog) / "it"
    shutil.copytree(DATA / "valid" / "word-count", made)
    file = made / "exercise.yaml"
    content = file.read_text().replace("slug: word-count", "slug: it")
    file.write_text(content.replace("runner: python", "runner: shell"))
    return Path(catalog)


def test_doctor_where_no_docker_answers(grader: Grader, tmp_path: Path) -> None:
    """There is another engine: what is wrong with Docker is a warning, and what holds is said."""
    done = grader("doctor", "--json", DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    said = json.loads(done.stdout)
    states = {one["name"]: one["state"] for one in said["findings"]}
    assert list(states)[:3] == ["python", "state", "docker"]
    assert states["docker"] == "warns"
    local = next(one for one in said["findings"] if one["name"] == "local")
    if local["state"] == "fails":  # this machine can have no sessions at all, and it says why
        assert (done.returncode, said["ready"]) == (3, False)
        assert local["cause"]
        assert local["fix"]
    else:
        assert (done.returncode, said["ready"]) == (0, True)
        sandbox = next(one for one in said["findings"] if one["name"] == "sandbox")
        assert "taking every processor" in " ".join(sandbox["facts"]["gaps"])


def test_no_docker_and_nothing_that_could_run_it(
    grader: Grader, tmp_path: Path, shell_exercise: Path
) -> None:
    """Exit code 3, what is missing and what brings it."""
    nowhere = {"DOCKER_HOST": f"unix://{tmp_path}/none.sock", "PATH": str(tmp_path)}
    done = grader(
        *("--exercises", str(shell_exercise), "grade", str(shell_exercise / "it" / "solution")),
        *("--exercise", "it", "--trust-submissions"),
        **nowhere,
    )
    assert done.returncode == 3
    assert "warning: No Docker answers: the engine local runs the program." in done.stderr
    assert "\nfix: " in done.stderr
    listed = grader("--exercises", str(shell_exercise), "roadmap", "--json", **nowhere)
    exercises = [
        one
        for stage in json.loads(listed.stdout)["stages"]
        for topic in stage["topics"]
        for one in topic["exercises"]
    ]
    assert [one["slug"] for one in exercises if one["missing"]] == ["it"]


def test_a_signal_that_is_ignored_stays_so(tmp_path: Path) -> None:
    """`nohup grader batch` outlives its terminal; being told to end is still an interruption."""
    code = (
        "import signal\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from grader.cli import main as command_line\n"
        "def run(_):\n"
        "    signal.raise_signal(signal.SIGHUP)\n"
        "    print('lives', flush=True)\n"
        "    signal.raise_signal(signal.SIGTERM)\n"
        "    print('does not live', flush=True)\n"
        "command_line._run = run\n"
        "command_line.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "lives\n", "interrupted\n")


PATIENT = "import sys; sys.stdin.read(2); import grader.cli.main as m; m.main()"


def test_a_terminal_that_is_gone_is_an_interruption(tmp_path: Path) -> None:
    """Writing to it may fail before the signal comes, or without one: that is no bug of ours."""
    terminal, inside = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PATIENT, "roadmap"],
        stdin=subprocess.PIPE,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
    )
    os.close(inside)
    os.close(terminal)
    process.communicate(b"go", timeout=60)
    assert process.returncode == 130
