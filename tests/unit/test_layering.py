"""Who may import whom (docs/design, section 8). The rules are the tables below."""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader import shipped

FOUNDATION = frozenset({"errors", "model", "settings", "shipped"})
MIDDLE = frozenset({"catalog", "workspace", "engine", "report"})
PIPELINE = frozenset(
    {"events", "keeper", "making", "packing", "supply", "judging", "scoring", "grade", "hands"}
)
ABOVE = frozenset({"authoring", "batch", "progress"})

MAY_IMPORT: dict[str, frozenset[str]] = {
    "errors": frozenset(),
    "model": frozenset(),
    "settings": frozenset({"errors"}),
    "shipped": frozenset(),
    **dict.fromkeys(MIDDLE, FOUNDATION),
    "events": FOUNDATION | MIDDLE,
    "keeper": FOUNDATION | MIDDLE | {"events"},
    "packing": FOUNDATION,
    "making": FOUNDATION | MIDDLE | {"events", "packing"},
    "supply": FOUNDATION | MIDDLE | {"events", "keeper", "making"},
    "judging": FOUNDATION | MIDDLE | {"events", "supply"},
    "scoring": FOUNDATION | MIDDLE | {"supply", "judging"},
    "hands": FOUNDATION | MIDDLE | {"keeper", "supply", "grade"},
    "grade": FOUNDATION | MIDDLE | {"supply", "judging", "scoring", "making"},
    **dict.fromkeys(ABOVE, FOUNDATION | MIDDLE | PIPELINE),
    "cli": FOUNDATION | MIDDLE | PIPELINE | ABOVE | {"<version>"},
    "__init__": frozenset(),
    "__main__": frozenset({"cli"}),
    "agent": frozenset(),
    "judge": frozenset({"agent"}),
}
"""Parts of grader that a part may import, besides itself. `<version>` is the package itself."""

ONLY_FOREIGN = {
    "agent": frozenset[str](),
    "judge": frozenset(
        {"pytest", "_pytest", "psycopg", "redis", "pymongo", "bson", "httpx", "websockets"}
        | {"trustme"}
    ),
}
"""Parts that run in a container: what they may import that is not of the standard library."""

DOCKER = "engine/docker"
ENVIRONMENT = frozenset(
    {
        "settings.py",
        "agent/main.py",  # the agent's own process, told its place by the engine
        "agent/zygote.py",  # the learner's interpreter gets the variables of its test
        "judge/paths.py",  # told its place by the engine
        "judge/child.py",  # the process of one run keeps pytest from loading plugins
    }
)


@dataclass(frozen=True)
class Import:
    """One imported module, absolute, and where it is imported."""

    file: str
    line: int
    name: str
    relative: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.name}"


def sources(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*.py") if "data" not in path.relative_to(root).parts)


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes(), str(path))


def imports(root: Path, path: Path) -> Iterator[Import]:
    """Every import of a file, lazy ones and those for type checkers, too."""
    file = path.relative_to(root)
    package = ["grader", *file.parent.parts]
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file.as_posix(), node.lineno, alias.name, relative=False)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                name = f"{start}.{alias.name}"
                yield Import(file.as_posix(), node.lineno, name, relative=node.level > 0)


def part_of(root: Path, file: str) -> str:
    return (root / file).relative_to(root).parts[0].removesuffix(".py")


def target(name: str, root: Path) -> str:
    """The part of grader that an absolute name lies in."""
    first = [*name.split("."), ""][1]
    exists = (root / first).is_dir() or (root / f"{first}.py").is_file()
    return first if first and exists else "<version>"


def wrong_arrows(root: Path) -> list[str]:
    """Imports that point the wrong way, and those of packages that a part may not use."""
    wrong = []
    for path in sources(root):
        for one in imports(root, path):
            part = part_of(root, one.file)
            foreign = one.name.partition(".")[0]
            if foreign == "grader":
                goal = target(one.name, root)
                if goal != part and goal not in MAY_IMPORT.get(part, frozenset()):
                    wrong.append(str(one))
            elif part in ONLY_FOREIGN:
                if foreign not in ONLY_FOREIGN[part] | sys.stdlib_module_names:
                    wrong.append(str(one))
            elif foreign == "docker" and not one.file.startswith(f"{DOCKER}/"):
                wrong.append(str(one))
            if part == "agent" and foreign == "grader" and not one.relative:
                wrong.append(f"{one}, not relatively")
    return wrong


def environment_readers(root: Path) -> set[str]:
    """Files that touch this process's environment."""
    found = set()
    for path in sources(root):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                names = {node.attr} if node.value.id == "os" else set()
            elif isinstance(node, ast.ImportFrom) and node.module == "os":
                names = {alias.name for alias in node.names}
            else:
                continue
            if names & {"environ", "environb", "getenv", "putenv"}:
                found.add(path.relative_to(root).as_posix())
    return found


def printers(root: Path) -> list[str]:
    """Calls of the built-in print, with their lines."""
    return [
        f"{path.relative_to(root).as_posix()}:{node.lineno}"
        for path in sources(root)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]


def test_imports_go_one_way() -> None:
    """No part imports one above it, and what runs in containers only what is there."""
    assert wrong_arrows(shipped.package()) == []


def test_every_part_has_its_rule() -> None:
    """A new module or package must be given its place in the table."""
    parts = {part_of(shipped.package(), str(path)) for path in sources(shipped.package())}
    assert parts - {"_version"} <= set(MAY_IMPORT)


def test_only_settings_read_the_environment() -> None:
    """Variables are read once, into settings; processes in containers set up their own."""
    assert environment_readers(shipped.package()) <= ENVIRONMENT


def test_only_the_command_line_prints() -> None:
    """print() belongs to the command line: everything else returns what it has to say."""
    assert [place for place in printers(shipped.package()) if not place.startswith("cli/")] == []


def test_the_agent_runs_on_old_pythons() -> None:
    """Images bring their own Python; the agent's syntax is that of 3.9."""
    for path in sources(shipped.package() / "agent"):
        ast.parse(path.read_bytes(), str(path), feature_version=(3, 9))


@pytest.mark.parametrize(
    ("file", "source", "named"),
    [
        ("model/report.py", "import grader.catalog.load", "grader.catalog.load"),
        ("catalog/load.py", "from grader.grade import grade", "grader.grade.grade"),
        ("catalog/load.py", "from grader import grade", "grader.grade"),
        ("catalog/load.py", "from ..report import text", "grader.report.text"),
        ("catalog/load.py", "def f():\n    from grader.cli import main", "grader.cli.main"),
        ("catalog/load.py", "import docker", "docker"),
        ("engine/registry.py", "from docker.errors import APIError", "docker.errors.APIError"),
        ("agent/main.py", "import grader.agent.wire", "grader.agent.wire"),
        ("agent/main.py", "from ..errors import GraderError", "grader.errors.GraderError"),
        ("agent/main.py", "import psycopg", "psycopg"),
        ("judge/run.py", "import msgspec", "msgspec"),
        ("judge/run.py", "from grader.errors import SessionLost", "grader.errors.SessionLost"),
        ("scoring.py", "from grader.grade import grade", "grader.grade.grade"),
        ("errors.py", "from grader import __version__", "grader.__version__"),
        ("unheard_of.py", "from grader.errors import UsageError", "grader.errors.UsageError"),
    ],
)
def test_a_wrong_arrow_is_found(tmp_path: Path, file: str, source: str, named: str) -> None:
    """The walk sees a forbidden import in a made-up tree, however it is written."""
    for folder in ("agent", "catalog", "cli", "engine/docker", "judge", "model", "report"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("errors.py", "grade.py", "scoring.py"):
        (tmp_path / name).touch()
    (tmp_path / file).write_text(source)
    assert any(f"imports {named}" in arrow for arrow in wrong_arrows(tmp_path))


def test_right_arrows_are_not_found(tmp_path: Path) -> None:
    """What the tables allow passes."""
    for folder in ("agent", "engine/docker", "judge"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "errors.py").touch()
    (tmp_path / "agent/main.py").write_text("import json\nfrom . import wire\n")
    (tmp_path / "judge/run.py").write_text("import pytest\nfrom grader.agent import wire\n")
    (tmp_path / "engine/docker/engine.py").write_text("import docker\nimport grader.errors\n")
    assert wrong_arrows(tmp_path) == []


@pytest.mark.parametrize(
    "source",
    ["import os\nos.environ['HOME']", "import os\nos.getenv('HOME')", "from os import environ"],
)
def test_a_reader_of_the_environment_is_found(tmp_path: Path, source: str) -> None:
    """Each way to read a variable is seen."""
    (tmp_path / "grade.py").write_text(source)
    assert environment_readers(tmp_path) == {"grade.py"}


def test_a_print_is_found_and_a_method_of_that_name_is_not(tmp_path: Path) -> None:
    """Only the built-in function counts."""
    (tmp_path / "grade.py").write_text("console.print('fine')\nprint('not fine')\n")
    assert printers(tmp_path) == ["grade.py:2"]
