"""`grader new`: a small true exercise to begin with, made from templates."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.catalog.words import nearest
from grader.errors import UsageError
from grader.model.exercise import Roadmap

TEMPLATES = Path(__file__).parent / "templates"
SUFFIX = ".j2"
RUNNERS = {
    "function": ("python", "node"),
    "program": ("python", "shell"),
    "http": ("python", "node"),
    "sql": ("sql",),
}
"""What a learner can be asked to write, and the runners that there are templates for."""
NEEDED = {"sql": "postgres"}
"""The service that a kind cannot do without."""
_SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The exercise to be made. `kind` None: the first one that the runner has."""

    folder: Path
    topic: str
    runner: str
    kind: str | None = None
    services: tuple[str, ...] = ()
    title: str = ""


def make(wanted: Wanted, roadmap: Roadmap, services: Collection[str]) -> list[Path]:
    """Write the exercise; the files made, sorted. `services` are the names of those there are.

    Raises UsageError, with nothing written, when the folder exists or a name is not known.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # only here: 0.1 s

    kind = _kind(wanted)
    _known("topic", wanted.topic, [topic.slug for topic in roadmap.topics()])
    chosen = _services(wanted, kind)
    for name in chosen:
        _known("service", name, services)
    slug = _slug(wanted.folder)
    environment = Environment(
        loader=FileSystemLoader([TEMPLATES / f"{kind}-{wanted.runner}", TEMPLATES / kind]),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 -- these are plain files, no HTML
    )
    values = {
        "slug": slug,
        "title": wanted.title or slug.replace("-", " ").capitalize(),
        "topic": wanted.topic,
        "runner": wanted.runner,
        "services": chosen,
    }
    texts = {
        name.removesuffix(SUFFIX): environment.get_template(name).render(values)
        for name in environment.list_templates()
    }
    return _write(wanted.folder, texts)


def _kind(wanted: Wanted) -> str:
    if wanted.kind is None:
        for kind, runners in RUNNERS.items():
            if wanted.runner in runners:
                return kind
        templates = ", ".join(sorted({one for runners in RUNNERS.values() for one in runners}))
        raise UsageError(
            f"there is no template for the runner '{wanted.runner}'",
            fix=f"there are some for: {templates}",
        )
    _known("kind", wanted.kind, RUNNERS)
    if wanted.runner not in RUNNERS[wanted.kind]:
        raise UsageError(
            f"there is no template of the kind '{wanted.kind}' for the runner '{wanted.runner}'",
            fix=f"it is written for --runner {' or '.join(RUNNERS[wanted.kind])}",
        )
    return wanted.kind


def _services(wanted: Wanted, kind: str) -> Sequence[str]:
    needed = [NEEDED[kind]] if kind in NEEDED else []
    return list(dict.fromkeys([*needed, *wanted.services]))


def _slug(folder: Path) -> str:
    slug = folder.name
    if not _SLUG.fullmatch(slug) or len(slug) > 100:
        raise UsageError(
            f"'{slug}' cannot be the name of an exercise",
            fix="use lower-case words joined by hyphens, like word-count",
        )
    return slug


def _known(what: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise UsageError(f"there is no {what} '{name}'", fix=nearest(name, known))


def _write(folder: Path, texts: dict[str, str]) -> list[Path]:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except FileExistsError:
        raise UsageError(
            f"{folder} is there already; nothing was written", fix="choose another name"
        ) from None
    except OSError as error:
        raise UsageError(f"{error.filename or folder}: {error.strerror}") from None
    try:
        for name, text in texts.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise UsageError(f"{error.filename or folder}: {error.strerror}") from None
        raise
    return sorted(folder / name for name in texts)
