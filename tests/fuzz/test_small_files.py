"""runner.yaml, .grader.json, config.toml and the record of a warm session, from any bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader import settings as settings_module
from grader import shipped
from grader.engine import runners
from grader.engine.base import Sandbox
from grader.engine.docker.warm import Record, WarmSessions
from grader.errors import GraderError, InfrastructureError, UsageError
from grader.workspace import info
from tests.fuzz.harness import expanded, fuzz, json_values, mutated, watched
from tests.fuzz.test_exercise_files import HARD_VALUES

INFO: dict[str, Any] = {
    "format": 1,
    "slug": "redis-caching",
    "exercise": None,
    "version": 1,
    "seed": 5,
    "attempts": 0,
}
HARD_JSON = (
    *(
        b"[" * 9000,
        b'{"a":' * 2000,
        b"9" * 5000,
        b"1e999",
        b"NaN",
        b'"\\ud800"',
        b"18446744073709551615",
    ),
    *(
        b'"\\u0000"',
        b'"~nobody/x"',
        b'"' + b"a" * 300 + b'"',
        b"-1",
        b"null",
        b"true",
        b"\xff",
        b"{}",
    ),
)
RUNNERS = tuple(path.read_bytes() for path in sorted(shipped.runners().glob("*/runner.yaml")))
TEMPLATES = (
    b"'{user.x}'",
    b"'{user:>9999999999}'",
    b"'{'",
    b"'{port!r}'",
    b"'{0}'",
    b"'{user[0]}'",
)
CONFIG = b"""engine = "docker"
idle_seconds = 900
exercises = "~/exercises"
registry = 'registry.example/grader'
"""
HARD_TOML = (
    *(
        b"[" * 5000,
        b"a = " + b"[" * 5000,
        b"{a = " * 900,
        b"9" * 5000,
        b"0x" + b"f" * 5000,
        b"-5",
        b"1e999",
    ),
    *(
        b"inf",
        b"nan",
        b"true",
        b"1979-05-27",
        b"1979-99-99",
        b'"\\u0000"',
        b'"\\ud800"',
        b"'~nobody/x'",
    ),
    *(b"[[a]]", b"a.b.c = 1", b"'''", b'"""', b"\r", b"\\", b"[engine]", b"99:99:99"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("small")


def names(error: GraderError, file: Path) -> None:
    """The message tells the file, and can be read."""
    assert str(file) in error.message
    assert len(error.message) < 3000


def runner_or_refused(folder: Path, content: bytes) -> None:
    (folder / "runner.yaml").write_bytes(content)
    with watched(content):
        try:
            found = runners.read(folder)
        except InfrastructureError as error:
            names(error, folder / "runner.yaml")
            return
        found.variables(user="u", password="p", port=1)


@fuzz
@given(mutated(*RUNNERS, also=HARD_VALUES + TEMPLATES))
def test_a_runner(folder: Path, content: bytes) -> None:
    """runner.yaml with damage: a runner whose variables can be filled in, or a refusal."""
    runner_or_refused(folder, content)


SERVICE = (shipped.runners() / "postgres" / "runner.yaml").read_text("utf-8")


@pytest.mark.parametrize("key", ["kind", "uid", "data", "env", "accounts", "  DATABASE_URL"])
def test_hard_values_of_a_runner(folder: Path, key: str) -> None:
    """Dates that do not exist, numbers without end, fields that reach into objects."""
    lines = [line.encode() for line in SERVICE.splitlines() if not line.startswith(f"{key}:")]
    for value in (*HARD_VALUES, *TEMPLATES):
        runner_or_refused(folder, b"\n".join([*lines, key.encode() + b": " + value]))


def info_or_refused(folder: Path, content: bytes) -> None:
    (folder / ".grader.json").write_bytes(content)
    with watched(content):
        try:
            found = info.read(folder)
        except UsageError as error:
            names(error, folder / ".grader.json")
            return
        assert info.count_attempt(folder) == found.attempts + 1
        assert info.read(folder).seed == found.seed


@fuzz
@given(mutated(json.dumps(INFO).encode(), also=HARD_JSON))
def test_a_workspace_file(folder: Path, content: bytes) -> None:
    """.grader.json with damage: what was read can be counted up and written again."""
    info_or_refused(folder, content)


@fuzz
@given(st.dictionaries(st.sampled_from([*INFO, "later"]), json_values(), max_size=3))
def test_a_workspace_file_of_other_types(folder: Path, values: dict[str, Any]) -> None:
    """Every key with any value that JSON has."""
    info_or_refused(folder, json.dumps({**INFO, **expanded(values)}).encode())


@pytest.mark.parametrize(
    "values",
    [
        {"attempts": 2**64 - 1},
        {"attempts": -1},
        {"seed": 2**60},
        {"seed": 10**300},
    ],
    ids=str,
)
def test_a_number_that_could_not_be_written_is_refused(folder: Path, values: Any) -> None:
    """It was noticed when the attempt was counted, after the grading."""
    (folder / ".grader.json").write_bytes(json.dumps({**INFO, **values}).encode())
    with pytest.raises(UsageError, match="is damaged"):
        info.read(folder)


def test_a_workspace_file_nested_without_end_is_refused(folder: Path) -> None:
    """In a key that is skipped, too."""
    info_or_refused(folder, json.dumps(INFO).encode()[:-1] + b', "later": ' + b"[" * 50_000)


def settings_or_refused(folder: Path, content: bytes) -> None:
    (folder / "config.toml").write_bytes(content)
    with watched(content):
        try:
            found = settings_module.load({}, {"GRADER_CONFIG": str(folder / "config.toml")})
        except UsageError as error:
            names(error, folder / "config.toml")
            return
    assert 0 < found.idle_seconds < 10**6


@fuzz
@given(mutated(CONFIG, also=HARD_TOML))
def test_a_config_file(folder: Path, content: bytes) -> None:
    """config.toml with damage."""
    settings_or_refused(folder, content)


@pytest.mark.parametrize("key", [*settings_module.FROM_USER, "unknown", ""])
def test_hard_values_of_a_config_file(folder: Path, key: str) -> None:
    """Numbers too long to print, nesting without end, the home of nobody."""
    for value in HARD_TOML:
        settings_or_refused(folder, key.encode() + b" = " + value if key else value)


RECORD = Record(
    session="abc",
    judge="id",
    made_for="(spec)",
    passwords={"postgres": {"admin": "one", "learner": "two"}},
    containers=["a", "b"],
    waiting=Sandbox(name="n", slot="slot1", socket="s", key="k"),
)


def record_or_none(folder: Path, content: bytes) -> None:
    warm = WarmSessions(folder)
    name = warm.name("a")
    with warm.lock(name):
        (folder / "sessions" / f"{name}.json").write_bytes(content)
        with watched(content):
            found = warm.load(name)
            known = warm.known()
        assert (found is None) == (not known)
        if found is not None:
            assert all({"admin", "learner"} <= set(one) for one in found.passwords.values())
            assert found.waiting is None or found.waiting.socket is not None
            warm.save(name, found)
            assert warm.load(name) == found


@fuzz
@given(mutated(msgspec.json.encode(RECORD), also=HARD_JSON))
def test_a_warm_session(folder: Path, content: bytes) -> None:
    """A record with damage is whole, or none."""
    record_or_none(folder, content)


@fuzz
@given(st.dictionaries(st.sampled_from(list(vars(RECORD))), json_values(), max_size=2))
def test_a_warm_session_of_other_types(folder: Path, values: dict[str, Any]) -> None:
    """Each field with any value that JSON has."""
    content = {**msgspec.to_builtins(RECORD), **expanded(values)}
    record_or_none(folder, json.dumps(content).encode())


@pytest.mark.parametrize("waiting", [{"name": "n"}, {}, {"slot": "s", "key": "k"}])
def test_a_sandbox_that_lacks_a_part_is_none(folder: Path, waiting: dict[str, str]) -> None:
    """It was noticed when the session had been taken up already."""
    record_or_none(folder, json.dumps({**msgspec.to_builtins(RECORD), "waiting": waiting}).encode())
    assert WarmSessions(folder).load(WarmSessions.name("a")) is None
