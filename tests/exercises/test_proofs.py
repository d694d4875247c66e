"""Every exercise is proven: the hidden tests accept right solutions and reject each wrong one.

As `grader validate --all` does it: what was proven on this machine and has not changed since is not
run again.
"""

from __future__ import annotations

import pytest

from grader import settings as settings_module
from grader import shipped
from grader.authoring.cache import Proofs
from grader.authoring.validate import Validator, examine
from grader.catalog import slugs
from grader.engine.docker.engine import DockerEngine
from grader.settings import Settings

pytestmark = pytest.mark.docker


@pytest.mark.parametrize("slug", slugs(shipped.exercises()))
def test_it_is_proven(docker_engine: DockerEngine, settings: Settings, slug: str) -> None:
    """Its files, starter, reference, alternatives and mutants."""
    known = Proofs(settings_module.load({}).state_dir / "proofs")
    validation = examine(shipped.exercises(), slug)
    assert validation.exercise is not None, validation.problems
    validator = Validator(validation.exercise, lambda: DockerEngine(settings), known, jobs=2)
    validator.prove(validation, lambda _: None, lambda _: None)
    assert validation.lost == []
    assert [str(one) for one in validation.problems] == []
    assert validation.proven
