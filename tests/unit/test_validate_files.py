"""Ways to spoil a new exercise that show without running it: each is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader import shipped
from grader.authoring.files import file_findings
from grader.authoring.new import RUNNERS, Wanted, make
from grader.authoring.validate import Validation, examine
from grader.catalog import load_exercise, load_roadmap
from grader.errors import Problem

Change = Callable[[Path], object]


KINDS = [(kind, runner) for kind, runners in RUNNERS.items() for runner in runners]


def new(
    folder: Path, kind: str = "function", runner: str = "python", services: tuple[str, ...] = ()
) -> Path:
    """What `grader new` makes."""
    wanted = Wanted(folder=folder, topic="http-rest", runner=runner, kind=kind, services=services)
    make(wanted, load_roadmap(shipped.exercises()), ["postgres", "redis"])
    return folder


def looked_at(folder: Path) -> Validation:
    return examine(shipped.exercises(), str(folder))


def replaced(file: str, old: str, text: str) -> Change:
    """The change that puts `text` in the place of `old`."""

    def change(folder: Path) -> None:
        path = folder / file
        before = path.read_text()
        assert before.count(old) >= 1, f"{file} has no {old!r}"
        path.write_text(before.replace(old, text, 1))

    return change


def added(file: str, text: str) -> Change:
    def change(folder: Path) -> None:
        path = folder / file
        path.write_text((path.read_text() if path.exists() else "") + text)

    return change


def windows(file: str) -> Change:
    return lambda folder: (folder / file).write_bytes(
        (folder / file).read_bytes().replace(b"\n", b"\r\n")
    )


def _paragraph(folder: Path, source: str, first: str) -> str:
    lines = (folder / source).read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(first))
    return "\n".join(lines[start : start + 8])


def copied(source: str, first: str, target: str) -> Change:
    """Eight lines of a hidden file, pasted into what the learner gets."""
    return lambda folder: added(target, _paragraph(folder, source, first) + "\n")(folder)


def linked(folder: Path) -> None:
    (folder / "starter" / "more.py").symlink_to(folder / "solution" / "words.py")


def without_ladder(folder: Path) -> None:
    text = (folder / "exercise.yaml").read_text()
    before, _, rest = text.partition("    hints:\n")
    _, _, after = rest.partition("  - id: nothing")
    (folder / "exercise.yaml").write_text(f"{before}    hints: []\n  - id: nothing{after}")


def another_solution_shown(folder: Path) -> None:
    (folder / "alternatives" / "loop").mkdir(parents=True)
    added("alternatives/loop/words.py", LOOP)(folder)
    added("starter/old_words.py", LOOP)(folder)


TEST = "tests/test_words.py"

# What is done; the file that is told, and a line of it ("": the file as a whole); the message.
WAYS: dict[str, tuple[Change, str, str, str]] = {
    "no hints": (
        without_ladder,
        "exercise.yaml",
        "- id: longest",
        "the task 'longest' has no hints",
    ),
    "windows line endings": (
        windows("starter/words.py"),
        "starter/words.py",
        '"""The longest',
        "CRLF",
    ),
    "a symbolic link": (linked, "starter/more.py", "", "symbolic link"),
    "an assert without a message": (
        replaced(TEST, ', "This is not the longest word of the text."', ""),
        TEST,
        "assert got == longest",
        "an assert without a message tells the learner nothing",
    ),
    "an id of the seed": (
        replaced(
            TEST,
            '@pytest.mark.check(task="nothing"',
            '@pytest.mark.parametrize("n", [SPACE.index(" ")])\n@pytest.mark.check(task="nothing"',
        ),
        TEST,
        'parametrize("n"',
        "the ids of this parametrize could depend on the seed",
    ),
    "a hard-coded seed": (
        added(TEST, "\n\nimport random\n\nRNG = random.Random(42)\n"),
        TEST,
        "RNG =",
        "a hard-coded seed",
    ),
    "inputs that do not repeat": (
        added(TEST, "\n\nfrom random import choice\n\nWORD = choice(SPACE)\n"),
        TEST,
        "WORD =",
        "random.choice gives inputs that --seed cannot repeat",
    ),
    "reads as admin": (
        added(TEST, '\n\nimport psycopg\n\nROWS = psycopg.connect("user=postgres")\n'),
        TEST,
        "ROWS =",
        "psycopg.connect opens a connection of its own",
    ),
    "reaches into a fixture": (
        replaced(TEST, '("", rng', '(solution._archive, "", rng'),
        TEST,
        "solution._archive",
        "solution._archive is not part of the fixture",
    ),
    "imports the runtime": (
        added(TEST, "\n\nfrom grader.judge import services\n"),
        TEST,
        "from grader.judge",
        "imports grader.judge, which could act as admin",
    ),
    "a statement that shows the tests": (
        copied(TEST, "    longest = word", "README.md"),
        "README.md",
        "longest = word(rng, 12)",
        f"repeats lines of {TEST}",
    ),
    "a starter that shows the tests": (
        copied(TEST, "    longest = word", "starter/notes.txt"),
        "starter/notes.txt",
        "longest = word(rng, 12)",
        f"repeats lines of {TEST}",
    ),
    "a starter that shows another solution": (
        another_solution_shown,
        "starter/old_words.py",
        'best = ""',
        "repeats lines of alternatives/loop/words.py",
    ),
    "a link that leads nowhere": (
        added("README.md", "\nSee [the tests](tests/test_words.py).\n"),
        "README.md",
        "See [the tests]",
        "links to 'tests/test_words.py', which the learner does not get",
    ),
    "a mutant that does not apply": (
        replaced("exercise.yaml", 'words.py: [[", default', 'words.py: [["; default'),
        "exercise.yaml",
        "; default",
        "occurs 0 times in solution/words.py",
    ),
    "a mutant that names no check": (
        replaced("exercise.yaml", "fails: [test_first_of_several]", "fails: [test_first]"),
        "exercise.yaml",
        "[test_first]",
        "'test_first' is no check of this exercise",
    ),
    "a single mutant": (
        lambda folder: (folder / "exercise.yaml").write_text(
            (folder / "exercise.yaml").read_text().partition("  last-of-several:")[0]
        ),
        "exercise.yaml",
        "mutants:",
        "1 mutant, at least 2 needed",
    ),
    "a heading that is no task": (
        replaced("README.md", "## 2. Be ready for nothing", "## 2. Be ready for anything"),
        "README.md",
        "for anything",
        "differs from the task",
    ),
    "a test that is no check": (
        added(TEST, "\n\ndef test_more(solution):\n    pass\n"),
        TEST,
        "def test_more",
        "test_more has no check mark",
    ),
    "a check without a title": (
        replaced(TEST, '    """Of several longest words the first one counts."""\n', ""),
        TEST,
        "def test_first_of_several",
        "test_first_of_several has no docstring",
    ),
    "an unknown topic": (
        replaced("exercise.yaml", "topic: http-rest", "topic: http-res"),
        "exercise.yaml",
        "http-res",
        "topic: 'http-res' is not in roadmap.yaml",
    ),
    "an unknown runner": (
        replaced("exercise.yaml", "runner: python", "runner: phyton"),
        "exercise.yaml",
        "phyton",
        "runner: there is no runner 'phyton'",
    ),
    "an unknown service": (
        replaced("exercise.yaml", "submit:", "services: [postgress]\nsubmit:"),
        "exercise.yaml",
        "postgress",
        "services: there is no service 'postgress'",
    ),
    "a misspelt key": (
        added("exercise.yaml", "dificulty: 2\n"),
        "exercise.yaml",
        "dificulty",
        "unknown key 'dificulty'",
    ),
}
LOOP = """def longest_word(text):
    best = ""
    for word in text.split():
        if len(word) > len(best):
            best = word
    return best
"""


def line_of(path: Path, part: str) -> int:
    """The first line with this in it."""
    lines = path.read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if part in line)


def told(problem: Problem, folder: Path) -> tuple[str, str]:
    """Where, as seen from the exercise, and what."""
    file = problem.file.removeprefix(f"{folder}/")
    return f"{file}:{problem.line}" if problem.line else file, problem.message


@pytest.mark.parametrize("way", WAYS)
def test_what_is_wrong_is_named(tmp_path: Path, way: str) -> None:
    """One thing is wrong, and it is told with its place, and nothing else is."""
    folder = new(tmp_path / "longest-word")
    change, file, line, said = WAYS[way]
    change(folder)
    where = f"{file}:{line_of(folder / file, line)}" if line else file
    problems = [told(one, folder) for one in looked_at(folder).problems]
    (missing, *others) = [one for one in problems if said in one[1]] or [("", "")]
    assert missing[0] == where, problems
    assert others == []
    assert {place for place, _ in problems} == {where}
    assert all(problem.fix for problem in looked_at(folder).problems)


@pytest.mark.parametrize(("kind", "runner"), KINDS)
def test_a_new_exercise_has_no_problem(tmp_path: Path, kind: str, runner: str) -> None:
    """Each kind, with another service beside it, too."""
    found = looked_at(new(tmp_path / "mine", kind, runner))
    assert (found.problems, found.warnings) == ([], [])
    assert len(found.proofs) == 2 + 3
    with_redis = looked_at(new(tmp_path / "other", kind, runner, ("redis",))).exercise
    assert with_redis is not None
    assert "redis" in with_redis.services


def _warnings(folder: Path) -> Iterator[tuple[str, str]]:
    found = looked_at(folder)
    assert found.problems == []
    return (told(one, folder) for one in found.warnings)


def test_a_short_ladder_and_a_pause_are_warned_of(tmp_path: Path) -> None:
    """Neither keeps an exercise from being proven."""
    folder = new(tmp_path / "mine")
    hint = "      - Which function gives the words of a text, whatever is between them?\n"
    replaced("exercise.yaml", hint, "")(folder)
    replaced(TEST, "import pytest", "import time\n\nimport pytest")(folder)
    replaced(TEST, "    first, second,", "    time.sleep(1)\n    first, second,")(folder)
    assert list(_warnings(folder)) == [
        (
            f"exercise.yaml:{line_of(folder / 'exercise.yaml', 'hints:')}",
            "the task 'longest' has 2 hints",
        ),
        (f"{TEST}:{line_of(folder / TEST, 'time.sleep')}", "waits for a fixed time"),
    ]


def test_what_ships_has_more_mutants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three are enough for an exercise of one's own, and too few for one that everybody gets."""
    folder = new(tmp_path / "mine")
    monkeypatch.setattr(shipped, "exercises", lambda: tmp_path)
    found = [told(one, folder) for one in file_findings(load_exercise(folder), []).problems]
    assert found == [
        (
            f"exercise.yaml:{line_of(folder / 'exercise.yaml', 'mutants:')}",
            "3 mutants; an exercise that ships with grader has 4 at least",
        )
    ]


def test_data_may_be_for_both(tmp_path: Path) -> None:
    """A sample file that learners get is no secret of the tests that read it, too."""
    folder = new(tmp_path / "mine")
    sample = "".join(f"a line of the sample, number {number}\n" for number in range(9))
    added("tests/sample.txt", sample)(folder)
    added("starter/sample.txt", sample)(folder)
    assert looked_at(folder).problems == []
    added("tests/sample.txt", "one more\n")(folder)
    assert [told(one, folder)[0] for one in looked_at(folder).problems] == ["starter/sample.txt:1"]


def test_code_for_the_sandbox_is_not_looked_at(tmp_path: Path) -> None:
    """A program that a test sends to the sandbox is text, and may do what it likes."""
    folder = new(tmp_path / "mine")
    added(TEST, '\n\nPROGRAM = """\nimport random\nassert random.random()\n"""\n')(folder)
    assert looked_at(folder).problems == []
