"""The author's commands as a person meets them: real processes, without an engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest
import yaml

from grader import shipped
from grader.authoring.new import RUNNERS

Grader = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def grader(tmp_path: Path) -> Grader:
    """Runs grader in an empty folder, with no settings of the person who runs the tests."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        home = {"HOME": str(tmp_path), "COLUMNS": "80", "PYTHONUTF8": "1"}
        return subprocess.run(
            [sys.executable, "-m", "grader", *arguments],
            cwd=tmp_path,
            env={**kept, **home, "GRADER_STATE_DIR": str(tmp_path / "state")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )

    return run


def test_the_schema_fits_every_exercise(grader: Grader) -> None:
    """What editors are given accepts what is right, and nothing else."""
    schema = json.loads(grader("schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    accepts = jsonschema.Draft202012Validator(schema).is_valid
    found = [
        yaml.safe_load(path.read_text()) for path in shipped.exercises().glob("*/exercise.yaml")
    ]
    assert found
    assert all(accepts(one) for one in found)
    assert not accepts({**found[0], "minuets": 3})


@pytest.mark.parametrize("kind", RUNNERS)
def test_a_new_exercise_is_made_once(grader: Grader, tmp_path: Path, kind: str) -> None:
    """The files and the next steps are shown; a second time nothing is touched."""
    command = ["new", "word-work", "--topic", "http-rest", "--kind", kind]
    command += ["--runner", RUNNERS[kind][-1], "--title", "Work with words"]
    done = grader(*command)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Work with words  made in word-work:\n  README.md\n")
    assert "\n  grader validate ./word-work\n" in done.stdout
    assert (tmp_path / "word-work" / "README.md").read_text().startswith("# Work with words\n")
    before = {path: path.read_bytes() for path in tmp_path.rglob("word-work/**/*.*")}
    assert len(before) >= 5

    again = grader(*command)
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == (
        "error: word-work is there already; nothing was written\nfix: choose another name\n"
    )
    assert {path: path.read_bytes() for path in tmp_path.rglob("word-work/**/*.*")} == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Word_Work", "--topic", "http-rest"), "'Word_Work' cannot be the name of an exercise"),
        (("w", "--topic", "http-res"), "there is no topic 'http-res'\nfix: did you mean"),
        (
            ("w", "--topic", "http-rest", "--runner", "cobol"),
            "there is no template for the runner 'cobol'",
        ),
        (("w", "--topic", "http-rest", "--kind", "htp"), "there is no kind 'htp'"),
        (("w", "--topic", "http-rest", "--service", "redi"), "there is no service 'redi'"),
        (("w", "--topic", "http-rest", "--kind", "sql"), "fix: it is written for --runner sql"),
        (("w",), "missing option '--topic'"),
    ],
)
def test_what_cannot_be_made_is_said(
    grader: Grader, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    """And nothing is written."""
    done = grader("new", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert not list(tmp_path.glob("[wW]*"))


@pytest.fixture
def broken(grader: Grader, tmp_path: Path) -> Path:
    """An exercise that can be read, and has a problem."""
    grader("new", "mine", "--topic", "http-rest")
    tests = tmp_path / "mine" / "tests" / "test_words.py"
    tests.write_text(tests.read_text().replace(', "This is not the longest word of the text."', ""))
    return tmp_path / "mine"


def test_a_problem_is_told_with_its_mend(grader: Grader, broken: Path) -> None:
    """The exercise is to blame (5), even where nothing could be run."""
    done = grader("--engine", "fake", "validate", str(broken))
    assert done.returncode == 5
    assert done.stdout.splitlines()[0] == "mine  Mine"
    assert "\n".join(
        [
            "✗ tests/test_words.py:24",
            "  an assert without a message tells the learner nothing",
            '  fix: write: assert got == expected, "a sentence that helps"',
            "",
            "Not proven: 1 problem.",
        ]
    ) in "\n".join(line.rstrip() for line in done.stdout.splitlines())
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_what_could_not_be_run_is_no_fault_of_the_exercise(grader: Grader, tmp_path: Path) -> None:
    """Exit code 3: this engine runs no check at all, so nothing is proven."""
    grader("new", "mine", "--topic", "http-rest")
    done = grader("--engine", "fake", "validate", "mine/")
    assert done.returncode == 3
    assert "5 proofs could not be made" in done.stdout
    assert "? mutants      0 of 3 rejected with 3 seeds" in done.stdout


def test_an_exercise_that_cannot_be_read(grader: Grader, broken: Path) -> None:
    """Its problems are told, and those of the others too."""
    (broken / "exercise.yaml").write_text("format: 1\nslug: mine\n")
    done = grader("--engine", "fake", "validate", str(broken), str(broken))
    assert done.returncode == 5
    assert "✗ files        cannot be read as an exercise" in done.stdout
    # A long place is folded, and where depends on the length of the temporary folder's name.
    assert "/mine/exercise.yaml" in "".join(done.stdout.split())
    assert "the key 'title' is missing" in done.stdout
    assert done.stdout.endswith("0 of 2 exercises are proven.\n")


def test_json_says_the_same(grader: Grader, broken: Path) -> None:
    """For programs: problems with their places, and every proof."""
    done = grader("--engine", "fake", "validate", str(broken), "--json")
    assert (done.returncode, done.stderr) == (5, "")
    told = json.loads(done.stdout)
    assert told["format"] == 1
    (one,) = told["exercises"]
    assert (one["slug"], one["proven"]) == ("mine", False)
    assert [(p["file"], p["line"]) for p in one["problems"]] == [("tests/test_words.py", 24)]
    assert [proof["kind"] for proof in one["proofs"]] == ["starter", "reference", *["mutant"] * 3]
    assert all(proof["error"] and not proof["proven"] for proof in one["proofs"])


def test_an_exercise_must_be_named(grader: Grader, broken: Path) -> None:
    """Or be where one is."""
    done = grader("validate")
    assert done.returncode == 2
    assert done.stderr == "error: no exercise is named\nfix: name one, or all of them: --all\n"
    assert grader("validate", "no-such-thing").returncode == 2
