"""How each container of a session is made: pure functions from values to the engine's arguments.

Every item of DESIGN 2's hardening is here, once, for all containers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from docker.types import DriverConfig, LogConfig, Mount, Ulimit

from grader.engine.base import Sandbox
from grader.engine.runners import Runner
from grader.model.exercise import MIB, Limits

SESSION_FOLDER = "/session"
"""Lease and service sockets; written by the judge, read-only for everybody else."""
WORK_FOLDER = "/submission"
SLOT_FOLDER = "/slot"
SLOTS_FOLDER = "/slots"
LEASE = f"{SESSION_FOLDER}/lease"
LABEL = "grader.session"


@dataclass(frozen=True, kw_only=True)
class Container:
    """What the engine needs to make one container."""

    image: str
    user: int
    environment: Mapping[str, str]
    network: str
    memory: int
    cpus: float
    pids: int
    tmpfs: Mapping[str, str]
    mounts: tuple[Mount, ...]
    labels: Mapping[str, str]
    runtime: str = ""
    stdin: bool = False
    keep_log: bool = False
    home: str = "/tmp"
    file_size: int = 0
    sysctls: Mapping[str, str] = field(default_factory=dict)
    open_files: int = 1024
    entrypoint: tuple[str, ...] = ()
    """Instead of the image's own."""


def judge(
    session: str, image: str, runner: Runner, slots: Mapping[str, int], labels: Mapping[str, str]
) -> Container:
    """The judge holds the namespace that services join: loopback only, no route out."""
    slot_mounts = [
        slot_mount(session, slot, uid, f"{SLOTS_FOLDER}/{slot}", read_only=True)
        for slot, uid in slots.items()
    ]
    return Container(
        image=image,
        user=runner.uid,
        environment={},
        network="none",
        memory=512 * MIB,
        cpus=2,
        pids=512,
        tmpfs={"/tmp": "size=64m,mode=1777"},
        mounts=(session_mount(session, runner.uid, read_only=False), *slot_mounts),
        labels=labels,
        stdin=True,
        open_files=4096,
    )


def service(
    session: str,
    image: str,
    runner: Runner,
    judge_container: str,
    judge_uid: int,
    passwords: Mapping[str, str],
    labels: Mapping[str, str],
) -> Container:
    """A real server on the loopback of the judge's namespace."""
    return Container(
        image=image,
        user=runner.uid,
        environment={
            "GRADER_ADMIN_PASSWORD": passwords["admin"],
            "GRADER_LEARNER_PASSWORD": passwords["learner"],
        },
        network=f"container:{judge_container}",
        memory=size(runner.memory),
        cpus=2,
        pids=256,
        tmpfs={"/tmp": "size=16m,mode=1777", "/data": f"size={runner.data},mode=1777"},
        mounts=(session_mount(session, judge_uid, read_only=True),),
        labels=labels,
        keep_log=True,
    )


def sandbox(
    session: str,
    image: str,
    runner: Runner,
    judge_uid: int,
    slot: Mount,
    address: Sandbox,
    services: Mapping[str, Runner],
    limits: Limits,
    labels: Mapping[str, str],
    runtime: str,
) -> Container:
    """Where the learner's code runs: a namespace of its own with nothing in it but loopback."""
    relays = [f"{one.port}={SESSION_FOLDER}/{name}.sock" for name, one in services.items()]
    disk = f"size={limits.disk},nr_inodes=20000,mode=0700,uid={runner.uid},exec"
    return Container(
        image=image,
        user=runner.uid,
        environment={
            "GRADER_KEY": address.key,
            "GRADER_SOCKET": f"{SLOT_FOLDER}/{address.socket}",
            "GRADER_FOLDER": WORK_FOLDER,
            "GRADER_SCRATCH": f"/tmp:/dev/shm:/dev/mqueue:{SLOT_FOLDER}",
            "GRADER_RELAYS": ",".join(relays),
            # They are clients of services: without any, importing them would only cost time.
            "GRADER_PRELOAD": ",".join(runner.preload) if services else "",
            "GRADER_OUTPUT": str(limits.output),
        },
        network="none",
        memory=limits.memory,
        cpus=limits.cpus,
        pids=limits.pids,
        tmpfs={
            WORK_FOLDER: disk,
            "/tmp": f"size={max(limits.disk // 4, MIB)},nr_inodes=20000,mode=1777,exec",
        },
        mounts=(
            session_mount(session, judge_uid, read_only=True),
            slot,
        ),
        labels=labels,
        runtime=runtime,
        home=WORK_FOLDER,
        file_size=limits.disk,
        # No System V objects: they would outlive the processes of a check.
        sysctls={"kernel.shmmni": "0", "kernel.msgmni": "0", "kernel.sem": "0 0 0 0"},
    )


def client(
    session: str,
    image: str,
    runner: Runner,
    sandbox: str,
    judge_uid: int,
    labels: Mapping[str, str],
) -> Container:
    """A service's image once more, without its server: for its client, in a sandbox's network."""
    return Container(
        image=image,
        user=runner.uid,
        environment={},
        network=f"container:{sandbox}",
        memory=256 * MIB,
        cpus=1,
        pids=64,
        tmpfs={"/tmp": "size=16m,mode=1777"},
        mounts=(session_mount(session, judge_uid, read_only=True),),
        labels=labels,
        entrypoint=("/usr/local/bin/session-init", "/bin/sleep", "infinity"),
    )


def session_mount(session: str, judge_uid: int, *, read_only: bool) -> Mount:
    return _volume(f"grader-{session}", SESSION_FOLDER, judge_uid, session, read_only=read_only)


def slot_mount(session: str, slot: str, uid: int, target: str, *, read_only: bool) -> Mount:
    return _volume(f"grader-{session}-{slot}", target, uid, session, read_only=read_only)


def _volume(name: str, target: str, uid: int, session: str, *, read_only: bool) -> Mount:
    """A small tmpfs that lives as long as a container of the session uses it."""
    options = {
        "type": "tmpfs",
        "device": "tmpfs",
        "o": f"size=1m,nr_inodes=64,mode=0755,uid={uid},nosuid,nodev,noexec",
    }
    return Mount(
        target=target,
        source=name,
        type="volume",
        read_only=read_only,
        no_copy=True,
        labels={LABEL: session},
        driver_config=DriverConfig("local", options),
    )


def arguments(api: Any, container: Container) -> dict[str, Any]:
    """The keyword arguments of `create_container`. `api` only fills in version-dependent forms."""
    host = api.create_host_config(
        auto_remove=True,
        read_only=True,
        network_mode=container.network,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        mem_limit=container.memory,
        memswap_limit=container.memory,
        nano_cpus=int(container.cpus * 1e9),
        pids_limit=container.pids,
        shm_size=8 * MIB,
        ipc_mode="private",
        tmpfs=dict(container.tmpfs),
        mounts=list(container.mounts),
        log_config=_log(container),
        ulimits=_ulimits(container),
        sysctls=dict(container.sysctls),
        **({"runtime": container.runtime} if container.runtime else {}),
    )
    return {
        "image": container.image,
        "user": f"{container.user}:{container.user}",
        "environment": {
            "GRADER_LEASE": LEASE,
            "HOME": container.home,
            **container.environment,
        },
        "labels": dict(container.labels),
        "stdin_open": container.stdin,
        **({"entrypoint": list(container.entrypoint)} if container.entrypoint else {}),
        "detach": True,  # else the judge's stdin would end with the first process attached to it
        "host_config": host,
    }


def _log(container: Container) -> LogConfig:
    if container.keep_log:
        return LogConfig(type="json-file", config={"max-size": "1m", "max-file": "1"})
    return LogConfig(type="none")


def _ulimits(container: Container) -> list[Ulimit]:
    files = container.open_files
    limits = [Ulimit(name="core", soft=0, hard=0), Ulimit(name="nofile", soft=files, hard=files)]
    if container.file_size:
        limits.append(Ulimit(name="fsize", soft=container.file_size, hard=container.file_size))
    return limits


def size(text: str) -> int:
    """`256m` in bytes."""
    return int(text[:-1]) * {"k": 1024, "m": MIB, "g": 1024 * MIB}[text[-1]]
