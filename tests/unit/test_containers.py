"""Every container of a session has every item of the hardening."""

from __future__ import annotations

from typing import Any

import pytest
from docker.types import HostConfig, Mount

from grader import shipped
from grader.engine import runners
from grader.engine.base import Sandbox
from grader.engine.docker import containers
from grader.engine.docker.containers import Container
from grader.engine.runners import Runner
from grader.model.exercise import MIB, Limits

RUNNERS = runners.load(shipped.runners())
SERVICES = {name: runner for name, runner in RUNNERS.items() if runner.kind == "service"}
LANGUAGES = {name: runner for name, runner in RUNNERS.items() if runner.kind == "language"}
JUDGE = RUNNERS["judge"]
PASSWORDS = {"admin": "admins-own", "learner": "learners-own"}
LABELS = {containers.LABEL: "abc"}


class Api:
    """The only part of the SDK's client that is used: it fills in what depends on the version."""

    def create_host_config(self, **values: Any) -> HostConfig:
        return HostConfig(version="1.41", **values)


def slot(uid: int) -> Mount:
    return containers.slot_mount("abc", "slot0", uid, containers.SLOT_FOLDER, read_only=False)


def sandbox(runner: Runner, limits: Limits | None = None, runtime: str = "") -> Container:
    return containers.sandbox(
        session="abc",
        image="tag",
        runner=runner,
        judge_uid=JUDGE.uid,
        slot=slot(runner.uid),
        address=Sandbox(name="n", slot="slot0", socket="a.sock", key="agents-key"),
        services=SERVICES,
        limits=limits or Limits(),
        labels=LABELS,
        runtime=runtime,
    )


def service(runner: Runner) -> Container:
    return containers.service("abc", "tag", runner, "judge-id", JUDGE.uid, PASSWORDS, LABELS)


def judge() -> Container:
    uids = {"slot0": 10001, "slot1": 10001}
    return containers.judge("abc", "tag", JUDGE, uids, LABELS)


ALL: dict[str, Container] = {
    "judge": judge(),
    **{name: service(runner) for name, runner in SERVICES.items()},
    **{name: sandbox(runner) for name, runner in LANGUAGES.items()},
}
EACH = pytest.mark.parametrize("container", ALL.values(), ids=list(ALL))


def made(container: Container) -> dict[str, Any]:
    return containers.arguments(Api(), container)


def host(container: Container) -> dict[str, Any]:
    return dict(made(container)["host_config"])


def in_bytes(options: str) -> int:
    (text,) = (part[5:] for part in options.split(",") if part.startswith("size="))
    return int(text) if text.isdigit() else containers.size(text)


@EACH
def test_no_container_may_more_than_it_must(container: Container) -> None:
    """No capability, no new privilege, nothing of the host, a root that cannot be written."""
    config = host(container)
    assert config["CapDrop"] == ["ALL"]
    assert "CapAdd" not in config
    assert config["SecurityOpt"] == ["no-new-privileges"]
    assert config["ReadonlyRootfs"] is True
    assert not config.get("Privileged")
    assert config["IpcMode"] == "private"
    assert not {"PidMode", "UTSMode", "UsernsMode", "Devices", "Links"} & set(config)


@EACH
def test_every_resource_is_limited(container: Container) -> None:
    """Memory without swap, processors, processes, open files; no core is dumped."""
    config = host(container)
    assert 0 < config["Memory"] == config["MemorySwap"]
    assert config["NanoCpus"] > 0
    assert 0 < config["PidsLimit"] <= 512
    ulimits = {limit["Name"]: (limit["Soft"], limit["Hard"]) for limit in config["Ulimits"]}
    assert ulimits["core"] == (0, 0)
    soft, hard = ulimits["nofile"]
    assert 0 < soft == hard <= 4096


@EACH
def test_files_in_memory_fit_into_it(container: Container) -> None:
    """All that can be written is sized, and together less than the memory limit."""
    config = host(container)
    sizes = [in_bytes(options) for options in config["Tmpfs"].values()]
    assert sizes
    assert sum(sizes) + config["ShmSize"] < config["Memory"]


@pytest.mark.parametrize("disk", [1, 64, 190])
def test_a_disk_of_three_quarters_of_the_memory_fits(disk: int) -> None:
    """Beside the submission's folder there are /tmp and /dev/shm, in the same memory."""
    runner = LANGUAGES["python"]
    config = host(sandbox(runner, Limits(memory=256 * MIB, disk=disk * MIB)))
    sizes = [in_bytes(options) for options in config["Tmpfs"].values()]
    assert sum(sizes) + config["ShmSize"] < config["Memory"]


@EACH
def test_nothing_of_the_host_is_reachable(container: Container) -> None:
    """No folder of the host, no port on it, and a network without a way out."""
    arguments, config = made(container), host(container)
    assert "Binds" not in config
    assert not config.get("PortBindings")
    assert not config.get("PublishAllPorts")
    assert "ports" not in arguments
    assert config["NetworkMode"] == "none" or config["NetworkMode"] == "container:judge-id"
    for mount in config["Mounts"]:
        assert mount["Type"] == "volume"
        driver = mount["VolumeOptions"]["DriverConfig"]
        assert driver["Options"]["type"] == driver["Options"]["device"] == "tmpfs"
        assert {"nosuid", "nodev", "noexec", "size=1m"} <= set(driver["Options"]["o"].split(","))


@EACH
def test_containers_leave_nothing(container: Container) -> None:
    """They go when they end, their volumes carry the session's label, and logs are capped."""
    arguments, config = made(container), host(container)
    assert config["AutoRemove"] is True
    assert arguments["labels"] == LABELS
    assert arguments["environment"]["GRADER_LEASE"] == containers.LEASE
    for mount in config["Mounts"]:
        assert mount["VolumeOptions"]["Labels"] == LABELS
    log = config["LogConfig"]
    assert log["Type"] == "none" or log["Config"] == {"max-size": "1m", "max-file": "1"}


@EACH
def test_nobody_is_root(container: Container) -> None:
    """User and group are the image's own."""
    user, _, group = str(made(container)["user"]).partition(":")
    assert user == group
    assert int(user) >= 1000


def test_every_image_has_another_user() -> None:
    """What one container writes another cannot, not even through a shared volume."""
    users = [made(container)["user"] for container in ALL.values()]
    assert len(set(users)) == len(users)


@pytest.mark.parametrize("runner", LANGUAGES.values(), ids=list(LANGUAGES))
def test_a_sandbox_knows_no_secret(runner: Runner) -> None:
    """Its environment has the agent's key, and no account of any service."""
    environment = made(sandbox(runner))["environment"]
    text = repr(environment)
    assert not any(password in text for password in PASSWORDS.values())
    assert "PASSWORD" not in text.upper()
    assert environment["GRADER_KEY"] == "agents-key"
    relays = environment["GRADER_RELAYS"].split(",")
    assert sorted(relays) == sorted(
        f"{one.port}=/session/{name}.sock" for name, one in SERVICES.items()
    )


def test_a_sandbox_is_alone() -> None:
    """It has a network of its own; only services join the judge's."""
    assert {host(sandbox(runner))["NetworkMode"] for runner in LANGUAGES.values()} == {"none"}
    assert host(judge())["NetworkMode"] == "none"
    assert {host(service(one))["NetworkMode"] for one in SERVICES.values()} == {
        "container:judge-id"
    }


def mounts(container: Container) -> dict[str, bool]:
    """Where something is mounted, and whether it can only be read there."""
    return {mount["Target"]: bool(mount["ReadOnly"]) for mount in host(container)["Mounts"]}


def test_shared_volumes_are_written_from_one_side() -> None:
    """The judge writes the session's volume, each sandbox its own slot; the others read."""
    assert mounts(judge()) == {"/session": False, "/slots/slot0": True, "/slots/slot1": True}
    assert mounts(service(SERVICES["redis"])) == {"/session": True}
    assert mounts(sandbox(LANGUAGES["python"])) == {"/session": True, "/slot": False}


def test_a_sandbox_sees_one_slot() -> None:
    """No other sandbox's socket, and nothing that the judge or a service keeps, is in reach."""
    sources = {mount["Source"] for mount in host(sandbox(LANGUAGES["python"]))["Mounts"]}
    assert sources == {"grader-abc", "grader-abc-slot0"}


def test_a_sandbox_has_the_exercises_limits() -> None:
    """Memory, processors, processes, output and the size of one file come from exercise.yaml."""
    limits = Limits(memory=128 * MIB, cpus=0.5, pids=20, disk=32 * MIB, output=1000)
    arguments = made(sandbox(LANGUAGES["python"], limits))
    config = arguments["host_config"]
    assert (config["Memory"], config["NanoCpus"], config["PidsLimit"]) == (
        128 * MIB,
        500_000_000,
        20,
    )
    assert arguments["environment"]["GRADER_OUTPUT"] == "1000"
    ulimits = {limit["Name"]: limit["Hard"] for limit in config["Ulimits"]}
    assert ulimits["fsize"] == 32 * MIB
    work = config["Tmpfs"][containers.WORK_FOLDER]
    assert f"size={32 * MIB}" in work
    assert "nr_inodes=" in work


def test_the_runtime_is_the_sandboxes_alone() -> None:
    """`runsc` goes around what the learner runs; empty means the engine's default."""
    assert host(sandbox(LANGUAGES["python"], runtime="runsc"))["Runtime"] == "runsc"
    assert "Runtime" not in host(sandbox(LANGUAGES["python"]))


def test_only_the_judge_is_spoken_to() -> None:
    """Its stdin outlives the first attachment; nobody else has one."""
    spoken = {name: made(container)["stdin_open"] for name, container in ALL.items()}
    assert [name for name, has in spoken.items() if has] == ["judge"]
    assert made(judge())["detach"] is True


@pytest.mark.parametrize(("text", "number"), [("1k", 1024), ("64m", 64 * MIB), ("2g", 2048 * MIB)])
def test_sizes(text: str, number: int) -> None:
    """Sizes in runner.yaml are powers of two."""
    assert containers.size(text) == number
