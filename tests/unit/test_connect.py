"""Which engine is chosen, what is said when none answers, and what the SDK's errors become."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import docker.errors
import pytest
import requests
import urllib3

from grader.engine.docker.connect import Machine, connect, explain
from grader.engine.docker.endpoint import Endpoint, endpoint
from grader.engine.docker.errors import translated
from grader.errors import (
    EngineUnavailable,
    GraderError,
    ImageError,
    InfrastructureError,
    SessionLost,
)
from grader.settings import Settings

SOCKET = "unix:///var/run/docker.sock"
DEBIAN = Machine(system="Linux", systemd=True, debian=True)


def context(home: Path, name: str, host: str, *, skip: bool = False, tls: bool = False) -> Endpoint:
    """Write the context as the docker command does; what it should be read as."""
    key = hashlib.sha256(name.encode()).hexdigest()
    meta = home / ".docker/contexts/meta" / key / "meta.json"
    meta.parent.mkdir(parents=True)
    docker_part = {"Host": host, "SkipTLSVerify": skip}
    meta.write_text(json.dumps({"Name": name, "Endpoints": {"docker": docker_part}}))
    certificates = home / ".docker/contexts/tls" / key / "docker"
    if tls:
        certificates.mkdir(parents=True)
    return Endpoint(
        url=host,
        source=f"the context '{name}'",
        certificates=certificates if tls else None,
        verify=not skip,
    )


def current(home: Path, name: str) -> None:
    (home / ".docker").mkdir(exist_ok=True)
    (home / ".docker/config.json").write_text(json.dumps({"currentContext": name}))


@pytest.mark.parametrize(
    ("system", "url"),
    [
        ("Linux", SOCKET),
        ("Darwin", SOCKET),
        ("Windows", "npipe:////./pipe/docker_engine"),
    ],
)
def test_nothing_set_means_the_default_socket(tmp_path: Path, system: str, url: str) -> None:
    assert endpoint({}, tmp_path, system) == Endpoint(url=url, source="the default")


def test_docker_host_wins(tmp_path: Path) -> None:
    context(tmp_path, "far", "tcp://far:2376")
    current(tmp_path, "far")
    env = {"DOCKER_HOST": "tcp://near:2375", "DOCKER_CONTEXT": "far"}

    assert endpoint(env, tmp_path, "Linux") == Endpoint(url="tcp://near:2375", source="DOCKER_HOST")


def test_docker_host_with_tls(tmp_path: Path) -> None:
    env = {"DOCKER_HOST": "tcp://h:2376", "DOCKER_TLS_VERIFY": "1"}
    assert endpoint(env, tmp_path, "Linux").certificates == tmp_path / ".docker"

    env["DOCKER_CERT_PATH"] = "/certs"
    assert endpoint(env, tmp_path, "Linux").certificates == Path("/certs")


def test_docker_context_wins_over_the_current_one(tmp_path: Path) -> None:
    far = context(tmp_path, "far", "tcp://far:2376", skip=True, tls=True)
    context(tmp_path, "other", "tcp://other:2376")
    current(tmp_path, "other")

    assert endpoint({"DOCKER_CONTEXT": "far"}, tmp_path, "Linux") == far


def test_the_current_context_counts(tmp_path: Path) -> None:
    rootless = context(tmp_path, "rootless", "unix:///run/user/1000/docker.sock")
    current(tmp_path, "rootless")

    assert endpoint({}, tmp_path, "Linux") == rootless


def test_the_config_folder_can_be_moved(tmp_path: Path) -> None:
    rootless = context(tmp_path, "rootless", "unix:///x.sock")
    current(tmp_path, "rootless")
    env = {"DOCKER_CONFIG": str(tmp_path / ".docker")}

    assert endpoint(env, tmp_path / "elsewhere", "Linux") == rootless


@pytest.mark.parametrize("name", ["", "default"])
def test_the_default_context_is_the_default_socket(tmp_path: Path, name: str) -> None:
    current(tmp_path, name)
    assert endpoint({}, tmp_path, "Linux").url == SOCKET


def test_a_context_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"DOCKER_CONTEXT names .* 'gone'") as caught:
        endpoint({"DOCKER_CONTEXT": "gone"}, tmp_path, "Linux")
    assert "docker context ls" in caught.value.fix


@pytest.mark.parametrize("content", ["{", "[]", '{"Endpoints": {}}', '{"Endpoints": []}'])
def test_a_broken_context_is_named(tmp_path: Path, content: str) -> None:
    context(tmp_path, "bad", "tcp://x:1")
    next(tmp_path.glob(".docker/contexts/meta/*/meta.json")).write_text(content)

    with pytest.raises(EngineUnavailable, match="the Docker context 'bad' cannot be read"):
        endpoint({"DOCKER_CONTEXT": "bad"}, tmp_path, "Linux")


def test_a_broken_config_file_is_named(tmp_path: Path) -> None:
    current(tmp_path, "x")
    (tmp_path / ".docker/config.json").write_text("{")

    with pytest.raises(EngineUnavailable, match=r"config\.json: cannot be read"):
        endpoint({}, tmp_path, "Linux")


@pytest.mark.parametrize(
    ("error", "machine", "says", "fix"),
    [
        (PermissionError(), DEBIAN, "this user may not use it", "sudo usermod -aG docker $USER"),
        (ConnectionRefusedError(), DEBIAN, "not running", "sudo systemctl start docker"),
        (
            FileNotFoundError(),
            Machine(system="Linux", debian=True, installed=False),
            "not installed",
            "sudo apt-get install docker.io",
        ),
        (FileNotFoundError(), Machine(system="Linux"), "not running", "sudo service docker start"),
        (
            FileNotFoundError(),
            Machine(system="Linux", installed=False),
            "not installed",
            "https://docs.docker.com",
        ),
        (FileNotFoundError(), Machine(system="Darwin"), "not running", "start Docker Desktop"),
        (
            FileNotFoundError(),
            Machine(system="Windows", installed=False),
            "not installed",
            "install Docker Desktop",
        ),
        (ValueError("odd\nanswer"), DEBIAN, "odd answer", "sudo systemctl start docker"),
    ],
)
def test_the_advice_fits_the_cause_and_the_machine(
    error: Exception, machine: Machine, says: str, fix: str
) -> None:
    message, advice = explain(Endpoint(url=SOCKET, source="the default"), error, machine)

    assert SOCKET in message
    assert says in message
    assert fix in advice
    assert "\n" not in message + advice


def test_an_engine_that_the_user_chose_is_questioned() -> None:
    chosen = Endpoint(url="tcp://h:1", source="DOCKER_HOST")
    assert "unset DOCKER_HOST" in explain(chosen, ConnectionRefusedError(), DEBIAN)[1]

    chosen = Endpoint(url="tcp://h:1", source="the context 'x'")
    assert "docker context use default" in explain(chosen, TimeoutError("late"), DEBIAN)[1]


def test_no_socket_is_an_unavailable_engine(tmp_path: Path) -> None:
    settings = Settings(docker_environment={"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})

    with pytest.raises(EngineUnavailable, match=r"none\.sock \(DOCKER_HOST\): it is not running"):
        connect(settings)


def api_error(
    status: int, kind: type[docker.errors.APIError] = docker.errors.APIError
) -> docker.errors.APIError:
    response = requests.Response()
    response.status_code = status
    return kind("500 Server Error for url", response=response, explanation="the reason")


def late() -> urllib3.exceptions.ReadTimeoutError:
    pool = urllib3.connectionpool.HTTPConnectionPool("localhost")
    return urllib3.exceptions.ReadTimeoutError(pool, "/", "read timed out")


@pytest.mark.parametrize(
    ("make", "becomes", "says"),
    [
        (lambda: api_error(500), InfrastructureError, "the reason"),
        (lambda: api_error(409), SessionLost, "the reason"),
        (lambda: api_error(404, docker.errors.NotFound), SessionLost, "the reason"),
        (lambda: api_error(404, docker.errors.ImageNotFound), ImageError, "the reason"),
        (lambda: docker.errors.DockerException("odd"), InfrastructureError, "odd"),
        (lambda: requests.ReadTimeout("late"), InfrastructureError, "late"),
        (
            lambda: requests.ConnectionError(
                urllib3.exceptions.ProtocolError(
                    "Connection aborted.", FileNotFoundError(errno.ENOENT, "No such file")
                )
            ),
            EngineUnavailable,
            "No such file",
        ),
        (late, InfrastructureError, "timed out"),
        (lambda: requests.ConnectionError(late()), InfrastructureError, "timed out"),
    ],
)
def test_foreign_errors_become_ours(
    make: Callable[[], Exception], becomes: type[GraderError], says: str
) -> None:
    with (
        pytest.raises(GraderError, match=f"while starting x: .*{says}") as caught,
        translated("starting x"),
    ):
        raise make()
    assert type(caught.value) is becomes


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), translated("starting x"):
        raise ZeroDivisionError
