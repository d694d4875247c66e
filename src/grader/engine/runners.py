"""Read runners/<name>/runner.yaml: what an engine must know about an image to use it."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec
import yaml

from grader.errors import InfrastructureError

try:  # the C parser is several times faster; some builds of PyYAML come without it
    from yaml import CBaseLoader as _Loader
except ImportError:
    from yaml import BaseLoader as _Loader  # type: ignore[assignment]  # the same, slower


def size(text: str) -> int:
    """`256m` in bytes."""
    return int(text[:-1]) << 10 * ("kmg".index(text[-1]) + 1)


DEEPEST = 10
"""Maps and lists in each other, at most."""
Uid = Annotated[int, msgspec.Meta(ge=1000, le=65000)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Size = Annotated[str, msgspec.Meta(pattern="^[1-9][0-9]*[kmg]$")]


@dataclass(frozen=True, kw_only=True)
class Local:
    """How the engine `local` does without the image. A runner without it needs the image.

    The first of `programs` that is found counts: in the folder of the wheel, in `folders`, on PATH.
    """

    programs: tuple[str, ...] = ()
    """Other names of one program: a server, or a tool of the learner's; others lie beside it."""
    wheel: str = ""
    """The Python package that brings the program, as pip is told it: `name==version`."""
    wheel_folder: str = ""
    """Where it lies in there; `*` stands for any name."""
    folders: tuple[str, ...] = ()
    """Where distributions put it beside PATH; `*` as above."""
    start: str = ""
    """The runner's script that starts the server, by its environment: runners/README.md."""
    requirements: str = ""
    """The runner's file of Python packages that the learner's interpreter finds, or the server's
    when it has no program of its own."""
    lock: str = ""
    """The runner's lock file of npm packages that the learner's programs find."""
    worker: str = ""
    """The runner's file that `programs` runs to call the learner's functions."""
    modules: Mapping[str, str] = field(default_factory=dict)
    """Modules that it finds, and the runner's file that each is."""


@dataclass(frozen=True, kw_only=True)
class Runner:
    """One image definition. Fields that its kind does not have keep their empty default."""

    name: str
    folder: Path
    kind: str
    """base, language, service or judge."""
    uid: int = 0
    """The user that its container runs as; every image has its own."""

    preload: tuple[str, ...] = ()
    """Modules that the agent imports ahead."""

    port: int = 0
    data: str = ""
    """Size of the tmpfs at /data."""
    memory: str = ""
    auth: str = "none"
    accounts: Mapping[str, str] = field(default_factory=dict)
    """Names of the accounts `admin` and `learner`."""
    env: Mapping[str, str] = field(default_factory=dict)
    """The variables of the learner's program, with {user}, {password} and {port} to fill in."""
    client: tuple[str, ...] = ()
    """The command of the interactive client in its image, with variables of `env` to fill in."""
    versions: str = ""
    """Versions whose verdicts are equal; the engine `local` uses no other."""
    local: Local | None = None

    def variables(self, *, user: str, password: str, port: int) -> dict[str, str]:
        """`env` filled in for one session."""
        return {
            name: template.format(user=user, password=password, port=port)
            for name, template in self.env.items()
        }


class _Base(msgspec.Struct, tag_field="kind", tag="base", forbid_unknown_fields=True):
    pass


class _Local(msgspec.Struct, forbid_unknown_fields=True):
    programs: tuple[str, ...] = ()
    wheel: Annotated[str, msgspec.Meta(pattern="^([a-z0-9-]+==[0-9.]+)?$")] = ""
    wheel_folder: str = ""
    folders: tuple[str, ...] = ()
    start: str = ""
    requirements: str = ""
    lock: str = ""
    worker: str = ""
    modules: dict[str, str] = {}

    def __post_init__(self) -> None:
        if bool(self.wheel) != bool(self.wheel_folder):
            raise ValueError("`local`: `wheel` and `wheel_folder` belong together")
        files = (self.start, self.requirements, self.lock, self.worker, *self.modules.values())
        for name in (self.wheel_folder, *files):
            if name.startswith("/") or ".." in name.split("/"):
                raise ValueError(f"`local`: '{name}' must be a path below its folder")


Versions = Annotated[
    str, msgspec.Meta(pattern=r"^((>=|<)[0-9]+(\.[0-9]+)*)(,(>=|<)[0-9]+(\.[0-9]+)*)*$")
]


class _Judge(msgspec.Struct, tag_field="kind", tag="judge", forbid_unknown_fields=True):
    uid: Uid


class _Language(msgspec.Struct, tag_field="kind", tag="language", forbid_unknown_fields=True):
    uid: Uid
    preload: tuple[str, ...] = ()
    versions: Versions | None = None
    local: _Local | None = None


class _Accounts(msgspec.Struct, forbid_unknown_fields=True):
    admin: str
    learner: str


class _Service(msgspec.Struct, tag_field="kind", tag="service", forbid_unknown_fields=True):
    uid: Uid
    port: Port
    data: Size
    memory: Size
    versions: Versions
    env: dict[str, str]
    accounts: _Accounts | None = None
    client: tuple[str, ...] = ()
    local: _Local | None = None
    auth: Annotated[str, msgspec.Meta(pattern="^(account|none)$")] = "account"

    def __post_init__(self) -> None:
        if (self.auth == "account") != (self.accounts is not None):
            raise ValueError("`accounts` belongs to `auth: account`, and only to it")
        if self.local is not None and not (
            self.local.start and (self.local.programs or self.local.requirements)
        ):
            raise ValueError("`local` of a service needs `programs` or `requirements`, and `start`")
        for name, template in self.env.items():
            if not _fillable(template):
                raise ValueError(
                    f"`env.{name}`: only {{user}}, {{password}} and {{port}} can be filled in"
                )


def _fillable(template: str) -> bool:
    """Whether nothing but our names stands in braces: `{user.x}` or `{user:>99999999}` do not."""
    try:
        return all(
            name in (None, "user", "password", "port") and not form and not conversion
            for _, name, form, conversion in string.Formatter().parse(template)
        )
    except ValueError:
        return False


def load(root: Path) -> Mapping[str, Runner]:
    """Every runner under `root`, by name. Raises InfrastructureError."""
    runners = {file.parent.name: read(file.parent) for file in sorted(root.glob("*/runner.yaml"))}
    if not runners:
        raise InfrastructureError(f"{root}: no runner is defined there", fix="install grader again")
    users: dict[int, str] = {}
    for name, runner in runners.items():
        if runner.uid and users.setdefault(runner.uid, name) != name:
            raise InfrastructureError(
                f"{runner.folder / 'runner.yaml'}: uid {runner.uid} belongs to "
                f"'{users[runner.uid]}' already",
                fix="give every image its own user id",
            )
    return runners


def read(folder: Path) -> Runner:
    """The runner that `folder` defines. Raises InfrastructureError naming the file and the key."""
    file = folder / "runner.yaml"
    try:
        content = _plain(file.read_bytes())
        spec = msgspec.convert(content, _Base | _Judge | _Language | _Service, strict=False)
    except OSError as error:
        raise InfrastructureError(f"{file}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, ValueError) as error:  # msgspec's are ValueErrors
        raise InfrastructureError(f"{file}: {str(error)[:500]}", fix="mend the file") from None
    values: dict[str, Any] = msgspec.to_builtins(spec)
    values["preload"] = tuple(values.get("preload", ()))
    values["client"] = tuple(values.get("client", ()))
    values["accounts"] = values.get("accounts") or {}
    values["versions"] = values.get("versions") or ""
    values["local"] = _local(values.get("local"))
    return Runner(name=folder.name, folder=folder, **values)


def _local(values: dict[str, Any] | None) -> Local | None:
    if values is None:
        return None
    lists = ("programs", "folders")
    return Local(**{**values, **{name: tuple(values[name]) for name in lists}})


def _plain(content: bytes) -> object:
    """Maps, lists and texts, for msgspec to read: PyYAML's own dates and numbers raise anything.

    Raises YAMLError, and ValueError for nesting that would cost PyYAML its stack.
    """
    depth = 0
    for event in yaml.parse(content, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 0
            raise ValueError(f"line {line}: nested too deeply")
    return yaml.load(content, Loader=_Loader)  # noqa: S506 -- this loader makes texts only
