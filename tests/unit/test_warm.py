"""What is remembered of sessions that wait for the next command."""

from __future__ import annotations

import fcntl
import os
import stat
import threading
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import pytest

from grader.engine.base import Sandbox
from grader.engine.docker.warm import Record, WarmSessions
from grader.errors import InfrastructureError

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


def use(warm: WarmSessions, name: str, when: int) -> None:
    """Save a session as one that was used at `when`, in seconds."""
    with warm.lock(name):
        warm.save(name, replace(RECORD, session=f"session-{name}"))
    os.utime(warm._record(name), (when, when))


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_those_used_last_are_kept(tmp_path: Path) -> None:
    """The order is that of use, not of names or of beginning."""
    warm = WarmSessions(tmp_path)
    for when, name in enumerate(["b", "d", "a", "c"]):
        use(warm, name, when)
    assert warm.beyond(3) == ["b"]
    assert warm.beyond(1) == ["a", "d", "b"]
    assert warm.beyond(4) == []
    warm.save("b", RECORD)
    assert warm.beyond(3) == ["d"]


def test_no_lock_outlives_its_session(tmp_path: Path) -> None:
    """A session that was never saved, or was forgotten, leaves no file."""
    warm = WarmSessions(tmp_path)
    with warm.lock(NAME) as mine:
        assert mine
    assert files(tmp_path) == set()
    with warm.lock(NAME):
        warm.save(NAME, RECORD)
    assert files(tmp_path) == {f"{NAME}.json", f"{NAME}.lock"}
    with warm.lock(NAME):
        warm.forget(NAME)
    assert files(tmp_path) == set()


def test_who_does_not_get_the_lock_leaves_its_file(tmp_path: Path) -> None:
    """The process that uses the session still has it."""
    warm = WarmSessions(tmp_path)
    with warm.lock(NAME):
        with warm.lock(NAME) as theirs:
            assert not theirs
        assert files(tmp_path) == {f"{NAME}.lock"}


def test_a_lock_of_a_removed_file_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened before its owner removed it, locked after: another process may hold the new one."""
    warm = WarmSessions(tmp_path)
    owner, flock = warm.lock(NAME), fcntl.flock
    owner.__enter__()
    others: list[IO[str]] = []

    def slow(file: Any, operation: int) -> None:
        if not others:  # between our open and our lock the owner ends, and somebody else begins
            owner.__exit__(None, None, None)
            others.append((warm._folder / f"{NAME}.lock").open("w"))
            flock(others[0], fcntl.LOCK_EX)
        flock(file, operation)

    monkeypatch.setattr("grader.engine.docker.warm.fcntl.flock", slow)
    with warm.lock(NAME) as mine:
        assert not mine
    monkeypatch.undo()
    others[0].close()
    with warm.lock(NAME) as mine:
        assert mine


def test_one_at_a_time_among_many(tmp_path: Path) -> None:
    """Threads that take, use, forget and leave the same session never meet in it."""
    inside = threading.Lock()
    met: list[int] = []
    turns: list[int] = []

    def take_turns() -> None:
        warm = WarmSessions(tmp_path)
        for _ in range(200):
            with warm.lock(NAME) as mine:
                if mine:
                    free = inside.acquire(blocking=False)
                    (turns if free else met).append(1)
                    if free:
                        inside.release()

    threads = [threading.Thread(target=take_turns) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert met == []
    assert turns
    assert files(tmp_path) == set()


def test_sessions_that_ended_by_themselves_are_forgotten(tmp_path: Path) -> None:
    """With their files; one that lives, or that a process is using, stays."""
    warm = WarmSessions(tmp_path)
    for name in ("alive", "ended", "used"):
        use(warm, name, 0)
    with warm.lock("used"):
        warm.tidy(warm.records(), {"session-alive"})
        assert set(warm.names()) == {"alive", "used"}
    assert files(tmp_path) == {"alive.json", "alive.lock", "used.json", "used.lock"}


def test_a_session_saved_meanwhile_is_not_forgotten(tmp_path: Path) -> None:
    """Who looked for the living before it was made knows nothing of it."""
    warm = WarmSessions(tmp_path)
    use(warm, "a", 0)
    before = warm.records()
    with warm.lock("a"):
        warm.save("a", replace(RECORD, session="new"))
    with warm.lock("b"):
        warm.save("b", RECORD)
    warm.tidy(before, set())
    assert set(warm.names()) == {"a", "b"}


def test_what_killed_processes_left_is_dropped(tmp_path: Path) -> None:
    """A lock without a session, half a record, and a record that cannot be understood."""
    warm = WarmSessions(tmp_path)
    use(warm, "damaged", 0)
    warm._record("damaged").write_text("{")
    (warm._folder / "killed.lock").touch()
    (warm._folder / "half.lock").touch()
    (warm._folder / "half.new").write_text("{")
    warm.tidy(warm.records(), set())
    assert files(tmp_path) == set()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """It is the machine's fault, said in one line: no traceback, no bug."""
    (tmp_path / "sessions").touch()
    with pytest.raises(InfrastructureError, match=r"sessions: cannot be written"):
        WarmSessions(tmp_path).lock(NAME).__enter__()
