"""Where the data that ships with grader lies: inside the wheel, or in the checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
_DATA = _PACKAGE / "data"
_CHECKOUT = _PACKAGE.parent.parent


def exercises() -> Path:
    """The catalog that ships: roadmap.yaml and one folder per exercise."""
    return (_DATA if _DATA.is_dir() else _CHECKOUT) / "exercises"


def runners() -> Path:
    """The image definitions that ship: one folder per language, service or judge."""
    return (_DATA if _DATA.is_dir() else _CHECKOUT) / "runners"


def attacks() -> Path:
    """The dishonest and hostile submissions that `grader attack` tries."""
    return (_DATA if _DATA.is_dir() else _CHECKOUT) / "attacks"


def package() -> Path:
    """The folder of the package's own source, part of which goes into images."""
    return _PACKAGE
