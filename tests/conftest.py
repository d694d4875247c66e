"""Fixtures for all levels: settings that touch nothing of the user's, and a Docker engine."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings as hypothesis_settings

from grader import settings as settings_module
from grader.errors import InfrastructureError
from grader.settings import Settings

if TYPE_CHECKING:
    from grader.engine.docker.engine import DockerEngine
    from grader.engine.local.engine import LocalEngine

ROOT = Path(__file__).parent.parent
# What a shell starts in its background ignores Ctrl-C, with nohup a closed terminal, too; and so
# would what tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
# How long an example takes says more about the machine than about the code.
hypothesis_settings.register_profile("patient", deadline=None)
hypothesis_settings.load_profile("patient")


@pytest.fixture(scope="session", autouse=True)
def _no_record_of_the_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests do, processes that they start included, is not the record of who runs them."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where grader keeps its state in this test session."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="session")
def settings(state_dir: Path) -> Settings:
    """Settings of this machine, but with a state folder of the tests' own."""
    kept = (
        "GRADER_BASE_IMAGE",
        "GRADER_CA_BUNDLE",
        "PATH",
        "HOME",
        *settings_module.PASSED_TO_BUILDS,
    )
    environ = {
        name: value
        for name, value in os.environ.items()
        if name in kept or name.lower() in ("http_proxy", "https_proxy") or name[:7] == "DOCKER_"
    }
    environ["GRADER_STATE_DIR"] = str(state_dir)
    nothing = state_dir / "nothing.toml"
    nothing.touch()
    environ["GRADER_CONFIG"] = str(nothing)
    environ["GRADER_DATA_DIR"] = str(state_dir / "data")
    return settings_module.load({}, environ)


@pytest.fixture(scope="session")
def docker_engine(settings: Settings, state_dir: Path) -> Iterator[DockerEngine]:
    """The Docker engine with every image built. Without one the test is skipped, in CI it fails."""
    from grader.engine.docker.connect import connect
    from grader.engine.docker.engine import DockerEngine
    from grader.engine.docker.images import Images
    from grader.engine.docker.removal import remove
    from grader.engine.docker.warm import WarmSessions

    try:
        client = connect(settings)
        images = Images(client, settings)
        images.ensure([one.name for one in images.list() if one.name != "base"], lambda _: None)
    except InfrastructureError as error:
        if os.environ.get("GRADER_REQUIRE_DOCKER"):
            pytest.fail(f"GRADER_REQUIRE_DOCKER is set: {error.message} ({error.fix})")
        pytest.skip(f"no Docker: {error.message}")
    yield DockerEngine(settings)
    for session in WarmSessions(state_dir).known():
        remove(client, session)
    client.close()


@pytest.fixture(scope="session")
def local_engine(settings: Settings) -> Iterator[LocalEngine]:
    """The engine without Docker; nothing of it may be left at the end."""
    from grader.engine.local import folder, sweep
    from grader.engine.local.engine import LocalEngine

    yield LocalEngine(settings)
    sweep.stop(settings)
    assert list(folder.sessions(sweep.warm_sessions(settings).home)) == []


@pytest.fixture
def without_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As on a machine where it is not installed."""
    import shutil

    from grader.engine.local import confinement, folder, sandbox

    if os.geteuid() == 0 and not folder.readable(sandbox.interpreter()):
        # Programs do not run as root there; a Python that any user can run may be at hand.
        if not (Path("/usr/bin") / sandbox.NAME).exists():
            pytest.skip(f"no other user can run {sandbox.interpreter()}")
        monkeypatch.setattr(sandbox, "BASE", Path("/usr"))
    which = shutil.which
    monkeypatch.setattr(
        shutil, "which", lambda name, **more: None if name == "bwrap" else which(name, **more)
    )
    confinement.confinement.cache_clear()
    yield
    confinement.confinement.cache_clear()
