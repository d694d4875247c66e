"""Which image each runner must be now: a tag is a digest of all that the image is built from."""

from __future__ import annotations

from collections.abc import Mapping

from grader import shipped
from grader.engine import runners
from grader.engine.docker.context import build_context, certificates, collect
from grader.errors import InfrastructureError
from grader.settings import LOCAL_CA_FOLDERS, Settings

BASE = "base"


class Tags:
    """Build contexts and tags of every runner. No engine is asked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.runners: Mapping[str, runners.Runner] = runners.load(shipped.runners())
        self._contexts: dict[str, tuple[bytes, str]] = {}

    def tag(self, name: str) -> str:
        """`grader-<name>:<digest>`. Raises InfrastructureError for a name there is none of."""
        return f"grader-{name}:{self.context(name)[1]}"

    def context(self, name: str) -> tuple[bytes, str]:
        """The archive that the image is built from, and the digest. Raises like `tag`."""
        if name not in self._contexts:
            if name not in self.runners:
                raise InfrastructureError(
                    f"no runner is called '{name}'",
                    fix=f"runners are: {', '.join(self.runners)}",
                )
            found = certificates(self._settings.ca_bundle, LOCAL_CA_FOLDERS) if name == BASE else {}
            files = collect(self.runners[name], shipped.package(), found)
            below = [] if name == BASE else [self.tag(BASE)]
            chosen = self.chosen(name).values()
            self._contexts[name] = build_context(
                files, [*below, self._settings.base_image, *chosen]
            )
        return self._contexts[name]

    def chosen(self, name: str) -> Mapping[str, str]:
        """The build arguments of an image that the settings say something about."""
        image = self._settings.mongo_image
        return {"MONGO_IMAGE": image} if name == "mongodb" and image else {}
