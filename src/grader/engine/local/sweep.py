"""Ends what sessions left behind whose owner is gone."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from grader.engine.docker.warm import WarmSessions
from grader.engine.local import folder
from grader.engine.local.control import Control
from grader.errors import SessionLost
from grader.settings import Settings

HALF_MADE = 60.0
"""Seconds after which a folder without an owner was left, and is not being made."""


def warm_sessions(settings: Settings) -> WarmSessions:
    """The records of this engine's warm sessions."""
    return WarmSessions(settings.state_dir / "local")


def sweep(settings: Settings) -> int:
    """End our sessions that no process owns and nobody waits for; how many."""
    warm = warm_sessions(settings)
    before = warm.records()
    found = {session: folder.of(session) for session in folder.sessions(warm.home)}
    alive = {session for session, path in found.items() if _answers(path)}
    warm.tidy(before, alive)
    gone = {session for session, path in found.items() if _owner_is_gone(path)}
    dead = gone - warm.known()
    for session in dead:
        remove(session)
    return len(dead)


def stop(settings: Settings) -> int:
    """End every session that waits for its owner, and what dead ones left; how many there were."""
    warm = warm_sessions(settings)
    alive = {one for one in folder.sessions(warm.home) if _answers(folder.of(one))}
    return len(_end(warm, keep=0) & alive) + sweep(settings)


def end_oldest(settings: Settings) -> None:
    """End the warm sessions that are too many."""
    _end(warm_sessions(settings), keep=settings.warm_sessions)


def remove(session: str) -> None:
    """End one session, whatever state it is in."""
    path = folder.of(session)
    try:
        control = Control(path)
    except SessionLost:  # with its supervisor, all that it started has ended
        shutil.rmtree(path, ignore_errors=True)
        return
    end(control, path)
    control.close()


def end(control: Control, path: Path) -> None:
    """Let a supervisor end everything and itself."""
    try:
        control.ask({"op": "end"})
    except SessionLost:  # it was about to end anyway, or was killed
        shutil.rmtree(path, ignore_errors=True)


def _end(warm: WarmSessions, *, keep: int) -> set[str]:
    """End all warm sessions but the `keep` used last, and none that a process is using."""
    ended = set()
    for name in warm.beyond(keep):
        with warm.lock(name) as mine:
            record = warm.load(name)
            # Asked again: it may have been used, and left, since.
            if mine and record is not None and name in warm.beyond(keep):
                remove(record.session)
                warm.forget(name)
                ended.add(record.session)
    return ended


def _answers(path: Path) -> bool:
    try:
        Control(path).close()
    except SessionLost:
        return False
    return True


def _owner_is_gone(path: Path) -> bool:
    try:
        os.kill(int((path / "owner").read_text()), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    except (OSError, ValueError):  # it is being made, or removed, or was left half-made
        return _age(path) > HALF_MADE
    return False


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0
