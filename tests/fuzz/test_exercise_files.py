"""Exercise folders and the roadmap from any bytes: an Exercise, or problems that name the file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.catalog import load_exercise, load_roadmap
from grader.errors import ExerciseError, GraderError
from tests.fuzz.harness import fuzz, mutated, watched

DATA = Path(__file__).parent.parent / "data" / "exercises"
GOOD = DATA / "valid" / "word-count"
SERVICES = (DATA / "valid" / "with-services" / "exercise.yaml").read_bytes()
ROADMAP = (Path(__file__).parent.parent.parent / "exercises" / "roadmap.yaml").read_bytes()
YAML = (GOOD / "exercise.yaml").read_bytes()
README = (GOOD / "README.md").read_bytes()
TESTS = (GOOD / "tests" / "test_words.py").read_bytes()
SEEDED = (DATA / "invalid" / "seeded-ids" / "tests" / "test_words.py").read_bytes()

HARD_VALUES = (
    *(
        b"!!int ''",
        b"!!float ''",
        b"!!bool x",
        b"!!timestamp x",
        b"!!binary /",
        b"!!set {a}",
        b"!a b",
    ),
    *(b"0x" + b"f" * 5000, b"9" * 5000, b"'" + b"9" * 5000 + b"k'", b'"64k\\n"', b"1:" * 50 + b"1"),
    *(b".inf", b"-.inf", b".nan", b"1e999", b"-0", b"0b_", b"0o8", b"2020-13-45", b"~", b"yes"),
    *(b"&a [*a]", b"*a", b"&a x", b"<<: *a", b"{<<: {a: b}}", b"? [a]\n: b", b"!!str [a]"),
    *(b"[" * 40 + b"]" * 40, b"[" * 2000, b"- " * 40, b"{a: " * 2000, b"a" * 300, b"'a\\0b'"),
    *(b'"\\0"', b'"\\ud800"', b'"\\U00110000"', b'"\\e[2J"', "\u202e\u2028\x85\ufeff".encode()),
    *(b"\t", b"---", b"...", b"%YAML 9.9\n---", b"|+9", b"> ", b"# ", b"\r", b"''", b"[]", b"{}"),
    *(
        b"..",
        b"/etc",
        b"a/**/**/b",
        b"**",
        b"[z-a]",
        b"[!",
        b"*" * 100,
        b"~nobody/x",
        b"-1",
        b"[1,2]",
    ),
)
HARD_CODE = (
    *(
        b"-" * 9000 + b"1",
        b"1+" * 4000 + b"1",
        b"a" + b".b" * 4000,
        b"(" * 300,
        b"[" * 90 + b"]" * 90,
    ),
    *(b"0x" + b"f" * 5000, b"9" * 5000, b"1e999", b"{[]: 1}", b"{**{}}", b"{[1]}", b"-'a'", b"1j"),
    *(
        b"*a",
        b"**a",
        b"f'{x}'",
        b"'\\d'",
        b"'\\N{x}'",
        b"b'\\xff'",
        b"...",
        b"lambda: 0",
        b"\f",
        b"\\",
    ),
    *(
        b"if a: pass\n" + b"elif b: pass\n" * 1500,
        b"class A:\n ",
        b"async ",
        b"# -*- coding: x -*-",
    ),
    b"@pytest.mark.parametrize('a', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], ids=['a', 'b'])\n" * 9,
    b"@pytest.mark.parametrize('a,b', [(0x" + b"f" * 5000 + b", 1), pytest.param(1, 2, id='x')])\n",
    b"@pytest.mark.parametrize('a', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])\n" * 9,
    b"@pytest.mark.parametrize('a', [{[]: 1}])\n",
    b"@pytest.mark.check(task=0x" + b"f" * 5000 + b", points=-0x" + b"f" * 5000 + b")\n",
    b"@pytest.mark.check('a', 1, ['test_a'], 'full', None, 1, 1, 1)\n",
    b"def test_a():\n    ''\n",
)
HARD_TEXT = (
    *(
        b"## 1. a" + b" " * 20_000 + b"b",
        b"## 1. " + b"#" * 20_000 + b"b",
        b"##\t1.\t",
        b"```",
        b"~~~",
    ),
    *(b"## " + b"9" * 5000 + b". a", "## \u0661. a".encode(), "## 1. \u202e".encode(), b"    ```"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good exercise of our own to spoil."""
    made = tmp_path_factory.mktemp("fuzz") / "word-count"
    shutil.copytree(GOOD, made)
    return made


def loaded_or_refused(folder: Path, file: str, content: bytes) -> None:
    """Put one file into the good exercise, load it, and put the good one back."""
    path = folder / file
    good = path.read_bytes()
    path.write_bytes(content)
    try:
        with watched(content):
            exercise = load_exercise(folder)
        assert exercise.slug == "word-count"
        assert all(check.task for check in exercise.checks)
    except ExerciseError as error:
        said(error, folder)
    finally:
        path.write_bytes(good)


def said(error: ExerciseError, folder: Path) -> None:
    """Every problem names a file of ours, and is something one can read."""
    assert error.problems
    for problem in error.problems:
        assert problem.file.startswith(str(folder))
        assert problem.line >= 0
        assert 0 < len(problem.message) < 2000 + 2 * len(problem.file)
        str(problem).encode("utf-8", "surrogatepass")


@fuzz
@given(content=mutated(YAML, SERVICES, also=HARD_VALUES))
def test_the_contract(folder: Path, content: bytes) -> None:
    """exercise.yaml with damage: an exercise, or every problem with its file."""
    loaded_or_refused(folder, "exercise.yaml", content)


KEYS = [line.split(b":")[0].strip(b" -") for line in YAML.splitlines() if b":" in line]


@fuzz
@given(
    st.lists(
        st.tuples(
            st.sampled_from(KEYS) | st.just(b"limits: {memory"), st.sampled_from(HARD_VALUES)
        ),
        max_size=3,
    ),
    st.sampled_from([b"", b"\n"]),
)
def test_one_key_with_a_hard_value(
    folder: Path, changes: list[tuple[bytes, bytes]], behind: bytes
) -> None:
    """Each key in turn gets values that no author would write."""
    content = YAML
    for key, value in changes:
        before, found, rest = content.partition(key + b":")
        content = before + found + b" " + value + behind + b"\n" + rest.partition(b"\n")[2]
    loaded_or_refused(folder, "exercise.yaml", content)


@fuzz
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(lambda t: t.encode("utf-8")))
def test_any_bytes_as_the_contract(folder: Path, content: bytes) -> None:
    """What never was YAML is refused with its line."""
    loaded_or_refused(folder, "exercise.yaml", content)


@fuzz
@given(content=mutated(TESTS, SEEDED, also=HARD_CODE))
def test_the_marks_of_the_tests(folder: Path, content: bytes) -> None:
    """Hidden tests are read without running them, whatever they hold."""
    loaded_or_refused(folder, "tests/test_words.py", content)


@fuzz
@given(content=mutated(README, also=HARD_TEXT))
def test_the_statement(folder: Path, content: bytes) -> None:
    """README.md with damage."""
    loaded_or_refused(folder, "README.md", content)


@fuzz
@given(content=mutated(ROADMAP[:3000], b"format: 1\nstages: []\n", also=HARD_VALUES))
def test_the_roadmap(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """roadmap.yaml with damage: a roadmap or every problem."""
    root = tmp_path_factory.getbasetemp()
    (root / "roadmap.yaml").write_bytes(content)
    try:
        with watched(content):
            assert load_roadmap(root).topics()
    except ExerciseError as error:
        said(error, root)


SAID = "is nested more than 30 deep"


@pytest.mark.parametrize(
    ("file", "content", "line", "message"),
    [
        ("exercise.yaml", b"a: 1\nb: " + b"[" * 300_000, 2, SAID),
        ("exercise.yaml", b"a:\n" + b"- " * 200_000 + b"a", 2, SAID),
        ("exercise.yaml", b"[a]: 1\n? " + b"[" * 200_000 + b"\n: 1", 2, SAID),
        ("exercise.yaml", YAML + b"passing: !!int ''\n", 0, "does not fit its tag !!int"),
        ("exercise.yaml", YAML + b"passing: 0x" + b"f" * 5000, 0, "number of more than 100 char"),
        ("exercise.yaml", YAML + b"limits: {memory: '" + b"9" * 5000 + b"k'}", 0, "a size is"),
        ("exercise.yaml", YAML + b'limits: {memory: "64k\\n"}', 0, "a size is a number of bytes"),
        ("exercise.yaml", YAML + b"limits: {cpus: .inf}", 0, "must be at most 1024"),
        ("exercise.yaml", YAML + b"limits: {seconds: .inf}", 0, "must be at most 86400"),
        ("exercise.yaml", YAML + b'env: {"A\\n": b}', 0, "is not a valid name here"),
        (
            "exercise.yaml",
            YAML + b"services: {p: {init: [" + b"a" * 300 + b"]}}",
            0,
            "no name that",
        ),
        ("exercise.yaml", YAML.replace(b"words.py", b"a" * 300), 0, "is no name that a file can"),
        ("exercise.yaml", b"# " + b"x" * 1024 * 1024, 0, "is larger than 1024 KiB"),
        ("tests/test_words.py", b"x = " + b"-" * 10_000 + b"1", 0, "nested too deeply"),
        ("tests/test_words.py", b"if a: 1\n" + b"elif b: 1\n" * 2500, 0, "nested too deeply"),
        ("tests/test_words.py", HARD_CODE[-3] + HARD_CODE[-1], 1, "points: must be a number above"),
        (
            "tests/test_words.py",
            HARD_CODE[-3] + HARD_CODE[-1],
            1,
            "task: must be a text, is a very",
        ),
        ("tests/test_words.py", HARD_CODE[-5] + HARD_CODE[-1], 1, "make more than 1000 checks"),
        ("README.md", b"## 1. a" + b" " * 100_000 + b"b", 1, "differs from the task"),
        ("README.md", b"## 1. " + b"# " * 50_000 + b"b", 1, "differs from the task"),
    ],
)
def test_found_before(folder: Path, file: str, content: bytes, line: int, message: str) -> None:
    """Each of these once ended the process, hung, or raised what nobody catches."""
    path = folder / file
    good = path.read_bytes()
    path.write_bytes(content)
    try:
        with watched(content[:200]), pytest.raises(ExerciseError) as raised:
            load_exercise(folder)
    finally:
        path.write_bytes(good)
    found = [one for one in raised.value.problems if message in one.message + one.fix]
    assert found, [str(problem)[:200] for problem in raised.value.problems]
    assert line in (0, found[0].line)


@fuzz
@given(name=st.text(max_size=40) | st.sampled_from(["~nobody/x", "a" * 300, "a/" * 3000, "\0/"]))
def test_a_name_of_an_exercise(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    """What a command line or a workspace names is an exercise or is said not to be one."""
    from grader.catalog import find

    root = tmp_path_factory.getbasetemp()
    with watched(name), pytest.raises(GraderError):
        find(root, name)
