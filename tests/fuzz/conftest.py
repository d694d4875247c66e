"""Each fuzz test runs under a bound on memory; the profile `fuzz` is the long one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.fuzz.harness import INPUTS, bounded

settings.register_profile("fuzz", max_examples=INPUTS)


@pytest.fixture(autouse=True)
def _no_growth(request: pytest.FixtureRequest) -> Iterator[None]:
    """Over all its inputs a target keeps nothing."""
    if not getattr(request.function, "is_hypothesis_test", False):
        yield
        return
    with bounded():
        yield
