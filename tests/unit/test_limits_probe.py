"""What an engine enforces: how a probe's answer is judged, and that it is asked once per engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.engine.docker import limits, probe
from grader.settings import Settings

GOOD: dict[str, Any] = {
    "user": 10001,
    "read_only": True,
    "capabilities": ["0" * 16] * 3,
    "no_new_privileges": "1",
    "seccomp": "2",
    "namespace": "EPERM",
    "devices": ["lo"],
    "network": "ENETUNREACH",
    "disk": "ENOSPC",
    "inodes": "ENOSPC",
    "file_size": "EFBIG",
    "open_files": "EMFILE",
    "processes": "EAGAIN",
    "processor": "throttled",
    "memory": "killed",
}


def unenforced(found: dict[str, Any]) -> list[str]:
    return [limit.name for limit in limits.judged(found) if not limit.enforced]


def test_a_good_answer_proves_every_limit() -> None:
    """What a sandbox should feel, it feels."""
    assert unenforced(GOOD) == []
    assert len(limits.judged(GOOD)) == 12


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [
        ("user", 0, "user"),
        ("read_only", False, "read-only root"),
        ("capabilities", ["0" * 16, "0" * 16, "00000000a80425fb"], "capabilities"),
        ("no_new_privileges", "0", "no new privileges"),
        ("seccomp", "0", "system calls"),
        ("namespace", "went on", "system calls"),
        ("devices", ["lo", "eth0"], "network"),
        ("network", "went on", "network"),
        ("network", "ETIMEDOUT", "network"),
        ("disk", "went on", "disk"),
        ("inodes", "went on", "files"),
        ("file_size", "went on", "files"),
        ("open_files", "went on", "open files"),
        ("processes", "went on", "processes"),
        ("processor", "went on", "processor"),
        ("memory", "went on", "memory"),
    ],
)
def test_each_answer_counts(key: str, value: object, name: str) -> None:
    """One limit that does not bite is named, and no other."""
    assert unenforced({**GOOD, key: value}) == [name]


@pytest.mark.parametrize("key", GOOD)
def test_an_answer_that_is_missing_or_strange_proves_nothing(key: str) -> None:
    """A probe that could not say is not taken for a yes."""
    without = {name: value for name, value in GOOD.items() if name != key}
    assert len(unenforced(without)) == 1
    assert len(unenforced({**GOOD, key: None})) == 1


class Client:
    """As much of the SDK's client as the probe asks before it looks into its memory."""

    def __init__(self, **info: str) -> None:
        self._info = {"ID": "one", "ServerVersion": "20", "SecurityOptions": ["name=seccomp"]}
        self._info |= info

    def info(self) -> dict[str, Any]:
        return dict(self._info)


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The containers that would have been run; each finds what a good engine shows."""
    ran: list[dict[str, Any]] = []

    def run(*_: object) -> dict[str, Any]:
        ran.append(GOOD)
        return GOOD

    class Images:
        def __init__(self, *_: object) -> None:
            pass

        def ensure(self, names: list[str], _listener: object) -> None:
            assert names == ["judge"]

        def tag(self, name: str) -> str:
            return f"tag-of-{name}"

    monkeypatch.setattr(probe, "run", run)
    monkeypatch.setattr(limits, "Images", Images)
    return ran


def test_an_engine_is_probed_once(probed: list[dict[str, Any]], tmp_path: Path) -> None:
    """Until its version, another engine, another runtime or a damaged memory asks for more."""
    settings = Settings(state_dir=tmp_path)

    def ask(client: Client, settings: Settings = settings) -> int:
        found = limits.probe(client, settings)  # type: ignore[arg-type]  # all of it that is used
        assert all(limit.enforced for limit in found)
        return len(probed)

    assert [ask(Client()), ask(Client())] == [1, 1]
    assert [ask(Client(ServerVersion="21")), ask(Client(ID="two")), ask(Client())] == [2, 3, 3]
    assert ask(Client(), replace(settings, runtime="runsc")) == 4
    for file in (tmp_path / "limits").iterdir():
        file.write_text('{"half')
    assert [ask(Client()), ask(Client())] == [5, 5]


def test_a_machine_too_busy_to_tell_is_asked_again(
    probed: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing was proven, so the limit does not count as enforced; but that is not remembered."""
    settings, client = Settings(state_dir=tmp_path), Client()
    monkeypatch.setattr(probe, "run", lambda *_: {**GOOD, "processor": "busy"})
    busy = limits.probe(client, settings)  # type: ignore[arg-type]  # all of it that is used
    assert [limit.name for limit in busy if not limit.enforced] == ["processor"]
    monkeypatch.setattr(probe, "run", lambda *_: GOOD)
    quiet = limits.probe(client, settings)  # type: ignore[arg-type]
    assert all(limit.enforced for limit in quiet)
