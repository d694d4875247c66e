"""Where a setting's value comes from: flags, then the environment, then the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.settings import FROM_USER, Settings, data_dir, load

NUMBERS = ("idle_seconds", "warm_sessions")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config file that sets nothing."""
    path = tmp_path / "config.toml"
    path.touch()
    return path


def loaded(config: Path, flags: Mapping[str, object] | None = None, /, **environ: str) -> Settings:
    places = {
        "GRADER_CONFIG": str(config),
        "GRADER_STATE_DIR": str(config.parent / "state"),
        "GRADER_DATA_DIR": str(config.parent / "data"),
    }
    return load(flags or {}, {**places, **environ})


def test_defaults_without_any_source(config: Path) -> None:
    """A config file that sets nothing and an empty environment."""
    settings = loaded(config)
    assert (settings.engine, settings.idle_seconds, settings.exercises) == ("", 900, None)
    assert (settings.registry, settings.runtime, settings.ca_bundle) == ("", "", None)
    assert settings.state_dir == config.parent / "state"


def test_the_usual_config_file_need_not_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most people have none; who has one need not name it."""
    monkeypatch.setattr("platformdirs.user_config_path", lambda name: tmp_path / name)
    environ = {"GRADER_STATE_DIR": str(tmp_path), "GRADER_DATA_DIR": str(tmp_path)}
    assert load({}, environ) == Settings(state_dir=tmp_path, data_dir=tmp_path)
    (tmp_path / "grader").mkdir()
    (tmp_path / "grader" / "config.toml").write_text('engine = "fake"\n')
    assert load({}, environ).engine == "fake"
    assert load({}, {**environ, "GRADER_CONFIG": ""}).engine == "fake"


def test_a_config_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    """A slip in the name must not mean that everything in the file is ignored."""
    with pytest.raises(UsageError, match=r"GRADER_CONFIG: there is no file .*/no\.toml") as caught:
        loaded(tmp_path / "no.toml")
    assert "unset GRADER_CONFIG" in caught.value.fix
    with pytest.raises(UsageError, match="there is no file"):
        loaded(tmp_path / "no" / "such" / "folder.toml")


def test_flags_over_environment_over_file(config: Path) -> None:
    """The nearer source wins, setting by setting."""
    config.write_text('engine = "file"\nregistry = "file"\nruntime = "file"\nidle_seconds = 5\n')
    settings = loaded(
        config,
        {"engine": "flag", "registry": None},
        GRADER_ENGINE="environment",
        GRADER_REGISTRY="environment",
        GRADER_IDLE_SECONDS="7",
    )
    assert settings.engine == "flag"
    assert settings.registry == "environment"
    assert settings.runtime == "file"
    assert settings.idle_seconds == 7


def test_an_empty_variable_was_not_given(config: Path) -> None:
    """`GRADER_ENGINE=` leaves what the file says."""
    config.write_text('engine = "file"\n')
    assert loaded(config, GRADER_ENGINE="").engine == "file"


@pytest.mark.parametrize("name", [name for name in FROM_USER if name not in NUMBERS])
def test_every_setting_has_its_variable_and_key(config: Path, name: str) -> None:
    """The environment and the file know the same names."""
    assert str(getattr(loaded(config, **{f"GRADER_{name.upper()}": "x/y"}), name)) == "x/y"
    config.write_text(f'{name} = "z"\n')
    assert str(getattr(loaded(config), name)) == "z"


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_have_their_variable_and_key(config: Path, name: str) -> None:
    assert getattr(loaded(config, **{f"GRADER_{name.upper()}": "5"}), name) == 5
    config.write_text(f"{name} = 7\n")
    assert getattr(loaded(config), name) == 7


def test_paths_are_paths(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tilde is the user's home, in the file and in the environment."""
    monkeypatch.setenv("HOME", "/home/me")
    config.write_text('exercises = "~/mine"\n')
    settings = loaded(config, GRADER_CA_BUNDLE="~/ca.pem")
    assert settings.exercises == Path("/home/me/mine")
    assert settings.ca_bundle == Path("/home/me/ca.pem")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('motor = "docker"', "unknown setting 'motor'"),
        ('state_dir = "x"', "unknown setting 'state_dir'"),
        ("idle_seconds = 1.5", "'1.5' is not a whole number"),
        ("idle_seconds = true", "'True' is not a whole number"),
        ('idle_seconds = "soon"', "'soon' is not a whole number"),
        ("warm_sessions = -1", "must be between 0 and"),
        ("idle_seconds = 0", "must be between 1 and"),
        ("engine = 5", "expected text, got 5"),
        ('exercises = ["a"]', "expected text"),
        ("engine = ", "cannot be read"),
        ("[engine]\na = 1", "expected text"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(config: Path, content: str, said: str) -> None:
    """The message has the file's path and the fault; the exit code is that of wrong usage."""
    config.write_text(content)
    with pytest.raises(UsageError) as caught:
        loaded(config)
    assert str(config) in caught.value.message
    assert said in caught.value.message
    assert caught.value.exit_code == 2


def test_a_file_that_cannot_be_read_is_named(config: Path) -> None:
    """Not text, or not a file: both are said, nothing is guessed."""
    config.write_bytes(b"engine = '\xff'")
    with pytest.raises(UsageError, match="cannot be read"):
        loaded(config)
    config.unlink()
    config.mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        loaded(config)


def test_a_wrong_variable_is_named(config: Path) -> None:
    """The message says which variable is wrong."""
    with pytest.raises(UsageError, match="GRADER_IDLE_SECONDS: 'soon'"):
        loaded(config, GRADER_IDLE_SECONDS="soon")


def test_builds_get_proxies_in_either_case(config: Path) -> None:
    """Proxy variables count in upper and in lower case, the upper first; nothing else is taken."""
    environ = {
        "http_proxy": "low",
        "HTTPS_PROXY": "up",
        "https_proxy": "low",
        "NO_PROXY": "",
        "PIP_INDEX_URL": "pip",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "GRADER_ENGINE": "fake",
    }
    assert loaded(config, **environ).build_environment == {
        "HTTP_PROXY": "low",
        "HTTPS_PROXY": "up",
        "PIP_INDEX_URL": "pip",
    }


def test_the_docker_commands_variables_are_kept(config: Path) -> None:
    """What `docker` reads is handed on, when it says something."""
    environ = {"DOCKER_HOST": "unix:///d", "DOCKER_CONTEXT": "", "NOT_DOCKER_HOST": "x"}
    assert loaded(config, **environ).docker_environment == {"DOCKER_HOST": "unix:///d"}


def test_a_given_environment_is_the_only_one(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables of this process do not leak into settings made from others."""
    for name in ("GRADER_ENGINE", "GRADER_IDLE_SECONDS", "DOCKER_HOST", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "8")
    assert loaded(config) == Settings(
        state_dir=config.parent / "state", data_dir=config.parent / "data"
    )


def test_without_a_given_environment_this_process_counts(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command line gives none: then os.environ is read, once."""
    monkeypatch.setenv("GRADER_CONFIG", str(config))
    monkeypatch.setenv("GRADER_ENGINE", "fake")
    settings = load({})
    monkeypatch.setenv("GRADER_ENGINE", "docker")
    assert settings.engine == "fake"


def test_the_record_lies_where_the_system_keeps_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless GRADER_DATA_DIR names another folder."""
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: Path("/data") / name)
    assert data_dir({}) == Path("/data/grader")
    assert data_dir({"GRADER_DATA_DIR": ""}) == Path("/data/grader")
    assert data_dir({"GRADER_DATA_DIR": "/mine"}) == Path("/mine")


def test_settings_do_not_change(config: Path) -> None:
    """What was resolved once stays so."""
    with pytest.raises(FrozenInstanceError):
        loaded(config).engine = "fake"  # type: ignore[misc]  # that is the point
