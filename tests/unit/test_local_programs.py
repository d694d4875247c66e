"""How the engine without Docker finds what takes the place of images."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from grader import shipped
from grader.engine import runners
from grader.engine.local import programs
from grader.engine.local.programs import MissingProgram
from grader.engine.runners import Local, Runner

ROOT = Path(__file__).parent.parent.parent


def runner(folder: Path, versions: str = ">=17,<19", **local: object) -> Runner:
    made = Local(programs=("server",), folders=(str(folder / "*" / "bin"),), **local)  # type: ignore[arg-type]
    return Runner(name="it", folder=folder, kind="service", versions=versions, local=made)


def program(folder: Path, says: str) -> Path:
    folder.mkdir(parents=True)
    made = folder / "server"
    made.write_text(f"#!/bin/sh\necho '{says}'\n")
    made.chmod(0o755)
    return made


@pytest.mark.parametrize(
    ("version", "wanted", "fits"),
    [
        ("17.2", ">=17,<19", True),
        ("17", ">=17,<19", True),
        ("16.9", ">=17,<19", False),
        ("19.0", ">=17,<19", False),
        ("7.2.4", ">=7.2,<9", True),
        ("10.0", ">=7.2,<9", False),
        ("anything", "", True),
        ("", ">=1", False),
    ],
)
def test_versions_are_compared_as_numbers(version: str, wanted: str, fits: bool) -> None:
    assert programs.within(version, wanted) is fits


def test_the_first_with_the_right_version_is_taken(tmp_path: Path) -> None:
    """What is too old or too new is passed over; newer folders come first."""
    program(tmp_path / "16" / "bin", "server (It) 16.4")
    right = program(tmp_path / "17" / "bin", "server (It) 17.1")
    program(tmp_path / "99" / "bin", "server v=99.1.2 sha=0")
    found = programs.find(runner(tmp_path))
    assert found is not None
    assert (found.path, found.needs) == (right, ())


def test_a_program_of_nobody_elses_is_shown_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sandbox sees what lies in /usr; of a folder of the user's, the program and nothing else."""
    own = program(tmp_path / "bin", "server 17.1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin")
    found = programs.find(runner(tmp_path))
    assert found is not None
    assert (found.path, found.needs) == (own, (own,))
    assert found.below(Path("/inside")) == Path("/inside/server")
    shell = Runner(name="it", folder=tmp_path, kind="language", local=Local(programs=("sh",)))
    assert programs.find(shell) == programs.Program(path=Path("/bin/sh").resolve())


def test_a_missing_program_is_named_with_the_fix(tmp_path: Path) -> None:
    """What was found and why it will not do is said, too; exit code 3."""
    old = program(tmp_path / "15" / "bin", "server (It) 15.1")
    with pytest.raises(MissingProgram) as caught:
        programs.find(runner(tmp_path, wheel="it-wheel==1.0", wheel_folder="it/bin"))
    assert caught.value.what == "server"
    assert f"no server >=17,<19 ({old} is 15.1)" in caught.value.message
    assert caught.value.fix.endswith("-m pip install it-wheel==1.0")
    assert caught.value.exit_code == 3


def test_a_runner_without_local_needs_its_image(tmp_path: Path) -> None:
    made = Runner(name="it", folder=tmp_path, kind="service")
    with pytest.raises(MissingProgram, match="cannot run 'it': it needs an image"):
        programs.find(made)


def test_packages_bring_what_they_need(tmp_path: Path) -> None:
    """Each with its own files, extras that were asked for, and nothing that is not needed."""
    (tmp_path / "requirements.txt").write_text("# these\npytest==1\n")
    made = Runner(
        name="it",
        folder=tmp_path,
        kind="language",
        local=Local(requirements="requirements.txt", modules={"warm": "warm.py"}),
    )
    found = programs.packages(made)
    assert {"pytest", "_pytest", "pluggy", "iniconfig", "packaging", "warm.py"} <= set(found)
    assert found["warm.py"] == tmp_path / "warm.py"
    assert not {"hypothesis", "mypy", "grader", "bin"} & set(found)
    assert all(path.exists() for name, path in found.items() if name != "warm.py")


def test_a_missing_package_is_named_with_the_fix(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("no-such-package==1\n")
    made = Runner(
        name="it", folder=tmp_path, kind="language", local=Local(requirements="requirements.txt")
    )
    with pytest.raises(MissingProgram) as caught:
        programs.packages(made)
    assert caught.value.what == "no-such-package"
    assert caught.value.fix.endswith(f"-m pip install -r {tmp_path / 'requirements.txt'}")


def test_the_extra_brings_what_the_images_hold() -> None:
    """Package by package the versions of the extras `local` and `node` are those of the runners."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    extra = {*extras["local"], *extras["node"]}
    wanted = set((shipped.runners() / "judge" / "requirements.txt").read_text().split())
    for one in runners.load(shipped.runners()).values():
        if one.local is not None:
            wanted |= {one.local.wheel} - {""}
            if one.local.requirements:
                wanted |= set((one.folder / one.local.requirements).read_text().split())
    assert extra == wanted
