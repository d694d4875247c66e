"""Exercise folders: right ones load, wrong ones say everything that is wrong, with its line."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from grader import shipped
from grader.catalog import find, load_catalog, load_exercise, load_roadmap
from grader.errors import ExerciseError, UsageError
from grader.model.exercise import Limits, Program, Ready, SubmitRule

DATA = Path(__file__).parent.parent / "data" / "exercises"
VALID = DATA / "valid"
INVALID = sorted(path for path in (DATA / "invalid").iterdir() if path.is_dir())


def wrong_exercise(case: Path, folder: Path) -> None:
    """The valid exercise with the files of `case` laid over it, less those in `removed.txt`."""
    shutil.copytree(VALID / "word-count", folder)
    shutil.copytree(case, folder, dirs_exist_ok=True)
    removed = folder / "removed.txt"
    for name in removed.read_text().split() if removed.exists() else ():
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


@pytest.mark.parametrize("name", sorted(path.name for path in VALID.iterdir()))
def test_a_valid_exercise_loads(name: str) -> None:
    """Every exercise under valid/ is read without a problem."""
    assert load_exercise(VALID / name).slug == name


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.name)
def test_an_invalid_exercise_names_every_problem(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The problems are exactly the lines of expected.txt, in the order of file and line."""
    wrong_exercise(case, tmp_path / "word-count")
    monkeypatch.chdir(tmp_path)
    roadmap = load_roadmap(shipped.exercises())
    with pytest.raises(ExerciseError) as raised:
        load_exercise(Path("word-count"), roadmap=roadmap, runners=["python", "shell"])
    got = [str(problem).removeprefix("word-count/") for problem in raised.value.problems]
    assert got == (case / "expected.txt").read_text(encoding="utf-8").splitlines()
    number = f"{len(got)} problem{'s' if len(got) > 1 else ''}"
    assert raised.value.message == f"exercise 'word-count' has {number}"


def test_every_value_reaches_the_model() -> None:
    """What exercise.yaml says arrives in the model, sizes in bytes."""
    exercise = load_exercise(VALID / "with-services")
    assert exercise.services == {"postgres": ("schema.sql",), "redis": ()}
    assert exercise.env == {"PAGE_SIZE": "20"}
    assert exercise.submit == (
        SubmitRule(path="catalog.py"),
        SubmitRule(path="sql/**", optional=True, max_bytes=65_536),
    )
    assert exercise.limits == Limits(
        memory=512 << 20,
        cpus=0.5,
        pids=64,
        disk=128 << 20,
        seconds=30.0,
        output=65_536,
        files=20,
        submission=1 << 20,
    )
    assert (exercise.version, exercise.passing, exercise.show) == (3, 80, "message")
    assert exercise.mutants[0].replace == {"catalog.py": (("fast", "slow"),)}
    assert (exercise.mutants[3].breaks, exercise.mutants[3].remove) == (
        ("test_cached",),
        ("sql/index.sql",),
    )
    assert exercise.validate_seeds == 5
    assert exercise.programs == {
        "api": Program(
            run=("python3", "-m", "catalog"),
            kind="serve",
            port="API_PORT",
            ready=Ready(http="/health"),
            stop=2.5,
        ),
        "plain": Program(run=("python3", "plain.py"), kind="serve", port="PORT", ready=Ready()),
        "worker": Program(
            run=("python3", "worker.py"), kind="daemon", ready=Ready(log="^ready"), stop=10.0
        ),
        "load": Program(run=("python3", "load.py", "--all"), kind="once", ready=None),
    }


def test_defaults_are_those_of_the_model() -> None:
    """A key left out has its documented default."""
    exercise = load_exercise(VALID / "word-count")
    assert exercise.limits == Limits()
    assert (exercise.version, exercise.passing, exercise.show) == (1, 100, "full")
    assert exercise.validate_seeds == 3


def test_checks_are_declared_in_file_order() -> None:
    """Checks carry their task, title, line and needs."""
    checks = load_exercise(VALID / "word-count").checks
    assert [(check.name, check.task, check.line, check.needs) for check in checks] == [
        ("test_counts", "count", 8, ()),
        ("test_case_is_ignored", "count", 16, ("test_counts[some]",)),
        ("test_ties_go_by_word", "top", 22, ("test_counts",)),
    ]
    assert checks[2].title == "Words that are equally frequent come in order."


def test_a_folder_without_a_contract_says_so(tmp_path: Path) -> None:
    """A missing exercise.yaml is a problem, not a traceback."""
    with pytest.raises(ExerciseError) as raised:
        load_exercise(tmp_path)
    assert [str(p) for p in raised.value.problems] == [
        f"{tmp_path / 'exercise.yaml'}: the file is missing"
    ]


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """A catalog of the two valid exercises and the roadmap that ships."""
    root = tmp_path / "exercises"
    shutil.copytree(VALID, root)
    shutil.copy(shipped.exercises() / "roadmap.yaml", root)
    return root


def test_a_catalog_lists_exercises_in_roadmap_order(catalog: Path) -> None:
    """Python basics come before caching, whatever the folders are called."""
    (catalog / "README.md").write_text("not an exercise")
    found = load_catalog(catalog, runners=["python"])
    assert list(found.exercises) == ["word-count", "with-services"]
    assert len(found.roadmap.topics()) == 27


def test_a_catalog_reports_the_problems_of_all_files(catalog: Path) -> None:
    """One broken exercise does not hide another, nor a broken roadmap."""
    for name in ("word-count", "with-services"):
        file = catalog / name / "exercise.yaml"
        file.write_text(file.read_text().replace("runner: python", "runner: perl"))
    (catalog / "roadmap.yaml").write_text("format: 3\nstages: []\n")
    with pytest.raises(ExerciseError) as raised:
        load_catalog(catalog, runners=["python"])
    got = [str(problem).removeprefix(f"{catalog}/") for problem in raised.value.problems]
    assert got == [
        "roadmap.yaml:1: format: must be 1, is the number 3",
        "roadmap.yaml:2: stages: must have at least 1 item, has 0",
        "with-services/exercise.yaml:8: runner: there is no runner 'perl' (known are: python)",
        "word-count/exercise.yaml:7: runner: there is no runner 'perl' (known are: python)",
    ]


def test_an_exercise_is_found_by_slug(catalog: Path) -> None:
    """Only the folder that was asked for is read: a broken neighbour does not matter."""
    (catalog / "with-services" / "exercise.yaml").write_text("broken: [")
    assert find(catalog, "word-count").root == catalog / "word-count"


@pytest.mark.parametrize("typed", ["exercises/word-count", "./exercises/word-count/"])
def test_an_exercise_is_found_by_path(
    catalog: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    """A path with a slash names an exercise folder outside any catalog."""
    monkeypatch.chdir(catalog.parent)
    assert find(Path("nowhere"), typed).root == catalog / "word-count"


def test_the_folder_one_stands_in_is_an_exercise(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`.` and the bare name of a folder with an exercise.yaml are paths, too."""
    monkeypatch.chdir(catalog / "word-count")
    assert find(Path("nowhere"), ".").slug == "word-count"
    monkeypatch.chdir(catalog)
    assert find(Path("nowhere"), "word-count").slug == "word-count"


def test_an_unknown_slug_gets_the_nearest_one(catalog: Path) -> None:
    """A typo is answered with the slug that was probably meant and where to see all."""
    with pytest.raises(UsageError) as raised:
        find(catalog, "wordcount")
    assert raised.value.message == "there is no exercise 'wordcount'"
    assert raised.value.fix == "did you mean 'word-count'? list them with: grader roadmap"


def test_a_path_without_an_exercise_says_what_is_missing(tmp_path: Path) -> None:
    """A folder that is no exercise is wrong usage, not a broken exercise."""
    with pytest.raises(UsageError, match=r"it has no exercise\.yaml"):
        find(tmp_path, f"{tmp_path}/nothing")


def test_reading_one_exercise_is_quick() -> None:
    """A warm read of one exercise takes well under 30 ms."""
    load_exercise(VALID / "word-count")
    times = []
    for _ in range(5):
        began = time.perf_counter()
        load_exercise(VALID / "word-count")
        times.append(time.perf_counter() - began)
    assert min(times) < 0.03
