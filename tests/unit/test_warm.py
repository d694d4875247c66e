"""What is remembered of sessions that wait for the next command."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from grader.engine.base import Sandbox
from grader.engine.docker.warm import Record, WarmSessions

RECORD = Record(
    session="abc",
    judge="judge-id",
    made_for="properties",
    passwords={"postgres": {"admin": "one", "learner": "two"}},
    containers=["judge-id", "postgres-id"],
    waiting=Sandbox(name="n", slot="slot1", socket="s", key="k"),
)
NAME = WarmSessions.name("owner", "exercise")


@pytest.fixture
def warm(tmp_path: Path) -> WarmSessions:
    """Sessions in a folder that was used before."""
    made = WarmSessions(tmp_path)
    with made.lock(NAME):
        return made


def test_a_session_is_found_again(warm: WarmSessions, tmp_path: Path) -> None:
    """Another process reads what this one saved."""
    warm.save(NAME, RECORD)
    assert WarmSessions(tmp_path).load(NAME) == RECORD
    assert warm.known() == {"abc"}


def test_saving_again_replaces(warm: WarmSessions) -> None:
    """The last state counts."""
    warm.save(NAME, RECORD)
    warm.save(NAME, Record(session="def", judge="j", made_for="p", passwords={}))
    assert warm.load(NAME) == Record(session="def", judge="j", made_for="p", passwords={})


def test_a_forgotten_session_is_gone(warm: WarmSessions) -> None:
    """Forgetting is for good, leaves the others, and can be done twice."""
    other = WarmSessions.name("another")
    warm.save(NAME, RECORD)
    warm.save(other, RECORD)
    warm.forget(NAME)
    warm.forget(NAME)
    assert warm.load(NAME) is None
    assert warm.load(other) == RECORD
    assert warm.names() == [other]


def test_nothing_is_known_before_anything_was_saved(tmp_path: Path) -> None:
    """A folder that does not exist holds no session."""
    warm = WarmSessions(tmp_path / "new")
    assert warm.load(NAME) is None
    assert warm.known() == set()
    warm.forget(NAME)
    assert warm.names() == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"null",
        b'{"session": "a"}',
        b'{"unknown": 1}',
        b"[" * 100000,
        b'{"session": 5, "judge": "j", "made_for": "m", "passwords": {}}',
        b'{"session":"a","judge":"j","made_for":"m","passwords":3}',
    ],
    ids=[
        "empty",
        "half",
        "binary",
        "list",
        "null",
        "missing",
        "unknown",
        "deep",
        "number",
        "types",
    ],
)
def test_a_damaged_file_counts_as_none(warm: WarmSessions, tmp_path: Path, content: bytes) -> None:
    """What cannot be understood is no session, and no traceback."""
    warm.save(NAME, RECORD)
    (file,) = tmp_path.rglob("*.json")
    file.write_bytes(content)
    assert warm.load(NAME) is None
    assert warm.known() == set()


def test_only_the_user_can_read(warm: WarmSessions, tmp_path: Path) -> None:
    """The files hold passwords: mode 0600, in a folder of mode 0700."""
    warm.save(NAME, RECORD)
    (file,) = tmp_path.rglob("*.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_one_process_at_a_time(tmp_path: Path) -> None:
    """Who comes second is told so at once; afterwards the session is free again."""
    first, second = WarmSessions(tmp_path), WarmSessions(tmp_path)
    with first.lock(NAME) as mine:
        assert mine
        with second.lock(NAME) as theirs:
            assert not theirs
        with second.lock(WarmSessions.name("another")) as free:
            assert free
    with second.lock(NAME) as theirs:
        assert theirs


def test_names_depend_on_every_part() -> None:
    """Sessions of other learners, exercises or images are others."""
    names = {WarmSessions.name(*parts) for parts in (["a", "b"], ["ab"], ["b", "a"], ["a"], [])}
    assert len(names) == 5
    assert WarmSessions.name("../../etc") == WarmSessions.name("../../etc")
    assert WarmSessions.name("../../etc").isalnum()
