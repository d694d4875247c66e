"""What a session without Docker promises beyond the contract of all engines."""

from __future__ import annotations

import os
import signal
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from grader import shipped
from grader.authoring import variants
from grader.catalog import load_catalog, load_exercise
from grader.engine.base import SessionSpec
from grader.engine.local import folder, sweep
from grader.engine.local.confinement import confinement
from grader.errors import InfrastructureError
from grader.grade import GradeOptions, grade
from grader.making import Maker
from grader.model.exercise import Limits
from grader.model.report import CheckResult, Outcome, Report
from grader.settings import Settings
from grader.workspace.snapshot import snapshot_folder

if TYPE_CHECKING:
    from grader.engine.local.engine import LocalEngine

GRADED = Path(__file__).parent.parent / "data" / "graded"
CATALOG = load_catalog(shipped.exercises()).exercises
confined = pytest.mark.skipif(
    not confinement().bubblewrap, reason=f"no sandbox here: {confinement().why_not}"
)


def _report(engine: LocalEngine, name: str, **options: object) -> Report:
    exercise = load_exercise(GRADED / name)
    submission = snapshot_folder(exercise.solution, exercise.submit, exercise.limits)
    made = GradeOptions(seed=5, trusted=True, **options)  # type: ignore[arg-type]  # as declared
    report = grade(exercise, submission, engine, made, lambda _: None)
    assert report.error == ""
    return report


def _wrong(report: Report) -> dict[str, CheckResult]:
    return {check.id: check for check in report.checks() if check.outcome is not Outcome.PASSED}


@pytest.mark.parametrize("slug", sorted(CATALOG))
def test_references_pass_warm_and_cold(
    local_engine: LocalEngine, slug: str, tmp_path: Path
) -> None:
    """Every exercise that ships is graded without Docker, twice in one session."""
    exercise = CATALOG[slug]
    for seed in (1, 20_260):
        options = GradeOptions(seed=seed, owner=str(tmp_path), trusted=True)
        maker = Maker(exercise, local_engine, lambda _: None)
        made = maker.submission(variants.solution(exercise), seed)
        report = grade(exercise, made, local_engine, options, lambda _: None)
        assert (report.score, report.error) == (100, ""), _wrong(report)


@confined
def test_the_walls_of_the_sandbox(local_engine: LocalEngine) -> None:
    """Felt from the inside: no network, no host, no hidden test, only the session's services."""
    wrong = _wrong(_report(local_engine, "isolation"))
    # Here the user has another number each time, and bubblewrap's /dev has devices of the host.
    assert set(wrong) <= {"test_first", "test_small_mounts"}, wrong
    assert set(wrong["test_small_mounts"].got or "") == set(
        "{'devpts', 'proc', 'tmpfs', 'devtmpfs', 'mqueue'}"
    )


@confined
def test_attacks_get_nothing(local_engine: LocalEngine) -> None:
    """As in Docker, but for what docs/security.md says: there is no filter of system calls."""
    wrong = _wrong(_report(local_engine, "attacks"))
    assert set(wrong) <= {"test_processes", "test_rights"}, wrong
    assert set(eval(wrong["test_rights"].got or "")) <= {
        *("add_key", "keyctl", "shmget", "msgget", "semget", "io_uring_setup", "userns")
    }


def _spec(tmp_path: Path) -> SessionSpec:
    return SessionSpec(
        exercise="sum", runner="python", services=(), limits=Limits(), owner=str(tmp_path)
    )


def test_stop_ends_warm_sessions(
    local_engine: LocalEngine, settings: Settings, tmp_path: Path
) -> None:
    """No process and no folder is left, and the next session is a new one."""
    with local_engine.session(_spec(tmp_path), lambda _: None) as session:
        name = session.record.session
    assert folder.of(name).exists()
    assert sweep.stop(settings) >= 1
    assert not folder.of(name).exists()
    with local_engine.session(_spec(tmp_path), lambda _: None) as session:
        assert not session.reused
        session.spoil()


def test_a_session_whose_supervisor_was_killed_is_replaced(
    local_engine: LocalEngine, tmp_path: Path
) -> None:
    """The next run makes another one, and what is left of the first goes."""
    with local_engine.session(_spec(tmp_path), lambda _: None) as session:
        name, supervisor = session.record.session, session._supervisor
    os.kill(supervisor, signal.SIGKILL)
    os.waitpid(supervisor, 0)
    with local_engine.session(_spec(tmp_path), lambda _: None) as session:
        assert not session.reused
        assert not folder.of(name).exists()
        session.spoil()


@confined
def test_a_sandbox_that_is_killed_from_outside_is_known(
    local_engine: LocalEngine, tmp_path: Path
) -> None:
    """Its program can do nothing of the kind: whoever did it is not to be blamed for it."""
    with local_engine.session(_spec(tmp_path), lambda _: None) as session:
        first, second = session.sandbox(), session.replicas(1)[0]
        session.spoil()
        assert session._control is not None
        news = session._control.ask({"op": "news"})
        assert news["ended"] == {}
        os.kill(news["running"][first.name], signal.SIGKILL)
        deadline = time.monotonic() + 5
        while not session.was_killed(first):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert not session.was_killed(second)


def test_the_folder_is_nobody_elses(local_engine: LocalEngine, tmp_path: Path) -> None:
    """Other users may not list it, nor speak with its supervisor."""
    with local_engine.session(_spec(tmp_path), lambda _: None) as session:
        session.spoil()
        place = folder.of(session.record.session)
        assert stat.S_IMODE(place.stat().st_mode) == 0o711
        assert stat.S_IMODE((place / "control").stat().st_mode) == 0o700
        assert stat.S_IMODE((place / "tmp").stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's Python can be closed to others")
def test_a_program_never_runs_as_root(
    local_engine: LocalEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without bubblewrap, and where no other user can run this Python, nothing runs at all."""
    from grader.engine.local import confinement, sandbox

    closed = tmp_path / "python"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(sandbox, "interpreter", lambda: closed / "python3")
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    confinement.confinement.cache_clear()
    try:
        with pytest.raises(InfrastructureError, match="do not run as root") as caught:
            local_engine.prepare(_spec(tmp_path), lambda _: None)
        assert "apt-get install bubblewrap" in caught.value.fix
    finally:
        confinement.confinement.cache_clear()
