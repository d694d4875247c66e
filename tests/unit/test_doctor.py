"""What doctor says of each state of a machine, and that every problem comes with its fix."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grader.engine.docker import doctor, findings
from grader.engine.docker.endpoint import Endpoint
from grader.engine.docker.images import ImageInfo
from grader.engine.machine import python, state_folder
from grader.model.finding import Finding, State, ready
from grader.settings import Settings

GB = 1000**3
WHERE = Endpoint(url="unix:///var/run/docker.sock", source="the default")
INFO: dict[str, Any] = {
    "OSType": "linux",
    "Architecture": "x86_64",
    "MemTotal": 8 * GB,
    "NCPU": 4,
    "Runtimes": {"runc": {}, "runsc": {}},
}


@dataclass(frozen=True)
class Limit:
    name: str
    enforced: bool
    what: str = "using more"


def image(name: str, *, present: bool = True) -> ImageInfo:
    return ImageInfo(name=name, tag=f"grader-{name}:0", present=present)


def problem(finding: Finding) -> tuple[State, str, str]:
    """The finding's state, cause and fix; each of the two is one line, and there."""
    for line in (finding.found, finding.cause, finding.fix):
        assert line
        assert "\n" not in line
    return finding.state, finding.cause, finding.fix


def test_the_engine_is_named_with_its_place() -> None:
    found = findings.engine(WHERE, {"Version": "20.10.24"}, INFO)
    assert found.state is State.WORKS
    assert found.found == "20.10.24 at unix:///var/run/docker.sock (the default)"
    assert (found.facts["version"], found.facts["product"]) == ("20.10.24", "Docker")


def test_podman_is_told_from_docker() -> None:
    version = {"Version": "5.4.2", "Components": [{"Name": "Podman Engine"}]}
    found = findings.engine(WHERE, version, INFO)
    assert found.found.startswith("Podman 5.4.2 at ")
    assert found.facts["product"] == "Podman"


def test_windows_containers_are_no_use() -> None:
    finding = findings.engine(WHERE, {"Version": "27"}, {**INFO, "OSType": "windows"})
    state, cause, fix = problem(finding)
    assert state is State.FAILS
    assert "windows containers" in cause
    assert "Switch to Linux containers" in fix


def test_a_runtime_that_the_engine_does_not_know() -> None:
    assert findings.runtime("runsc", INFO).state is State.WORKS
    state, cause, fix = problem(findings.runtime("kata", INFO))
    assert state is State.FAILS
    assert "runc, runsc" in cause
    assert "unset GRADER_RUNTIME" in fix


@pytest.mark.parametrize(("total", "state"), [(2 * GB, State.WORKS), (2 * GB - 1, State.WARNS)])
def test_memory(total: int, state: State) -> None:
    found = findings.memory({**INFO, "MemTotal": total})
    assert found.state is state
    assert found.found == "2.0 GB, 4 processors"
    assert found.facts == {"total_bytes": total, "processors": 4}


def test_more_memory_is_given_where_the_engine_takes_it_from() -> None:
    little = {**INFO, "MemTotal": GB, "NCPU": 1}
    assert "GRADER_WARM_SESSIONS=1" in problem(findings.memory(little))[2]
    desktop = findings.memory({**little, "OperatingSystem": "Docker Desktop"})
    assert "Docker Desktop" in problem(desktop)[2]
    assert desktop.found.endswith("1 processor")


@pytest.mark.parametrize(
    ("free", "state"),
    [
        (2 * GB, State.WORKS),
        (2 * GB - 1, State.WARNS),
        (GB // 10, State.WARNS),
        (GB // 10 - 1, State.FAILS),
        (0, State.FAILS),
    ],
)
def test_disk(free: int, state: State) -> None:
    found = findings.disk(free, "/var/lib/docker")
    assert found.state is state
    assert "free in /var/lib/docker" in found.found
    if state is not State.WORKS:
        assert problem(found)[2].endswith("docker system prune")


def test_a_disk_that_cannot_be_seen_is_no_problem() -> None:
    found = findings.disk(None, "/var/lib/docker")
    assert found.state is State.WORKS
    assert found.found.startswith("not known")
    assert found.facts["free_bytes"] is None


def test_images() -> None:
    assert findings.images([image("base"), image("judge")]).found == "all 2 are here"
    missing = findings.images([image("base"), image("judge", present=False)])
    state, cause, fix = problem(missing)
    assert state is State.WARNS
    assert missing.found == "1 of 2 are here"
    assert cause.endswith("builds them: judge")
    assert "grader images build" in fix
    assert missing.facts == {"present": 1, "total": 2, "missing": ["judge"]}


def test_mirrors_are_shown_without_their_passwords() -> None:
    """A screen that is sent to somebody who helps must not hold what nobody may know."""
    settings = Settings(
        base_image="debian:trixie-slim",
        registry="registry.example/grader",
        build_environment={
            "HTTPS_PROXY": "http://me:secret@proxy:3128",
            "PIP_INDEX_URL": "https://pypi.example/simple",
            "NO_PROXY": "localhost,.example",
        },
    )
    found = findings.builds(settings, False)
    assert found.state is State.WORKS
    assert found.found == (
        "from debian:trixie-slim (will be pulled); registry: registry.example/grader; "
        "HTTPS_PROXY=http://***@proxy:3128; PIP_INDEX_URL=https://pypi.example/simple; "
        "NO_PROXY=localhost,.example"
    )
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://me:secret@proxy:3128", "http://***@proxy:3128"),
        ("http://token@proxy/path?q=1", "http://***@proxy/path?q=1"),
        ("me:secret@proxy:3128", "***@proxy:3128"),
        ("//me:secret@proxy", "//***@proxy"),
        ("proxy:3128", "proxy:3128"),
        ("http://[", "http://["),
        ("http://me:secret@[", "http://***@["),
        (
            "https://a:b@one/simple https://c:d@two/simple",
            "https://***@one/simple https://***@two/simple",
        ),
    ],
)
def test_no_login_is_shown(url: str, shown: str) -> None:
    assert findings.without_login(url) == shown


def test_limits_that_are_enforced() -> None:
    found = findings.limits([Limit("memory", enforced=True), Limit("pids", enforced=True)], INFO)
    assert (found.state, found.found) == (State.WORKS, "enforced: memory, pids")


def test_limits_that_are_not_enforced() -> None:
    """Checks of one's own still run; grading for others does not, and that is said."""
    tried = [Limit("memory", enforced=True), Limit("pids", enforced=False, what="forking")]
    state, cause, fix = problem(findings.limits(tried, INFO))
    assert state is State.WARNS
    assert "forking" in cause
    assert "docker info" in fix
    rootless = findings.limits(tried, {**INFO, "SecurityOptions": ["name=rootless"]})
    assert "security/rootless" in problem(rootless)[2]
    assert rootless.facts == {"enforced": ["memory"], "not_enforced": ["pids"]}


@pytest.mark.parametrize(
    ("waiting", "swept", "said"),
    [(0, 0, "none is warm"), (2, 0, "2 warm"), (1, 3, "1 warm; dead ones removed: 3")],
)
def test_sessions(waiting: int, swept: int, said: str) -> None:
    found = findings.sessions(waiting, swept)
    assert (found.state, found.found) == (State.WORKS, said)
    assert found.facts == {"warm": waiting, "swept": swept}


def test_an_old_python_is_named() -> None:
    assert python((3, 11, 0), "/usr/bin/python3").state is State.WORKS
    state, cause, _ = problem(python((3, 10, 12), "/usr/bin/python3"))
    assert state is State.FAILS
    assert "3.11" in cause


def test_the_state_folder_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "state"
    assert state_folder(folder) == Finding(
        name="state", found=str(folder), facts={"folder": str(folder)}
    )
    assert list(folder.iterdir()) == []


def test_a_state_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    state, cause, fix = problem(state_folder(tmp_path / "file" / "state"))
    assert state is State.FAILS
    assert str(tmp_path / "file") in cause
    assert "GRADER_STATE_DIR" in fix


def test_a_state_folder_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr("grader.engine.machine.tempfile.TemporaryFile", refuse)
    state, cause, fix = problem(state_folder(tmp_path))
    assert state is State.FAILS
    assert "Permission denied" in cause
    assert fix == f"sudo chown -R $USER {tmp_path}"


def test_no_engine_is_the_only_finding(tmp_path: Path) -> None:
    settings = Settings(
        state_dir=tmp_path, docker_environment={"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    )
    (found,) = doctor.examine(settings, lambda _: None)
    state, cause, fix = problem(found)
    assert (found.name, state) == ("docker", State.FAILS)
    assert "none.sock" in cause
    assert "unset DOCKER_HOST" in fix


@pytest.mark.parametrize(
    ("states", "can"),
    [([], True), ([State.WORKS, State.WARNS], True), ([State.WARNS, State.FAILS], False)],
)
def test_only_a_failure_keeps_checks_from_running(states: list[State], can: bool) -> None:
    assert ready([Finding(name="x", state=state, found="x") for state in states]) is can
