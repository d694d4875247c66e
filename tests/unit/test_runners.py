"""runner.yaml: what is accepted, and what is said of a wrong one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader import shipped
from grader.engine import runners
from grader.errors import InfrastructureError

SERVICE = """\
kind: service
uid: 10020
port: 5432
data: 256m
memory: 384m
auth: account
accounts: {admin: postgres, learner: learner}
env: {DATABASE_URL: "postgresql://{user}:{password}@127.0.0.1:{port}/learner"}
versions: ">=16,<19"
"""


def folder(root: Path, name: str, content: str) -> Path:
    (root / name).mkdir()
    (root / name / "runner.yaml").write_text(content)
    return root / name


def test_a_service_is_read(tmp_path: Path) -> None:
    runner = runners.read(folder(tmp_path, "postgres", SERVICE))

    assert (runner.name, runner.kind, runner.uid, runner.port) == (
        "postgres",
        "service",
        10020,
        5432,
    )
    assert (runner.data, runner.memory, runner.versions) == ("256m", "384m", ">=16,<19")
    assert runner.accounts == {"admin": "postgres", "learner": "learner"}


def test_variables_are_filled_in(tmp_path: Path) -> None:
    runner = runners.read(folder(tmp_path, "postgres", SERVICE))

    assert runner.variables(user="learner", password="s", port=5555) == {
        "DATABASE_URL": "postgresql://learner:s@127.0.0.1:5555/learner"
    }


def test_a_language_is_read(tmp_path: Path) -> None:
    runner = runners.read(
        folder(tmp_path, "python", "kind: language\nuid: 10001\npreload: [redis]\n")
    )

    assert runner.preload == ("redis",)
    assert (runner.auth, runner.env) == ("none", {})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("kind: language\nuid: 10001\nprelaod: [x]\n", "unknown field `prelaod`"),
        ("kind: langauge\n", "Invalid value 'langauge' - at `$.kind`"),
        ("uid: 1", "missing required field `kind`"),
        ("kind: judge\n", "missing required field `uid`"),
        ("kind: judge\nuid: 0\n", "at `$.uid`"),
        ("kind: judge\nuid: ten\n", "at `$.uid`"),
        (SERVICE.replace("256m", "256MB"), "at `$.data`"),
        (SERVICE.replace("5432", "70000"), "at `$.port`"),
        (SERVICE.replace("auth: account", "auth: none"), "`accounts` belongs to `auth: account`"),
        (SERVICE.replace("auth: account", "auth: trust"), "at `$.auth`"),
        (SERVICE.replace("{user}", "{name}"), "`env.DATABASE_URL`: only {user}"),
        (SERVICE.replace("learner: learner", "student: x"), "at `$.accounts`"),
        ("kind: [", "expected"),
        ("", "got `null`"),
    ],
)
def test_a_wrong_file_is_named_with_its_key(tmp_path: Path, content: str, says: str) -> None:
    where = folder(tmp_path, "x", content)

    with pytest.raises(InfrastructureError, match=re.escape(says)) as caught:
        runners.read(where)
    assert caught.value.message.startswith(str(where / "runner.yaml"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match=r"runner\.yaml: cannot be read"):
        runners.read(tmp_path)


def test_no_two_images_share_a_user(tmp_path: Path) -> None:
    folder(tmp_path, "a", "kind: judge\nuid: 10001\n")
    folder(tmp_path, "b", "kind: language\nuid: 10001\n")

    with pytest.raises(InfrastructureError, match="uid 10001 belongs to 'a' already"):
        runners.load(tmp_path)


def test_an_empty_root_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="no runner is defined"):
        runners.load(tmp_path)


def test_shipped_runners_run_as_the_user_that_they_name() -> None:
    shipped_runners = runners.load(shipped.runners())

    assert {"base", "python", "judge", "postgres", "redis"} <= set(shipped_runners)
    for runner in shipped_runners.values():
        dockerfile = (runner.folder / "Dockerfile").read_text()
        if runner.uid:
            assert f"--uid {runner.uid} " in dockerfile, runner.name
            assert f"\nUSER {runner.uid}\n" in dockerfile, runner.name
            assert '\nENTRYPOINT ["/usr/local/bin/session-init", ' in dockerfile, runner.name


def test_shipped_dockerfiles_build_with_every_builder() -> None:
    for runner in runners.load(shipped.runners()).values():
        dockerfile = (runner.folder / "Dockerfile").read_text()
        on_base = r"^ARG BASE\n(ARG .*\n|FROM .* AS .*\n)*FROM \$\{BASE\}\n"
        assert re.search(on_base, dockerfile, re.MULTILINE), runner.name
        for only_buildkit in ("<<", "--mount", "--chmod", "--link"):
            assert only_buildkit not in dockerfile, runner.name


def test_what_the_local_engine_needs_is_read(tmp_path: Path) -> None:
    local = "local: {programs: [a, b], wheel: w==1.0, wheel_folder: w/*/bin, start: start}\n"
    runner = runners.read(folder(tmp_path, "postgres", SERVICE + local))

    assert runner.local is not None
    assert (runner.local.programs, runner.local.start) == (("a", "b"), "start")
    assert (runner.local.wheel, runner.local.wheel_folder) == ("w==1.0", "w/*/bin")
    assert runners.read(folder(tmp_path, "redis", SERVICE)).local is None


@pytest.mark.parametrize(
    ("local", "said"),
    [
        ("{programs: [a]}", "needs `programs` or `requirements`, and `start`"),
        ("{start: start}", "needs `programs` or `requirements`, and `start`"),
        ("{programs: [a], start: start, wheel: w==1}", "belong together"),
        ("{programs: [a], start: start, wheel: w>=1, wheel_folder: w}", "local.wheel"),
        ("{programs: [a], start: ../start}", "must be a path below its folder"),
        ("{programs: [a], start: /start}", "must be a path below its folder"),
        ("{programs: [a], start: start, server: b}", "unknown field `server`"),
    ],
)
def test_a_wrong_local_is_told(tmp_path: Path, local: str, said: str) -> None:
    with pytest.raises(InfrastructureError) as caught:
        runners.read(folder(tmp_path, "postgres", f"{SERVICE}local: {local}\n"))
    assert said in caught.value.message


@pytest.mark.parametrize("versions", ["16", ">=16 <19", ">=x", "~=16"])
def test_versions_are_bounds(tmp_path: Path, versions: str) -> None:
    content = SERVICE.replace('">=16,<19"', f'"{versions}"')
    with pytest.raises(InfrastructureError, match="versions"):
        runners.read(folder(tmp_path, "postgres", content))
