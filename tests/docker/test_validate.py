"""Ways to spoil a new exercise that show only when it runs: each is named."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader import shipped
from grader.authoring.cache import Proofs
from grader.authoring.new import Wanted, make
from grader.authoring.proofs import Kind
from grader.authoring.validate import Validation, Validator, examine
from grader.catalog import load_roadmap
from grader.engine.docker.engine import DockerEngine
from grader.engine.docker.warm import WarmSessions
from grader.settings import Settings

pytestmark = pytest.mark.docker
Change = Callable[[Path], object]
Prove = Callable[..., Validation]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A new exercise, proven with two seeds."""
    path = tmp_path / "longest-word"
    wanted = Wanted(folder=path, topic="http-rest", runner="python")
    make(wanted, load_roadmap(shipped.exercises()), ["postgres", "redis"])
    contract = path / "exercise.yaml"
    contract.write_text(contract.read_text() + "validate: {seeds: 2}\n")
    return path


@pytest.fixture
def prove(docker_engine: DockerEngine, settings: Settings, tmp_path: Path) -> Prove:
    """Proves an exercise, or only some kinds of its proofs."""

    def run(folder: Path, *kinds: Kind) -> Validation:
        found = examine(shipped.exercises(), str(folder))
        assert found.exercise is not None, found.problems
        found.proofs = [one for one in found.proofs if not kinds or one.kind in kinds]
        cache = Proofs(tmp_path / "proofs")
        validator = Validator(found.exercise, lambda: DockerEngine(settings), cache, jobs=2)
        validator.prove(found, lambda _: None, lambda _: None)
        assert found.lost == []
        return found

    return run


def replaced(file: str, old: str, text: str) -> Change:
    """The change that puts `text` in the place of `old`."""

    def change(folder: Path) -> None:
        before = (folder / file).read_text()
        assert before.count(old) == 1, f"{file} has {before.count(old)} of {old!r}"
        (folder / file).write_text(before.replace(old, text))

    return change


def added(file: str, text: str) -> Change:
    def change(folder: Path) -> None:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        with (folder / file).open("a") as target:
            target.write(text)

    return change


def finished_starter(folder: Path) -> None:
    shutil.copy(folder / "solution" / "words.py", folder / "starter" / "words.py")


TEST, WORDS = "tests/test_words.py", "words.py"
CHECK = '@pytest.mark.check(task="nothing", points=1)\n'
BODY = '    return max(text.split(), key=len, default="")'
FLAKY = f"""

@pytest.mark.parametrize("n", {list(range(16))})
{CHECK}def test_lucky(solution, n):
    \"\"\"Luck {{n}}.\"\"\"
    with open("/dev/urandom", "rb") as noise:
        assert noise.read(1)[0] % 2, "No luck."
"""
ORDER = f"""

SEEN = []


@pytest.mark.parametrize("n", {list(range(8))})
{CHECK}def test_in_turn(solution, n):
    \"\"\"Turn {{n}}.\"\"\"
    SEEN.append(n)
    assert len(SEEN) == n + 1, "It is not your turn."
"""
ACCEPTS = f"""

{CHECK}def test_anything(solution):
    \"\"\"Anything goes.\"\"\"
    solution.call("words:longest_word", "a word")
"""
RAISES = f"""

{CHECK}def test_stumbles(solution):
    \"\"\"It stumbles.\"\"\"
    assert {{}}["answer"], "There is no answer."
"""
ONE_SEED = f"""

{CHECK}def test_with_luck(solution, seed):
    \"\"\"One seed is as good as another.\"\"\"
    assert seed % 2, "An even seed."
"""
SLOW = f"""

{CHECK.replace("points", "seconds")}def test_slowly(solution):
    \"\"\"In time.\"\"\"
    import time

    time.sleep(1.2)
"""
ALTERNATIVE = """def longest_word(text):
    return sorted(text.split(), key=len)[-1] if text.split() else ""
"""

# The proofs that are made; what is done; the beginning of a message and a part of the same one.
WAYS: dict[str, tuple[Kind, Change, str, str]] = {
    "a starter that passes": (
        Kind.STARTER,
        finished_starter,
        "passes all checks with seed",
        "nothing is left to do",
    ),
    "a starter that crashes": (
        Kind.STARTER,
        replaced(
            "starter/words.py",
            "    return None",
            "    return text.split()[0] / 2 if text.split() else None",
        ),
        "test_longest_word breaks on the starter",
        "TypeError",
    ),
    "a test that stumbles over the starter": (
        Kind.STARTER,
        replaced(
            TEST,
            "        assert got == longest,",
            "        got.strip()\n        assert got == longest,",
        ),
        "test_longest_word stumbles over the starter's answer",
        "tells nothing",
    ),
    "a test that rejects the reference": (
        Kind.REFERENCE,
        replaced(TEST, "assert got == first", "assert got == second"),
        "test_first_of_several failed",
        "on the reference",
    ),
    "a test that rejects it with some seeds": (
        Kind.REFERENCE,
        added(TEST, ONE_SEED),
        "test_with_luck failed",
        "and passes with others",
    ),
    "a test that depends on luck": (
        Kind.REFERENCE,
        added(TEST, FLAKY),
        "test_lucky[",
        "is flaky: with seed",
    ),
    "a test that depends on another one": (
        Kind.REFERENCE,
        added(TEST, ORDER),
        "test_in_turn[",
        "only in another order of checks",
    ),
    "a test that raises by itself": (
        Kind.REFERENCE,
        added(TEST, RAISES),
        "the check 'test_stumbles' fails by itself",
        "KeyError: 'answer'",
    ),
    "a test too slow for its time": (
        Kind.REFERENCE,
        added(TEST, SLOW),
        "test_slowly broke",
        "timeout",
    ),
    "a right solution that is rejected": (
        Kind.ALTERNATIVE,
        added("alternatives/sorts/words.py", ALTERNATIVE),
        "test_first_of_several failed",
        "on the alternative 'sorts'",
    ),
    "a mutant that is right": (
        Kind.MUTANT,
        replaced(
            "exercise.yaml",
            '(text.split() or [\\"\\"])[0]',
            'max([*text.split(), \\"\\"], key=len)',
        ),
        "the mutant 'first-word' passes every check",
        "takes the first word",
    ),
    "a mutant that another check rejects": (
        Kind.MUTANT,
        replaced("exercise.yaml", "fails: [test_first_of_several]", "fails: [test_longest_word]"),
        "the mutant 'last-of-several' is not rejected",
        "test_longest_word: expected failed, got passed",
    ),
    "a mutant that breaks where it should fail": (
        Kind.MUTANT,
        replaced("exercise.yaml", "breaks: [test_no_words]", "fails: [test_no_words]"),
        "the mutant 'needs-a-word' is not rejected",
        "test_no_words: expected failed, got broke",
    ),
    "a test that accepts anything": (
        Kind.MUTANT,
        added(TEST, ACCEPTS),
        "no mutant fails test_anything",
        "nothing shows that it rejects anything",
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_wrong_is_named(folder: Path, prove: Prove, way: str) -> None:
    """It is told what is wrong, and how to mend it, and nothing else."""
    kind, change, begins, says = WAYS[way]
    change(folder)
    found = prove(folder, kind)
    assert not found.proven
    wrong = [one for one in found.problems if not one.message.startswith(begins)]
    assert wrong == []
    assert found.problems
    assert all(says in one.message for one in found.problems)


def test_a_new_exercise_is_proven_once(folder: Path, prove: Prove, settings: Settings) -> None:
    """All is right; the next time it is known, until something changes; and nothing is left."""
    sessions = WarmSessions(settings.state_dir)
    before = sessions.records().keys()  # other tests may have left some warm
    first = prove(folder)
    assert (first.proven, first.problems, first.warnings) == (True, [], [])
    assert all(one.worker is not None and one.proven.runs for one in first.ended)
    assert sessions.records().keys() <= before

    again = prove(folder)
    assert again.proven
    assert all(one.worker is None for one in again.ended)

    replaced(
        "exercise.yaml", "takes the first word, however", "is content with the first, however"
    )(folder)
    replaced("exercise.yaml", ', default=\\"\\"", ""]]', ', default=\\"\\"", " "]]')(folder)
    changed = prove(folder)
    assert changed.proven
    assert [one.proof.name for one in changed.ended if one.worker is not None] == ["needs-a-word"]


@pytest.mark.parametrize(
    ("kind", "runner"),
    [("program", "python"), ("program", "shell"), ("http", "python"), ("sql", "sql")],
)
def test_each_kind_is_right_from_the_start(
    tmp_path: Path, prove: Prove, kind: str, runner: str
) -> None:
    """The others than the function above; one seed is enough to see it."""
    path = tmp_path / "mine"
    wanted = Wanted(folder=path, topic="http-rest", runner=runner, kind=kind)
    make(wanted, load_roadmap(shipped.exercises()), ["postgres"])
    added("exercise.yaml", "validate: {seeds: 1}\n")(path)
    found = prove(path)
    assert (found.problems, found.warnings) == ([], [])
    assert found.proven


@pytest.mark.usefixtures("docker_engine")
def test_an_interruption_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    """Ctrl-C in the middle of proofs: exit code 130, and no container stays."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GRADER_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "grader", "validate", str(folder), "--jobs", "2"],
        env={**env, "GRADER_STATE_DIR": str(tmp_path / "state")},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    said = []
    while "starter" not in (line := process.stderr.readline()) and line:
        said.append(line)  # the first proof is made: the others are under way
    assert _sessions(process.pid), said
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode == 130
    assert _sessions(process.pid) == []


def _sessions(pid: int) -> list[str]:
    """Containers of this process's workers."""
    listed = subprocess.run(
        ["docker", "ps", "-a", "--format", '{{.ID}} {{.Label "grader.owner"}}'],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in listed.stdout.splitlines() if f"grader validate {pid} " in line]
