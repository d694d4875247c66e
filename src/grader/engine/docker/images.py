"""The images that containers are made from: build, pull, list, remove.

An image's tag is a digest of all that it is built from, so what exists is what is wanted, and a
change of a file makes a new tag.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import docker
import docker.errors
from docker.models.images import Image

from grader import shipped
from grader.engine.docker import archive, builder
from grader.engine.docker.errors import translated
from grader.engine.docker.tags import BASE, Tags
from grader.errors import ImageError, InfrastructureError
from grader.model.progress import ImageOutput, ImageReady, ImageStarted, Listener, Progress, Stage
from grader.settings import Settings

LABEL = "grader.image"
MADE_FROM = "grader.source"
"""Which installation built an image: only it may drop the image when another takes its place."""
AT_ONCE = 2
"""Images built at the same time: more would only share the network and the processors."""


@dataclass(frozen=True, kw_only=True)
class ImageInfo:
    """One image, whether it exists here or not. `size` in bytes, `created` in epoch seconds."""

    name: str
    tag: str
    present: bool
    size: int = 0
    created: int = 0
    source: str = ""


class Images:
    """The images of every runner, on one engine."""

    def __init__(self, client: docker.DockerClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._tags = Tags(settings)
        self.runners = self._tags.runners
        where = str(shipped.runners().resolve())
        self._source = hashlib.sha256(where.encode()).hexdigest()[:12]

    def tag(self, name: str) -> str:
        """See Tags.tag."""
        return self._tags.tag(name)

    def ensure(self, names: Iterable[str], listener: Listener) -> None:
        """Bring every image that is not here: pulled when a registry has it, else built."""
        self._bring(names, listener, force=False)

    def build(self, names: Iterable[str], listener: Listener, force: bool = False) -> None:
        """Like `ensure`. With `force`, these images are built anew, without any cache."""
        self._bring(names, listener, force=force)

    def list(self) -> Sequence[ImageInfo]:
        """Every image that a runner defines, as it is on this engine."""
        present = self._present()
        return [
            present.get(self._tags.tag(name))
            or ImageInfo(name=name, tag=self._tags.tag(name), present=False)
            for name in self.runners
        ]

    def remove(self) -> Sequence[str]:
        """Remove all images of grader's that no container uses; the tags that went."""
        tags = sorted(self._present(), key=lambda tag: (tag.startswith(f"grader-{BASE}:"), tag))
        removed = [tag for tag in tags if self._remove(tag)]
        with translated("listing the images"):
            unnamed = self._client.api.images(filters={"label": LABEL, "dangling": True})
        for image in unnamed:  # builds of the same tag leave these
            self._remove(image["Id"])
        return removed

    def save(self, path: Path, listener: Listener) -> int:
        """Write every image to a new file; its size in bytes. Raises UsageError."""
        archive.writable(path)
        self.ensure(self.runners, listener)
        return archive.save(self._client, [self.tag(name) for name in self.runners], path, listener)

    def load(self, path: Path, listener: Listener) -> Sequence[str]:
        """Bring every image that is not here from a file that `save` made; the names brought.

        Raises UsageError for another file, ImageError when the file holds what is of no use here:
        nothing is loaded then.
        """
        listener(Stage(f"Reading {path}"))
        held = archive.contents(path)
        wanted = {image.name: image.tag for image in self.list() if not image.present}
        archive.compare(wanted, held, path)
        with translated("asking the engine about itself"):
            here = str(self._client.version().get("Arch", ""))
        if other := sorted({held[tag] for tag in wanted.values()} - {here}):
            raise ImageError(
                f"the images in {path} are for {', '.join(other)}; this engine runs {here}",
                fix=f"save them on a machine with {here}",
            )
        if wanted:
            archive.load(self._client, path, listener)
        return list(wanted)

    def _present(self) -> dict[str, ImageInfo]:
        """Grader's images here, by tag. The label alone would find what others built on them."""
        with translated("listing the images"):
            found = self._client.api.images(filters={"label": LABEL})
        infos = {}
        for image in found:
            name = (image.get("Labels") or {}).get(LABEL, "")
            for tag in image.get("RepoTags") or ():
                if tag.startswith(f"grader-{name}:"):
                    infos[tag] = ImageInfo(
                        name=name,
                        tag=tag,
                        present=True,
                        size=image["Size"],
                        created=image["Created"],
                        source=image["Labels"].get(MADE_FROM, ""),
                    )
        return infos

    def _bring(self, names: Iterable[str], listener: Listener, *, force: bool) -> None:
        todo = []
        for name in dict.fromkeys(names):
            size = None if force else self._size(name)
            if size is None:
                todo.append(name)
            else:
                listener(ImageReady(name=name, how="present", seconds=0.0, size=size))
        if not todo:
            return
        if BASE not in todo and self._size(BASE) is None:
            todo.append(BASE)
        todo.sort(key=lambda name: name != BASE)
        numbers = {name: number for number, name in enumerate(todo, start=1)}
        lock, stop = threading.Lock(), threading.Event()

        def say(news: Progress) -> None:
            if stop.is_set():
                raise ImageError("the build was stopped")
            with lock:
                listener(news)

        def bring(name: str) -> None:
            say(ImageStarted(name=name, number=numbers[name], total=len(numbers)))
            started = time.monotonic()
            how = self._bring_one(name, lambda line: say(ImageOutput(name, line)), force=force)
            seconds = time.monotonic() - started
            say(ImageReady(name=name, how=how, seconds=seconds, size=self._size(name) or 0))

        if todo[0] == BASE:
            bring(todo.pop(0))
        _in_parallel(bring, todo, stop)

    def _bring_one(self, name: str, tell: Callable[[str], None], *, force: bool) -> str:
        """Pull or build one image, drop those it replaces; `pulled` or `built`."""
        tag, how = self._tags.tag(name), "pulled"
        before = self._here(name)
        source = f"{self._settings.registry.rstrip('/')}/{tag}" if self._settings.registry else ""
        if force or not source or not builder.pull(self._client, source, tag):
            base = self._tags.tag(BASE)
            if name == BASE:
                base = self._settings.base_image
                builder.need_base_image(self._client, base, tell)
            builder.build(
                self._client,
                self._tags.context(name)[0],
                tag=tag,
                arguments={
                    **self._settings.build_environment,
                    **self._tags.chosen(name),
                    "BASE": base,
                },
                labels={LABEL: name, MADE_FROM: self._source},
                tell=tell,
                cache=not force,
            )
            how = "built"
        after = self._here(name)
        if before and after and before.id != after.id:
            self._remove(str(before.id))
        for other, info in self._present().items():
            if info.name == name and other != tag and info.source == self._source:
                self._remove(other)
        return how

    def _here(self, name: str) -> Image | None:
        """The image that `name` must be now; None when it is not on this engine."""
        with translated(f"looking at the image of {name}"):
            try:
                return self._client.images.get(self._tags.tag(name))
            except docker.errors.ImageNotFound:
                return None

    def _size(self, name: str) -> int | None:
        image = self._here(name)
        return None if image is None else int(image.attrs["Size"])

    def _remove(self, tag: str) -> bool:
        try:
            with translated(f"removing the image {tag}"):
                self._client.api.remove_image(tag)
        except InfrastructureError:
            return False  # a container uses it, or somebody else was faster
        return True


def _in_parallel(work: Callable[[str], None], names: Sequence[str], stop: threading.Event) -> None:
    """Do `work` for each name; the first failure, or Ctrl-C, stops the others."""
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        futures = [pool.submit(work, name) for name in names]
        for future in wait(futures, return_when=FIRST_EXCEPTION).done:
            future.result()
    finally:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
