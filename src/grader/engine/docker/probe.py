"""One short container that tries to pass each limit of a sandbox, and says how far it came.

It is made as sandboxes are, by `containers.arguments`, only with tiny limits. Its image is the
judge's, which every exercise needs.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from typing import Any

import docker

from grader.engine.docker import containers
from grader.engine.docker.channel import Channel
from grader.engine.docker.containers import Container
from grader.engine.docker.errors import translated
from grader.engine.docker.removal import remove
from grader.engine.docker.warm import WarmSessions
from grader.errors import InfrastructureError, SessionLost
from grader.model.exercise import MIB
from grader.settings import Settings

SECONDS = 30
"""The probe's container ends by itself after so long."""
USER = 10001

SCRIPT = r"""
import errno, json, mmap, os, resource, signal, socket, time

def outcome(attempt):
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))
    return "went on"

def memory():
    child = os.fork()
    if child == 0:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
        taken = mmap.mmap(-1, 160 << 20)
        for page in range(0, 160 << 20, 4096):
            taken[page] = 1
        os._exit(0)
    return "killed" if os.waitpid(child, 0)[1] == signal.SIGKILL else "went on"

def processes():
    children = []
    try:
        while len(children) < 60:
            child = os.fork()
            if child == 0:
                signal.pause()
            children.append(child)
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

def throttled():
    for path in ("/sys/fs/cgroup/cpu.stat", "/sys/fs/cgroup/cpu/cpu.stat"):
        try:
            with open(path) as file:
                return int(dict(line.split() for line in file)["nr_throttled"])
        except (OSError, KeyError, ValueError):
            continue
    return None

def processor():
    # What the kernel says about it; without that, the share that we got. On a busy machine we may
    # get so little for a while that there is nothing to throttle.
    before, most = throttled(), 0.0
    for _ in range(20 if before is not None else 3):
        began, since = time.process_time(), time.monotonic()
        while time.monotonic() < since + 0.3:
            pass
        most = max(most, (time.process_time() - began) / (time.monotonic() - since))
        if before is not None and throttled() > before:
            return "throttled"
        if most > 0.6:
            return "went on"
    return "busy" if before is not None else "throttled"

def disk():
    for number in range(20):
        with open("/submission/%d" % number, "wb") as file:
            file.write(bytes(400_000))

def inodes():
    made = []
    try:
        for number in range(200):
            os.mkdir("/tmp/%d" % number)
            made.append(number)
    finally:
        for number in made:
            os.rmdir("/tmp/%d" % number)

def large_file():
    with open("/tmp/large", "wb", buffering=0) as file:
        for _ in range(8):
            file.write(bytes(128 * 1024))

def open_files():
    kept = []
    try:
        while len(kept) < 200:
            kept.append(os.open("/dev/null", os.O_RDONLY))
    finally:
        for number in kept:
            os.close(number)

def network():
    with socket.socket() as out:
        out.settimeout(3)
        out.connect(("192.0.2.1", 80))  # an address for documentation: RFC 5737

def namespace():
    import ctypes
    if ctypes.CDLL(None, use_errno=True).unshare(0x10000000):  # CLONE_NEWUSER
        raise OSError(ctypes.get_errno(), "")

with open("/proc/self/status") as file:
    status = dict(line.strip().split(":\t", 1) for line in file if ":\t" in line)
with open("/proc/net/dev") as file:
    devices = [line.split(":")[0].strip() for line in file if ":" in line]
found = {
    "user": os.getuid(),
    "read_only": bool(os.statvfs("/").f_flag & os.ST_RDONLY),
    "capabilities": [status.get(name) for name in ("CapEff", "CapPrm", "CapBnd")],
    "no_new_privileges": status.get("NoNewPrivs"),
    "seccomp": status.get("Seccomp"),
    "namespace": outcome(namespace),
    "devices": devices,
    "network": outcome(network),
    "disk": outcome(disk),
    "inodes": outcome(inodes),
    "file_size": outcome(large_file),
    "open_files": outcome(open_files),
    "processes": outcome(processes),
    "processor": processor(),
    "memory": memory(),
}
print(json.dumps(found), flush=True)
"""


def run(client: docker.DockerClient, settings: Settings, image: str) -> Mapping[str, Any]:
    """What a program found out inside a probe's container. Raises InfrastructureError."""
    session = f"{WarmSessions(settings.state_dir).home}-{secrets.token_hex(6)}"
    try:
        with translated("probing the limits of the engine"):
            return ask(client, arguments(client.api, settings, image, session))
    finally:
        remove(client, session)


def arguments(api: Any, settings: Settings, image: str, session: str) -> dict[str, Any]:
    """Those of a sandbox, with limits so small that they are soon met."""
    made = Container(
        image=image,
        user=USER,
        environment={"GRADER_LEASE_GRACE": str(SECONDS)},
        network="none",
        memory=64 * MIB,
        cpus=0.2,
        pids=30,
        tmpfs={
            containers.WORK_FOLDER: f"size=1m,nr_inodes=100,mode=0700,uid={USER}",
            "/tmp": "size=4m,nr_inodes=100,mode=1777",
        },
        mounts=(),
        labels={
            containers.LABEL: session,
            "grader.role": "probe",
            "grader.pid": str(os.getpid()),
            "grader.started": str(int(time.time())),
        },
        runtime=settings.runtime,
        file_size=512 * 1024,
        open_files=64,
    )
    values = containers.arguments(api, made)
    command = ["/usr/local/bin/session-init", "/usr/bin/python3", "-I", "-c", SCRIPT]
    return {**values, "entrypoint": command, "working_dir": "/"}


def ask(client: docker.DockerClient, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Start one container and wait for its one line. It goes by itself."""
    container = client.api.create_container(**values)["Id"]
    channel = Channel(client.api.attach_socket(container, params={"stdout": 1, "stream": 1}))
    try:
        client.api.start(container)
        found = channel.receive(SECONDS)
    except SessionLost:
        found = None
    finally:
        channel.close()
    if found is None:
        raise InfrastructureError("the probe of the engine's limits ended without an answer")
    return found
