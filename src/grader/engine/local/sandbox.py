"""How a sandbox is made: the words for bubblewrap, and the plain way without it.

Pure functions from values to what the supervisor is asked to start.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.engine.base import Sandbox
from grader.engine.local.confinement import Confinement
from grader.engine.local.programs import Program
from grader.engine.runners import Runner
from grader.model.exercise import MIB, Limits

BASE = Path(sys.base_prefix)
"""The Python that runs grader, without grader's own packages."""
NAME = f"python{sys.version_info.major}.{sys.version_info.minor}"
ENTER = Path(__file__).with_name("enter.py")
SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
ETC = ("ssl", "ca-certificates", "alternatives", "ld.so.cache", "localtime", "nsswitch.conf")
OWN = Path("/grader")
"""Inside: the learner's interpreter and what starts it."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What every sandbox of a session is made from."""

    folder: Path
    """The session's."""
    confinement: Confinement
    language: Runner
    program: Program | None
    packages: Mapping[str, Path]
    """Name in the interpreter's site-packages -> where it is on this machine."""
    node_modules: Path | None
    """What the learner's JavaScript finds."""
    worker: Path | None
    """What calls functions of a language that is not Python."""
    agent: Path
    hidden: tuple[Path, ...]
    """What must not be seen, wherever it lies: hidden tests, grader's own source."""
    relays: Mapping[int, str]
    """Port of a service inside -> the service."""
    limits: Limits


def interpreter() -> Path:
    """The base interpreter: no environment's, so nothing but the standard library comes with it."""
    named = BASE / "bin" / NAME
    return named if named.exists() else Path(sys.executable).resolve()


def request(plan: Plan, address: Sandbox, slots: Path, user: int) -> dict[str, Any]:
    """What the supervisor is asked to start for one sandbox that can be reached in `slots`."""
    confined = bool(plan.confinement.bubblewrap)
    box = plan.folder / "boxes" / address.name
    start = _confined(plan, box) if confined else _plain(plan, box)
    limits = {"CORE": 0, "NOFILE": 1024, "FSIZE": plan.limits.disk}
    if confined or user:  # else the limit would count every process of this user
        limits["NPROC"] = plan.limits.pids
    return {
        "op": "start",
        "name": address.name,
        "argv": start.argv,
        "channel": False,
        "info": confined,
        "link": str(slots / address.slot),
        "slot": start.slot,
        "memory": plan.limits.memory,
        "enter": {
            "argv": [str(start.python), "-I", "-m", "grader_agent.main"],
            "env": _environment(plan, address, start),
            "folder": start.work,
            "user": user,
            "own": [start.work] if confined else [],
            "limits": limits,
            "end_with": 0 if confined else int(signal.SIGKILL),
        },
    }


def entering(
    plan: Plan, address: Sandbox, first: int, user: int, argv: Sequence[str], env: Mapping[str, str]
) -> tuple[list[str], dict[str, Any]]:
    """The command that starts a program by hand in a sandbox, and what `enter.py` is told.

    `first` is process 1 of the sandbox; 0 where it has no namespaces.
    """
    box = plan.folder / "boxes" / address.name
    start = _confined(plan, box) if first else _plain(plan, box)
    own = _environment(plan, address, start)
    kept = {name: value for name, value in own.items() if not name.startswith("GRADER_")}
    variables = {**kept, "TERM": "xterm-256color", **env}
    enter = {
        "argv": ["/usr/bin/env", *argv],
        "env": variables,
        "folder": start.work,
        "user": user,
        "own": [],
        "limits": {"CORE": 0, "NOFILE": 1024, "FSIZE": plan.limits.disk},
        "end_with": int(signal.SIGKILL),
    }
    words = [str(interpreter()), "-I", "-S", str(OWN / "enter.py" if first else ENTER), "FD"]
    if not first:
        return words, enter
    spaces = ["--mount", "--net", "--pid", "--ipc", "--uts"]
    if "--unshare-user" in plan.confinement.options:
        spaces += ["--user", "--preserve-credentials"]
    return ["/usr/bin/nsenter", "--target", str(first), *spaces, "--", *words], enter


def read_only_but(data: Path, found: Confinement) -> list[str]:
    """Before the command of a server that stays root, since nobody else can run its interpreter."""
    return [
        *(found.bubblewrap, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
        *("--bind", str(data), str(data), "--cap-drop", "ALL", "--die-with-parent", "--"),
    ]


@dataclass(frozen=True, kw_only=True)
class Start:
    """The command, and where things are for what it starts."""

    argv: list[str]
    python: Path
    work: str
    slot: str
    session: str
    scratch: tuple[str, ...]
    worker: str
    temporary: str = ""
    program: Path | None = None
    """Where the tool of the learner's is, if not where it was found."""


def _environment(plan: Plan, address: Sandbox, start: Start) -> dict[str, str]:
    relays = [f"{port}={start.session}/{name}.sock" for port, name in plan.relays.items()]
    folders = [str(start.python.parent), "/usr/local/bin", "/usr/bin", "/bin"]
    if plan.program is not None:
        folders.insert(1, str((start.program or plan.program.path).parent))
    return {
        "GRADER_KEY": address.key,
        "GRADER_SOCKET": f"{start.slot}/{address.socket}",
        "GRADER_FOLDER": start.work,
        "GRADER_SCRATCH": ":".join(start.scratch),
        "GRADER_RELAYS": ",".join(relays),
        "GRADER_PRELOAD": ",".join(plan.language.preload) if plan.relays else "",
        "GRADER_WORKER": start.worker,
        "GRADER_OUTPUT": str(plan.limits.output),
        "GRADER_SESSION": start.session,
        "GRADER_SHARED": "1" if start.temporary else "",
        "HOME": start.work,
        "LANG": "C.UTF-8",
        "PATH": ":".join(folders),
        "PYTHONDONTWRITEBYTECODE": "1",
        **({"TMPDIR": start.temporary} if start.temporary else {}),
    }


def _worker(plan: Plan, folder: Path) -> str:
    """The command, as the agent is told it."""
    if plan.worker is None or plan.program is None:
        return ""
    return f"{plan.program.path.name}:{folder / plan.worker.name}"


# -- with bubblewrap ------------------------------------------------------------------------------


def _confined(plan: Plan, box: Path) -> Start:
    python = OWN / "python"
    limits = plan.limits
    # /tmp first: this Python may lie below it.
    words = [*_tmpfs("/tmp", max(limits.disk // 4, MIB)), *_system(plan, box)]
    words += [*_interpreter(plan, python), *_program(plan)]
    words += ["--proc", "/proc", "--dev", "/dev", *_tmpfs("/dev/shm", 8 * MIB)]
    words += ["--mqueue", "/dev/mqueue"]
    words += ["--ro-bind", str(plan.folder / "session"), "/session"]
    words += [*_tmpfs("/slot", MIB), *_tmpfs("/submission", limits.disk)]
    words += ["--remount-ro", "/dev", "--remount-ro", "/", "--info-fd", "4"]
    return Start(
        argv=[
            plan.confinement.bubblewrap,
            *plan.confinement.options,
            *words,
            "--",
            *(str(interpreter()), "-I", "-S", str(OWN / "enter.py"), "3"),
        ],
        python=python / "bin" / "python3",
        work="/submission",
        slot="/slot",
        session="/session",
        scratch=("/tmp", "/dev/shm", "/dev/mqueue", "/slot"),
        worker=_worker(plan, OWN),
        program=plan.program.below(OWN / "program") if plan.program is not None else None,
    )


def _system(plan: Plan, box: Path) -> Iterator[str]:
    """The machine's programs and libraries, read-only, and nothing of anybody's own."""
    shown = [Path("/usr")]
    yield from ("--ro-bind", "/usr", "/usr")
    for name in SYSTEM:
        if Path(name).is_symlink():
            yield from ("--symlink", str(Path(name).readlink()), name)
        elif Path(name).is_dir():
            yield from _shown(Path(name))
    yield from ("--perms", "0755", "--dir", "/etc")  # awk and others lead through /etc/alternatives
    for name in ETC:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    for name in ("passwd", "group", "hosts"):
        yield from ("--ro-bind", str(box / name), f"/etc/{name}")
    if not BASE.is_relative_to("/usr"):
        shown.append(BASE)
        yield from _shown(BASE)
    for path in plan.hidden:
        if any(path.is_relative_to(one) for one in shown):
            yield from ("--tmpfs", str(path), "--remount-ro", str(path))


def _shown(path: Path) -> Iterator[str]:
    """Read-only, in its place. bubblewrap would close the folders above to other users."""
    for parent in reversed(path.parents[:-1]):
        yield from ("--perms", "0755", "--dir", str(parent))
    yield from ("--ro-bind", str(path), str(path))


def _program(plan: Plan) -> Iterator[str]:
    """A tool with its wheel, and the packages, that the learner's programs find."""
    for path in plan.program.needs if plan.program is not None else ():
        yield from ("--ro-bind", str(path), str(OWN / "program" / path.name))
    if plan.worker is not None:
        yield from ("--ro-bind", str(plan.worker), str(OWN / plan.worker.name))
    if plan.node_modules is not None:  # Node.js looks there from every folder
        yield from ("--ro-bind", str(plan.node_modules), "/node_modules")


def _interpreter(plan: Plan, python: Path) -> Iterator[str]:
    """A virtual environment of the runner's packages, put together from where each is."""
    site = python / "lib" / NAME / "site-packages"
    for parent in (*reversed((site / "x").parents[:-1]), OWN / "program"):
        yield from ("--perms", "0755", "--dir", str(parent))
    yield from ("--ro-bind", str(plan.folder / "python" / "pyvenv.cfg"), str(python / "pyvenv.cfg"))
    yield from ("--perms", "0755", "--dir", str(python / "bin"))
    for name in ("python", "python3"):
        yield from ("--symlink", str(interpreter()), str(python / "bin" / name))
    for name, path in {**plan.packages, "grader_agent": plan.agent}.items():
        yield from ("--ro-bind", str(path), str(site / name))
    yield from ("--ro-bind", str(ENTER), str(OWN / "enter.py"))


def _tmpfs(place: str, size: int) -> list[str]:
    return ["--perms", "1777", "--size", str(size), "--tmpfs", place]


# -- without it -----------------------------------------------------------------------------------


def _plain(plan: Plan, box: Path) -> Start:
    slot, temporary = str(box / "slot"), str(box / "tmp")
    return Start(
        argv=[str(interpreter()), "-I", "-S", str(ENTER), "3"],
        python=plan.folder / "python" / "bin" / "python3",
        work=str(box / "work"),
        slot=slot,
        session=str(plan.folder / "session"),
        scratch=(temporary, slot),
        worker=_worker(plan, plan.folder),
        temporary=temporary,
    )
