"""The shipped images, built for real: they start hardened, fast, and refuse whom they should."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import docker
import docker.errors
import pytest
from docker.models.containers import Container

from grader import settings
from grader.engine.docker.builder import build
from grader.engine.docker.connect import connect
from grader.engine.docker.context import build_context
from grader.engine.docker.engine import DockerEngine
from grader.engine.docker.images import Images
from grader.engine.docker.tags import Tags
from grader.model.progress import ImageReady, Progress

pytestmark = pytest.mark.docker

ADMIN = "admin-of-the-session"
LEARNER = "learner-of-the-session"
READY_WITHIN = 3.0
"""Generous: on a quiet machine it is about half a second."""

POSTGRES = """
import psycopg
def attempt(user, password, database="postgres", statement="SELECT 1"):
    try:
        with psycopg.connect(host="127.0.0.1", user=user, password=password, dbname=database,
                             autocommit=True, connect_timeout=5) as connection:
            connection.execute(statement)
        return "ok"
    except psycopg.Error as error:
        return " ".join(str(error).split())
"""
REDIS = """
import redis, redis.retry, redis.backoff
once = redis.retry.Retry(redis.backoff.NoBackoff(), 0)
def attempt(user, password, *command):
    try:
        client = redis.Redis(host="127.0.0.1", username=user, password=password, protocol=2,
                             retry=once)
        client.execute_command(*(command or ("PING",)))
        return "ok"
    except redis.RedisError as error:
        return " ".join(str(error).split())
"""
MONGODB = """
import pymongo
def attempt(user, password, source="admin", command="usersInfo"):
    login = {"username": user, "password": password, "authSource": source} if user else {}
    try:
        client = pymongo.MongoClient("127.0.0.1", 27017, directConnection=True, **login,
                                     serverSelectionTimeoutMS=300)
        client.admin.command(command)
        return "ok"
    except pymongo.errors.PyMongoError as error:
        return " ".join(str(error).split())
"""
LOGINS = {
    "postgres": ("postgres", POSTGRES),
    "redis": ("admin", REDIS),
    "mongodb": ("admin", MONGODB),
}
MONGOD = """#!/usr/bin/python3
# What stands in for MongoDB's own server: it takes its options and lets the first account be made.
import sys, threading, time
from secantus.server import SecantusDBServer
if "--version" in sys.argv:
    print("db version v8.0.0")
    raise SystemExit
options = dict(zip(sys.argv[1:], sys.argv[2:]))
assert "--auth" in sys.argv and options["--bind_ip"] == "127.0.0.1"
server = SecantusDBServer("127.0.0.1", int(options["--port"]), options["--dbpath"],
                          replica_set_name=None)
def close():
    while not server.storage.list_users():
        time.sleep(0.01)
    server.require_auth = True
threading.Thread(target=close, daemon=True).start()
server.start()
server.wait()
"""
POLL = """
import time
while attempt(user, password) != "ok":
    time.sleep(0.005)
print(time.time())
"""

SHELL = r"""
cd /tmp
git init -q --bare remote.git
git clone -q remote.git work 2>/dev/null && cd work
git config user.name N && git config user.email n@example.org
for file in first second; do echo $file >$file; git add $file; git commit -q -m "$file"; done
git rebase -q --root --exec "git gc -q" && git push -q origin HEAD:refs/heads/main
git -C ../remote.git log --format=%s main
printf 'rm $1\n' >s.sh; shellcheck -s bash -f gcc s.sh | sed 's/.*\[/[/'
jq -cn '{a: 1}'
awk 'BEGIN { if (PROCINFO["version"] >= "5") print 3000000000 }'
printf 'b\nA\nB\n_a\n' | LC_ALL=C sort | paste -sd ' '
printf 'b\nA\nB\n_a\n' | LC_ALL=en_US.UTF-8 sort | paste -sd ' '
tar -cf - first | gzip | tar -tzf -
find . -name first -print0 | xargs -0 grep -c first
bash --version | grep -o 'version [5-9]'
"""

Run = Callable[..., Container]


@pytest.fixture(scope="module")
def docker_client(docker_engine: DockerEngine) -> Iterator[docker.DockerClient]:
    del docker_engine  # without an engine it says so
    client = connect(settings.load({}))
    yield client
    client.close()


@pytest.fixture(scope="module")
def images(docker_client: docker.DockerClient) -> Images:
    images = Images(docker_client, settings.load({}))
    images.ensure(images.runners, lambda _: None)
    return images


@pytest.fixture
def run(docker_client: docker.DockerClient, images: Images) -> Iterator[Run]:
    """Start a container of one image as the engine does: without any right that it can lack."""
    containers = []

    def start(
        name: str, *command: str, network: str = "none", image: str = "", **env: str
    ) -> Container:
        container = docker_client.containers.create(
            image or images.tag(name),
            list(command),
            entrypoint=["/usr/local/bin/session-init"] if command else None,
            environment=env,
            user=str(images.runners[name].uid or 65534),
            network_mode=network,
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            pids_limit=200,
            mem_limit="384m",
            shm_size="8m",
            tmpfs={"/data": "size=256m,mode=1777", "/tmp": "size=16m,mode=1777"},
        )
        containers.append(container)
        container.start()
        return container

    yield start
    for container in reversed(containers):
        with suppress(docker.errors.NotFound):
            container.remove(force=True, v=True)


def python(run: Run, script: str, network: str) -> list[str]:
    """Run a script beside the servers of a namespace; the lines that it printed."""
    container = run("judge", "python3", "-c", script, network=network)
    assert container.wait(timeout=20)["StatusCode"] == 0, container.logs().decode()
    return container.logs().decode().splitlines()


def serve(run: Run, name: str, image: str = "", within: float = READY_WITHIN) -> str:
    """A server that is ready; the network in which it listens."""
    login = LOGINS[name]
    poll = f"user, password = {login[0]!r}, {ADMIN!r}\n{login[1]}\n{POLL}"
    probe = run("judge", "sh", "-c", 'python3 -c "$SCRIPT"; sleep 60', SCRIPT=poll)
    network = f"container:{probe.id}"
    time.sleep(0.5)  # the probe has its modules then
    began = time.time()
    passwords = {"GRADER_ADMIN_PASSWORD": ADMIN, "GRADER_LEARNER_PASSWORD": LEARNER}
    run(name, network=network, image=image, **passwords)
    while not (printed := probe.logs().decode()):
        assert time.time() - began < 20, f"{name} does not become ready"
        time.sleep(0.05)
    assert float(printed) - began < within
    return network


def test_images_that_are_here_are_not_built_again(images: Images) -> None:
    events: list[Progress] = []
    images.ensure(images.runners, events.append)

    assert [(e.name, e.how) for e in events if isinstance(e, ImageReady)] == [
        (name, "present") for name in images.runners
    ]
    assert len(events) == len(images.runners)


def test_the_shell_image_has_its_tools(run: Run) -> None:
    """git, ShellCheck, jq, gawk, gzip and the others work there, and a locale that is not C."""
    container = run("shell", "bash", "-c", SHELL)
    assert container.wait(timeout=30)["StatusCode"] == 0, container.logs().decode()
    assert container.logs().decode().splitlines() == [
        "second",
        "first",
        "[SC2086]",
        '{"a":1}',
        "3000000000",
        "A B _a b",
        "_a A b B",
        "first",
        "1",
        "version 5",
    ]


def test_the_list_names_every_image(images: Images) -> None:
    infos = images.list()

    assert [info.name for info in infos] == list(images.runners)
    assert all(info.present and info.size > 0 and info.created > 0 for info in infos)
    assert all(info.tag.startswith(f"grader-{info.name}:") for info in infos)


def test_no_image_has_the_mount_point_of_its_data(run: Run) -> None:
    container = run("postgres", "sh", "-c", "touch /data/x /tmp/x && ! touch /x 2>/dev/null")
    assert container.wait(timeout=20)["StatusCode"] == 0


def test_postgres_lets_in_only_who_has_the_password(run: Run) -> None:
    network = serve(run, "postgres")
    script = (
        POSTGRES
        + f"""
print(attempt("postgres", {ADMIN!r}, statement="CREATE ROLE learner LOGIN PASSWORD '{LEARNER}'"))
print(attempt("postgres", {ADMIN!r}, statement="CREATE DATABASE learner OWNER learner"))
print(attempt("learner", {LEARNER!r}, "learner"))
print(attempt("postgres", {ADMIN!r}, "learner"))
for login in [("postgres", "wrong"), ("postgres", None), ("learner", "wrong", "learner"),
              ("learner", {LEARNER!r}, "postgres"), ("learner", {LEARNER!r}, "template1"),
              ("nobody", "x")]:
    print(attempt(*login))
"""
    )
    allowed, refused = (lines := python(run, script, network))[:4], lines[4:]

    assert allowed == ["ok"] * 4
    assert len(refused) == 6
    for line, why in zip(
        refused,
        [
            "password authentication failed",
            "no password supplied",
            "password authentication failed",
            "pg_hba.conf rejects connection",
            "pg_hba.conf rejects connection",
            "no pg_hba.conf entry",
        ],
        strict=True,
    ):
        assert why in line


def test_redis_lets_in_only_its_two_accounts(run: Run) -> None:
    network = serve(run, "redis")
    script = (
        REDIS
        + f"""
for login in [("learner", {LEARNER!r}), ("admin", {ADMIN!r}), (None, None), ("default", ""),
              (None, {ADMIN!r}), ("learner", "wrong"), ("admin", {LEARNER!r})]:
    print(attempt(*login))
"""
    )
    lines = python(run, script, network)

    assert lines[:2] == ["ok", "ok"]
    assert len(lines) == 7
    assert all(
        "Authentication required" in line or "invalid username-password" in line
        for line in lines[2:]
    ), lines


def test_a_redis_learner_has_an_applications_commands_and_no_others(run: Run) -> None:
    network = serve(run, "redis")
    script = (
        REDIS
        + f"""
for command in ["SET a 1", "KEYS *", "INFO", "FLUSHDB", "FLUSHALL", "CLIENT SETNAME x",
                "CLIENT ID", "SORT a", "SCAN 0", "PUBLISH c m", "EVAL return(1) 0"]:
    print(attempt("learner", {LEARNER!r}, *command.split()))
for command in ["CONFIG GET *", "ACL LIST", "SWAPDB 0 1", "SHUTDOWN", "MONITOR", "SAVE",
                "CLIENT KILL TYPE normal", "CLIENT LIST", "REPLICAOF NO ONE", "MODULE LIST"]:
    print(attempt("learner", {LEARNER!r}, *command.split()))
"""
    )
    lines = python(run, script, network)

    assert lines[:11] == ["ok"] * 11
    assert len(lines) == 21
    assert [line for line in lines[11:] if "no permissions to run" not in line] == []


def let_in(run: Run, network: str) -> None:
    """The admin with its password, and nobody else."""
    script = (
        MONGODB
        + f"""
for login in [("admin", {ADMIN!r}), (None, None), ("admin", {LEARNER!r}),
              ("learner", {LEARNER!r}, "learner"), ("admin", {ADMIN!r}, "learner")]:
    print(attempt(*login))
"""
    )
    lines = python(run, script, network)

    assert lines[0] == "ok"
    assert len(lines) == 5
    assert "requires authentication" in lines[1]
    assert all("uthentication failed" in line for line in lines[2:]), lines


def test_mongodb_lets_in_only_its_admin_until_the_judge_makes_more(run: Run) -> None:
    let_in(run, serve(run, "mongodb", within=2 * READY_WITHIN))  # Python has much to import


@pytest.fixture
def stand_in(docker_client: docker.DockerClient, images: Images) -> Iterator[str]:
    """The image of the service as the setting `mongo_image` makes it; its tag.

    Not by `images.ensure`: that would drop the image which it takes the place of.
    """
    chosen, made = "grader-test-mongo:stand-in", "grader-test-mongodb:stand-in"
    base = images.tag("base")
    files = {"Dockerfile": f"FROM {base}\nCOPY mongod /usr/bin/mongod\n", "mongod": MONGOD}
    other = Tags(replace(settings.load({}), mongo_image=chosen))
    assert other.tag("mongodb") != images.tag("mongodb")
    assert other.tag("redis") == images.tag("redis")
    arguments = {**settings.load({}).build_environment, **other.chosen("mongodb"), "BASE": base}
    try:
        for tag, context in (
            (chosen, build_context({name: text.encode() for name, text in files.items()}, [])[0]),
            (made, other.context("mongodb")[0]),
        ):
            build(
                docker_client,
                context,
                tag=tag,
                arguments=arguments,
                labels={},
                tell=lambda _: None,
            )
        yield made
    finally:
        for tag in (made, chosen):
            with suppress(docker.errors.APIError):
                docker_client.api.remove_image(tag, force=True)


def test_a_mongod_of_another_image_is_run(stand_in: str, run: Run) -> None:
    """With a stand-in for MongoDB's image: its server is copied, started, and gets an admin."""
    let_in(run, serve(run, "mongodb", stand_in, within=10.0))


@pytest.mark.parametrize("name", ["postgres", "redis", "mongodb"])
def test_a_server_without_a_password_does_not_start(run: Run, name: str) -> None:
    container = run(name)

    assert container.wait(timeout=20)["StatusCode"] == 2
    assert "GRADER_ADMIN_PASSWORD: is not set" in container.logs().decode()


def test_the_password_is_not_in_the_servers_environment(run: Run) -> None:
    # Process 1 keeps it, but belongs to no server and takes no statement.
    script = (
        "start-redis & sleep 1; pid=$(pidof redis-server);"
        "tr '\\0' '\\n' </proc/$pid/environ | grep -c PASSWORD"
    )
    container = run(
        "redis", "sh", "-c", script, GRADER_ADMIN_PASSWORD="a", GRADER_LEARNER_PASSWORD="b"
    )

    container.wait(timeout=20)
    assert container.logs().decode().splitlines()[-1] == "0"


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 209), ("(sleep 30 &); exit 3", 3)],
)
def test_init_ends_with_its_command(run: Run, script: str, code: int) -> None:
    began = time.monotonic()
    container = run("base", "sh", "-c", script)

    assert container.wait(timeout=20)["StatusCode"] == code
    assert time.monotonic() - began < READY_WITHIN


def test_init_passes_signals_on_and_reaps(run: Run) -> None:
    container = run(
        "base",
        "sh",
        "-c",
        "trap 'grep -h ^State /proc/[0-9]*/status; exit 5' TERM; (sleep 0.1 &);"
        "sleep 0.3; echo up; sleep 30 & wait",
    )
    while b"up" not in container.logs():
        time.sleep(0.05)
    container.stop(timeout=10)

    assert container.wait(timeout=20)["StatusCode"] == 5
    assert "zombie" not in container.logs().decode()


def test_init_names_a_command_that_is_not_there(run: Run) -> None:
    container = run("base", "no-such-command")

    assert container.wait(timeout=20)["StatusCode"] == 127
    assert "no-such-command: No such file" in container.logs().decode()


@pytest.mark.parametrize(
    ("lease", "grace"),
    [("echo 5 >/tmp/lease", "900"), (":", "1"), ("echo soon >/tmp/lease", "1")],
    ids=["over", "absent", "unreadable"],
)
def test_the_end_of_the_lease_ends_the_container(run: Run, lease: str, grace: str) -> None:
    script = f"{lease}; trap '' TERM; while :; do sleep 1; done"
    container = run("base", "sh", "-c", script, GRADER_LEASE="/tmp/lease", GRADER_LEASE_GRACE=grace)

    assert container.wait(timeout=20)["StatusCode"] == 0


def test_nothing_inside_can_stop_the_watch(run: Run) -> None:
    script = (
        "kill -STOP 1; kill -KILL 1; trap '' TERM; echo 5 >/tmp/lease; while :; do sleep 1; done"
    )
    container = run("base", "sh", "-c", script, GRADER_LEASE="/tmp/lease")

    assert container.wait(timeout=20)["StatusCode"] == 0


def test_a_lease_that_lasts_lets_the_command_run(run: Run) -> None:
    script = "echo 99999999999 >/tmp/lease; sleep 6; exit 4"
    container = run("base", "sh", "-c", script, GRADER_LEASE="/tmp/lease", GRADER_LEASE_GRACE="1")

    assert container.wait(timeout=20)["StatusCode"] == 4
